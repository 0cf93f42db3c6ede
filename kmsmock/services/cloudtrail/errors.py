"""Errors of CloudTrail: the class name is the code."""

from __future__ import annotations

from kmsmock.aws.errors import ServiceError


class CloudTrailARNInvalidException(ServiceError):
    """An ARN is not that of a trail."""


class InsufficientEncryptionPolicyException(ServiceError):
    """The key policy does not let CloudTrail encrypt log files."""


class InvalidEventCategoryException(ServiceError):
    """There is no such category of events."""


class InvalidEventSelectorsException(ServiceError):
    """Event selectors contradict each other, or select by what cannot be selected by."""


class InvalidHomeRegionException(ServiceError):
    """The trail can be changed in its home Region only."""


class InvalidKmsKeyIdException(ServiceError):
    """The text does not name a key."""


class InvalidLookupAttributesException(ServiceError):
    """There is more than one attribute, or its value cannot be."""


class InvalidMaxResultsException(ServiceError):
    """The size of the page is not between 1 and 50."""


class InvalidNextTokenException(ServiceError):
    """The token does not come from the answer before, or was used with another request."""


class InvalidParameterCombinationException(ServiceError):
    """Parameters exclude each other."""


class InvalidS3BucketNameException(ServiceError):
    """No bucket can have that name."""


class InvalidS3PrefixException(ServiceError):
    """The prefix of the files is too long."""


class InvalidTagParameterException(ServiceError):
    """A tag key is given twice, or is one of AWS's own."""


class InvalidTimeRangeException(ServiceError):
    """The range of time ends before it starts, or starts in the future."""


class InvalidTrailNameException(ServiceError):
    """No trail can have that name."""


class KmsException(ServiceError):
    """The key cannot encrypt log files: of its kind, or in its state."""


class KmsKeyDisabledException(ServiceError):
    """The key is disabled."""


class KmsKeyNotFoundException(ServiceError):
    """There is no such key, or not in the Region of the trail."""


class MaximumNumberOfTrailsExceededException(ServiceError):
    """The account has as many trails in the Region as it may."""


class ResourceNotFoundException(ServiceError):
    """There is no such trail to tag."""


class TagsLimitExceededException(ServiceError):
    """A trail can have 50 tags."""


class TrailAlreadyExistsException(ServiceError):
    """The name is taken in the Region."""


class TrailNotFoundException(ServiceError):
    """There is no such trail in the account and Region."""
