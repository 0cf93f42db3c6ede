"""Errors of CloudTrail: the class name is the code."""

from __future__ import annotations

from kmsmock.aws.errors import ServiceError


class CloudTrailARNInvalidException(ServiceError):
    """The ARN is not that of a trail."""


class InsufficientEncryptionPolicyException(ServiceError):
    """The key policy does not let CloudTrail encrypt log files."""


class InvalidEventCategoryException(ServiceError):
    """The event category does not exist."""


class InvalidEventSelectorsException(ServiceError):
    """Event selectors contradict each other, or use an invalid field."""


class InvalidHomeRegionException(ServiceError):
    """The trail can be changed in its home Region only."""


class InvalidKmsKeyIdException(ServiceError):
    """The text does not name a key."""


class InvalidLookupAttributesException(ServiceError):
    """There is more than one lookup attribute, or its value is invalid."""


class InvalidMaxResultsException(ServiceError):
    """The size of the page is not between 1 and 50."""


class InvalidNextTokenException(ServiceError):
    """The token does not come from the previous answer, or belongs to another request."""


class InvalidParameterCombinationException(ServiceError):
    """Parameters exclude each other."""


class InvalidS3BucketNameException(ServiceError):
    """The bucket name is not valid."""


class InvalidS3PrefixException(ServiceError):
    """The prefix of the files is too long."""


class InvalidTagParameterException(ServiceError):
    """A tag key occurs twice, or is reserved for AWS."""


class InvalidTimeRangeException(ServiceError):
    """The time range ends before it starts, or starts in the future."""


class InvalidTrailNameException(ServiceError):
    """The trail name is not valid."""


class KmsException(ServiceError):
    """The key cannot encrypt log files, because of its key usage, key spec or key state."""


class KmsKeyDisabledException(ServiceError):
    """The key is disabled."""


class KmsKeyNotFoundException(ServiceError):
    """The key does not exist in the Region of the trail."""


class MaximumNumberOfTrailsExceededException(ServiceError):
    """The account has reached the quota of trails in the Region."""


class ResourceNotFoundException(ServiceError):
    """The trail that is to be tagged does not exist."""


class TagsLimitExceededException(ServiceError):
    """The trail would have more than 50 tags."""


class TrailAlreadyExistsException(ServiceError):
    """The account has a trail of this name in the Region."""


class TrailNotFoundException(ServiceError):
    """The trail does not exist in the account and Region."""
