"""The errors of EC2, which its model does not name; some codes have a dot in them.

Source: Amazon EC2 API Reference, "Error codes for the Amazon EC2 API".
"""

from __future__ import annotations

from typing import ClassVar

from kmsmock.aws.errors import ServiceError


class Ec2Error(ServiceError):
    """An error of EC2. dotted: the code, where it is no name of a class."""

    dotted: ClassVar[str | None] = None

    @property
    def code(self) -> str:
        """The error code as clients see it."""
        return self.dotted or type(self).__name__


class AuthFailure(Ec2Error):
    """The credentials are not valid, or the key may not be used."""

    status = 403


class DryRunOperation(Ec2Error):
    """The request would have succeeded, but was a dry run."""

    status = 412


class IdempotentParameterMismatch(Ec2Error):
    """The client token was used before, with other parameters."""


class IncorrectState(Ec2Error):
    """What is named is in a state that does not permit this."""


class InternalError(Ec2Error):
    """An internal error of the service."""

    status = 500


class InvalidAMIAttributeItemValue(Ec2Error):
    """An account or group to share with is none."""


class InvalidAMIIDMalformed(Ec2Error):
    """The id of an image is not one."""

    dotted = "InvalidAMIID.Malformed"


class InvalidAMIIDNotFound(Ec2Error):
    """There is no such image, or it is not shared."""

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
    """A device of an image cannot be like that."""


class InvalidID(Ec2Error):
    """An id to tag is none."""


class InvalidInstanceIDMalformed(Ec2Error):
    """The id of an instance is not one."""

    dotted = "InvalidInstanceID.Malformed"


class InvalidNextToken(Ec2Error):
    """The token is not one that this operation gave."""


class InvalidParameter(Ec2Error):
    """A parameter does not fit what there is."""


class InvalidParameterCombination(Ec2Error):
    """Parameters that do not go together."""


class InvalidParameterDependency(Ec2Error):
    """A parameter that needs another one."""


class InvalidParameterValue(Ec2Error):
    """A parameter has a value that it cannot have."""


class InvalidRegion(Ec2Error):
    """There is no such Region."""


class InvalidRequest(Ec2Error):
    """The request cannot be met."""


class InvalidSnapshotIDMalformed(Ec2Error):
    """The id of a snapshot is not one."""

    dotted = "InvalidSnapshotID.Malformed"


class InvalidSnapshotInUse(Ec2Error):
    """An image needs the snapshot."""

    dotted = "InvalidSnapshot.InUse"


class InvalidSnapshotNotFound(Ec2Error):
    """There is no such snapshot, or it is not the caller's and not shared."""

    dotted = "InvalidSnapshot.NotFound"


class InvalidVolumeIDMalformed(Ec2Error):
    """The id of a volume is not one."""

    dotted = "InvalidVolumeID.Malformed"


class InvalidVolumeNotFound(Ec2Error):
    """There is no such volume; it may never have come to be."""

    dotted = "InvalidVolume.NotFound"


class InvalidZoneNotFound(Ec2Error):
    """There is no such Availability Zone."""

    dotted = "InvalidZone.NotFound"


class MissingParameter(Ec2Error):
    """A parameter is missing."""


class OperationNotPermitted(Ec2Error):
    """This cannot be done with such a snapshot."""


class ResourceLimitExceeded(Ec2Error):
    """A quota is reached."""


class TagLimitExceeded(Ec2Error):
    """Too many tags."""


class UnauthorizedOperation(Ec2Error):
    """The policies of the caller do not allow this."""

    status = 403


class UnknownVolumeType(Ec2Error):
    """There is no such type of volume."""


class UnsupportedOperation(Ec2Error):
    """Something that cannot be done here."""


class VolumeInUse(Ec2Error):
    """The volume is attached to an instance."""
