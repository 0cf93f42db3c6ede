"""The KMS side of CopyImage, which copies the snapshots of an image after EC2 has answered.

Source: Amazon EC2 API Reference, CopyImage.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from kmsmock.services.ec2.errors import Ec2Error, InvalidRequest
from kmsmock.services.ec2.kms_use.resources import EncryptedResource, NewDataKey
from kmsmock.services.ec2.kms_use.snapshots import CopyFailedError, CopySnapshot
from kmsmock.services.ec2.kms_use.target_keys import require_encrypted
from kmsmock.services.flows import Flow
from kmsmock.services.registry import ServiceCall

#: The code of why an image is in state failed.
FAILURE_CODE = "Client.InternalError"
_FAILED = "AMI snapshot copy failed with error: "
_DEFAULT_CMK = ". You must have DescribeKey permissions on the default CMK"


@dataclass(slots=True)
class CopyImage(Flow):
    """The copy of an image, with a flow for each of its snapshots."""

    call: ServiceCall
    #: The snapshots of the source image by id; None for one that is not encrypted.
    snapshots: Mapping[str, EncryptedResource | None]

    def request(self) -> None:
        """Require valid encryption parameters; the key is not described yet.

        Raises InvalidRequest, with a text that AWS has been seen to answer with, when an encrypted
        snapshot is to have a copy that is not encrypted; CopySnapshot ignores such a request.
        """
        require_encrypted(self.call)
        if self.call.parameters.get("Encrypted") is not False:
            return
        for snapshot_id, snapshot in self.snapshots.items():
            if snapshot is not None and snapshot.is_encrypted:
                raise InvalidRequest(
                    f"Snapshot {snapshot_id} is encrypted. Creating unencrypted copy from an "
                    "encrypted snapshot is not supported."
                )

    def copy_snapshot(self, source: EncryptedResource | None) -> CopyImageSnapshot:
        """Return the flow of one snapshot, of which only ``complete`` is run."""
        return CopyImageSnapshot(self.call, source)


@dataclass(slots=True)
class CopyImageSnapshot(CopySnapshot):
    """The copy of one snapshot of an image; when it fails, the image fails."""

    def request(self) -> None:
        """Do nothing: EC2 has answered CopyImage already."""

    def complete(self, snapshot_id: str, now: datetime) -> NewDataKey | None:
        """Describe the target key, and do what CopySnapshot does after its answer."""
        try:
            self.describe_target_key(now)
        except Ec2Error as error:
            why = f"{error}\n{error.explanation or ''}".rstrip()
            raise CopyFailedError(f"{_FAILED}{error.message or error.code}", why) from None
        try:
            return CopySnapshot.complete(self, snapshot_id, now)
        except CopyFailedError as failure:
            raise CopyFailedError(
                f"{_FAILED}{failure.message}{_DEFAULT_CMK}", failure.why
            ) from None
