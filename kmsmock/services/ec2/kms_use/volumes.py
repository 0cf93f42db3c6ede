"""The KMS side of CreateVolume and CopyVolumes, in the order of the calls in CloudTrail.

KMS is called only after EC2 has answered. A volume whose key cannot be used then vanishes.

Source: Amazon EBS User Guide, "How Amazon EBS encryption works"; AWS KMS Developer Guide, "How
Amazon EBS uses AWS KMS".
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from kmsmock.aws.secret_values import SecretBytes
from kmsmock.services.ec2.errors import InvalidParameterCombination
from kmsmock.services.ec2.kms_use.kms_calls import (
    DataKey,
    as_caller,
    as_service,
    create_grant,
    decrypt_data_key,
    generate_data_key,
    grants_to_retire,
    re_encrypt,
)
from kmsmock.services.ec2.kms_use.resources import EncryptedResource, NewDataKey
from kmsmock.services.ec2.kms_use.state import settings_for
from kmsmock.services.ec2.kms_use.target_keys import is_to_be_encrypted, require_encrypted
from kmsmock.services.flows import Flow
from kmsmock.services.registry import ServiceCall
from kmsmock.services.storage_keys import SUBSET, KeyUnusableError

_VOLUMES = "ebs.amazonaws.com"
#: What has been seen to retire the grants of volumes.
_CLEANING = "AWS Internal"


class VolumeLostError(Exception):
    """A volume has vanished because its key could not be used. The message is an explanation."""


@dataclass(slots=True)
class CreateVolume(Flow):
    """A new volume."""

    call: ServiceCall
    #: The snapshot from which the volume is created.
    source: EncryptedResource | None
    #: The key in responses before the volume has a data key: as in the request, or the key of a
    #: snapshot of the account.
    known_key: str | None = None
    #: The key to encrypt with; None for a volume that is not encrypted.
    target: str | None = None

    @property
    def is_encrypted(self) -> bool:
        """Whether the volume is to be encrypted."""
        return self.target is not None

    def request(self) -> None:
        """Choose the key, without a call to KMS."""
        call, source = self.call, self.source
        self._require_consistent()
        require_encrypted(call)
        passed_on = source.key_arn if source is not None and self._is_source_own else None
        self.known_key = call.parameters.get("KmsKeyId") or passed_on
        if is_to_be_encrypted(call, source):
            # The default key is not known before it is used, and not in the answer.
            self.target = self.known_key or settings_for(call).default_key

    def complete(self, volume_id: str, now: datetime) -> NewDataKey | None:
        """Generate the data key of the volume, or re-encrypt that of its snapshot.

        Return None for a volume that is not encrypted. Raises `VolumeLostError`.
        """
        if self.target is None:
            return None
        try:
            return self._make_key(volume_id, self.target, now)
        except KeyUnusableError as reason:
            raise VolumeLostError(
                f"The volume was never created: its data key could not be generated. {reason}"
            ) from None

    def _require_consistent(self) -> None:
        """Refuse a volume that is not encrypted from a snapshot that is."""
        is_encrypted = self.source is not None and self.source.is_encrypted
        if self.call.parameters.get("Encrypted") is False and is_encrypted:
            raise InvalidParameterCombination(
                "EncryptedVolume parameter [false] is inconsistent with snapshot encryption state "
                "[true]"
            )

    @property
    def _is_source_own(self) -> bool:
        return self.source is not None and self.source.owner == self.call.account

    def _make_key(self, volume_id: str, target: str, now: datetime) -> NewDataKey:
        source_key = None if self.source is None else self.source.key
        if source_key is None:
            return _make_volume_key(self.call, now, volume_id, target, None)
        source = re_encrypt(self.call, now, source_key, target, volume_id)
        if self._is_source_own and source.key_arn == source_key.key_arn:
            # The same data key, so that the contents need not be encrypted again.
            return NewDataKey(source)
        return _make_volume_key(self.call, now, volume_id, target, source)


@dataclass(slots=True)
class CopyVolume(CreateVolume):
    """The copy of a volume, which is its source; it is encrypted if that is, whatever is requested.

    Differs from AWS: that a copy without a key of its own has the key of its source, and that it is
    made with the calls of a volume from a snapshot, is inferred from such volumes.

    Source: Amazon EC2 API Reference, CopyVolumes; Amazon EBS User Guide, "Copy an Amazon EBS
    volume".
    """

    def _require_consistent(self) -> None:
        """Accept ``Encrypted=False``, which is ignored for the copy of an encrypted volume."""


def _make_volume_key(
    call: ServiceCall, now: datetime, volume_id: str, target: str, source: DataKey | None
) -> NewDataKey:
    """Generate a data key. source: that of the snapshot, re-encrypted for the volume already."""
    key = generate_data_key(call, now, target, volume_id)
    with grants_to_retire(call.backend, now, _CLEANING) as grants:
        grants.append(create_grant(as_caller(call, call.region), now, key, SUBSET))
        return NewDataKey(
            key,
            _decrypt(call, now, key),
            None if source is None else _decrypt(call, now, source),
        )


def _decrypt(call: ServiceCall, now: datetime, key: DataKey) -> SecretBytes:
    caller = as_service(call.backend, key.region, _VOLUMES)
    return decrypt_data_key(caller, now, key, names_key=False)
