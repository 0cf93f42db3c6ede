"""The errors of EC2, which botocore's model does not have; some codes contain a dot.

Source: Amazon EC2 API Reference, "Error codes for the Amazon EC2 API".
"""

from __future__ import annotations

from typing import ClassVar

from kmsmock.aws.errors import ServiceError


class Ec2Error(ServiceError):
    """An error of EC2. dotted: the code, where it is no valid class name."""

    dotted: ClassVar[str | None] = None

    @property
    def code(self) -> str:
        """The error code as clients see it."""
        return self.dotted or type(self).__name__


class AuthFailure(Ec2Error):
    """The caller may not use the key."""

    status = 403


class DryRunOperation(Ec2Error):
    """The request would have succeeded, but was a dry run."""

    status = 412


class IdempotentParameterMismatch(Ec2Error):
    """The client token was used before, with other parameters."""


class IncorrectState(Ec2Error):
    """The state of the resource does not permit the operation."""


class InternalError(Ec2Error):
    """An internal error of the service."""

    status = 500


class InvalidAMIAttributeItemValue(Ec2Error):
    """An account or group to share with is not valid."""


class InvalidAMIIDMalformed(Ec2Error):
    """The image id is malformed."""

    dotted = "InvalidAMIID.Malformed"


class InvalidAMIIDNotFound(Ec2Error):
    """The image does not exist, or is not shared with the caller."""

    dotted = "InvalidAMIID.NotFound"


class InvalidAMIIDUnavailable(Ec2Error):
    """The image was deregistered, or cannot be used yet."""

    dotted = "InvalidAMIID.Unavailable"


class InvalidAMINameDuplicate(Ec2Error):
    """Another image of the account and Region has the name."""

    dotted = "InvalidAMIName.Duplicate"


class InvalidAttachmentNotFound(Ec2Error):
    """The volume is not attached to that instance."""

    dotted = "InvalidAttachment.NotFound"


class InvalidBlockDeviceMapping(Ec2Error):
    """A block device mapping is not valid."""


class InvalidID(Ec2Error):
    """The id of a resource to tag is not valid."""


class InvalidInstanceIDMalformed(Ec2Error):
    """The instance id is malformed."""

    dotted = "InvalidInstanceID.Malformed"


class InvalidNextToken(Ec2Error):
    """The token does not come from an answer of this operation."""


class InvalidParameter(Ec2Error):
    """A parameter contradicts what exists."""


class InvalidParameterCombination(Ec2Error):
    """Parameters exclude each other."""


class InvalidParameterDependency(Ec2Error):
    """A parameter requires another one."""


class InvalidParameterValue(Ec2Error):
    """The value of a parameter is not valid."""


class InvalidRegion(Ec2Error):
    """The Region does not exist."""


class InvalidRequest(Ec2Error):
    """The request cannot be fulfilled."""


class InvalidSnapshotIDMalformed(Ec2Error):
    """The snapshot id is malformed."""

    dotted = "InvalidSnapshotID.Malformed"


class InvalidSnapshotInUse(Ec2Error):
    """An image uses the snapshot."""

    dotted = "InvalidSnapshot.InUse"


class InvalidSnapshotNotFound(Ec2Error):
    """The snapshot does not exist, or is not shared with the caller."""

    dotted = "InvalidSnapshot.NotFound"


class InvalidVolumeIDMalformed(Ec2Error):
    """The volume id is malformed."""

    dotted = "InvalidVolumeID.Malformed"


class InvalidVolumeNotFound(Ec2Error):
    """The volume does not exist; it may have vanished because its key could not be used."""

    dotted = "InvalidVolume.NotFound"


class InvalidZoneNotFound(Ec2Error):
    """The Availability Zone does not exist."""

    dotted = "InvalidZone.NotFound"


class MissingParameter(Ec2Error):
    """A parameter is missing."""


class OperationNotPermitted(Ec2Error):
    """The operation is not permitted for such a snapshot."""


class ResourceLimitExceeded(Ec2Error):
    """A quota is reached."""


class TagLimitExceeded(Ec2Error):
    """The resource would have too many tags."""


class UnauthorizedOperation(Ec2Error):
    """The policies of the caller do not allow the operation."""

    status = 403


class UnknownVolumeType(Ec2Error):
    """The volume type does not exist."""


class UnsupportedOperation(Ec2Error):
    """The operation is not supported for the resource."""


class VolumeInUse(Ec2Error):
    """The volume is attached to an instance."""
