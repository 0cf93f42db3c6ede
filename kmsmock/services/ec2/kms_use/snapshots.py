"""The KMS side of CopySnapshot, in the order of the calls in CloudTrail.

At the time of the request EC2 calls with the identity of its caller; later EBS calls with the same
identity, or in its own name by a grant that the caller's identity has made for it. CreateSnapshot
and CreateSnapshots make no call: such a snapshot has the data key of its volume.

Source: Amazon EBS User Guide, "How Amazon EBS encryption works"; AWS KMS Developer Guide, "How
Amazon EBS uses AWS KMS"; Amazon EC2 API Reference, CopySnapshot.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from kmsmock.aws.secret_values import SecretBytes
from kmsmock.services.ebs_identity import background_source
from kmsmock.services.ec2.errors import IncorrectState
from kmsmock.services.ec2.kms_use.kms_calls import (
    DataKey,
    as_caller,
    as_service,
    create_grant,
    decrypt_data_key,
    generate_data_key,
    grants_to_retire,
)
from kmsmock.services.ec2.kms_use.resources import EncryptedResource, NewDataKey, SourceSnapshot
from kmsmock.services.ec2.kms_use.state import settings_for
from kmsmock.services.ec2.kms_use.target_keys import (
    describe_target_key,
    is_to_be_encrypted,
    require_encrypted,
)
from kmsmock.services.flows import Flow
from kmsmock.services.registry import ServiceCall
from kmsmock.services.storage_keys import EQUALS, KeyUnusableError

_KEY_MESSAGE = "Given key ID is not accessible"
_INCOMPLETE_MESSAGE = "Source snapshot is not complete"


class CopyFailedError(Exception):
    """A copy is in state error. message: its StateMessage. why: the explanation."""

    def __init__(self, message: str, why: str) -> None:
        super().__init__(message, why)
        self.message = message
        self.why = why


def require_completed(snapshot: SourceSnapshot, waiting: str | None = None) -> None:
    """Require a snapshot from which volumes and images can be created.

    waiting: how to wait for a pending one, for the explanation.
    """
    if snapshot.state != "completed":
        raise IncorrectState(
            f"Snapshot is in invalid state - {snapshot.state}",
            explanation=waiting or snapshot.state_message,
        )


def copy_of_incomplete(snapshot_id: str, snapshot: SourceSnapshot) -> CopyFailedError:
    """Return the failure of a copy whose source is pending or in state error; no key is used."""
    why = f"{snapshot_id} was {snapshot.state} when the copy began."
    return CopyFailedError(_INCOMPLETE_MESSAGE, f"{_INCOMPLETE_MESSAGE}: {why}")


@dataclass(slots=True)
class CopySnapshot(Flow):
    """The copy of a snapshot."""

    call: ServiceCall
    #: The source snapshot; None if the caller has no access to it.
    source: EncryptedResource | None
    #: The ARN of the key to encrypt with, which `request` sets; None for a copy that is not
    #: encrypted.
    target_arn: str | None = None

    def request(self) -> None:
        """Describe the target key."""
        require_encrypted(self.call)
        self.describe_target_key()

    def describe_target_key(self, now: datetime | None = None) -> None:
        """Describe the target key, which is never that of the source by default.

        Raises what EC2 answers with when it cannot be used.
        """
        if is_to_be_encrypted(self.call, self.source):
            key = self.call.parameters.get("KmsKeyId") or settings_for(self.call).default_key
            self.target_arn = describe_target_key(self.call, key, now)

    def complete(self, snapshot_id: str, now: datetime) -> NewDataKey | None:
        """Generate the data key of the copy, and decrypt it and that of the source.

        Return None for a copy that is not encrypted. Raises `CopyFailedError`.
        """
        if self.target_arn is None:
            return None
        source_key = None if self.source is None else self.source.key
        try:
            return _copy_key(self.call, now, snapshot_id, self.target_arn, source_key)
        except KeyUnusableError as reason:
            raise CopyFailedError(_KEY_MESSAGE, f"{_KEY_MESSAGE}: {reason}") from None


def _copy_key(
    call: ServiceCall, now: datetime, snapshot_id: str, target: str, source: DataKey | None
) -> NewDataKey:
    key = generate_data_key(call, now, target, snapshot_id)
    with grants_to_retire(call.backend, now) as grants:
        grants.append(create_grant(as_caller(call, call.region), now, key, EQUALS))
        if source is not None:
            background = as_caller(call, source.region, background_source(source.region))
            grants.append(create_grant(background, now, source, EQUALS))
        return NewDataKey(
            key,
            _decrypt(call, now, key),
            None if source is None else _decrypt(call, now, source),
        )


def _decrypt(call: ServiceCall, now: datetime, key: DataKey) -> SecretBytes:
    return decrypt_data_key(as_service(call.backend, key.region), now, key, names_key=True)
