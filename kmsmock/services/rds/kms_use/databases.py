"""What RDS does with KMS when databases are created, stopped, started and deleted.

Source: Amazon RDS User Guide, "Encrypting Amazon RDS resources"; AWS KMS Developer Guide, "How
Amazon EBS uses AWS KMS", for the volumes of instances.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from kmsmock.services.flows import Flow
from kmsmock.services.rds.kinds import INSTANCE, Kind
from kmsmock.services.rds.kms_use.encryption import (
    DatabaseEncryption,
    context_for,
    new_volume_id,
)
from kmsmock.services.rds.kms_use.keys import (
    SPECIFIED_KEY,
    create_target_grant,
    describe_target_key,
    key_not_accessible_error,
    requested_key,
    translate_key_errors,
    why_unusable,
)
from kmsmock.services.rds.kms_use.kms_calls import (
    create_volume_grant,
    decrypt_data_key,
    decrypt_volume_key,
    generate_data_key,
    retire_grants,
    volume_context,
)
from kmsmock.services.registry import ServiceCall
from kmsmock.state.backend import Backend


@dataclass(slots=True)
class CreateDatabase(Flow):
    """CreateDBInstance and CreateDBCluster. encryption: None for one that is not encrypted."""

    call: ServiceCall
    kind: Kind
    resource_id: str
    encryption: DatabaseEncryption | None = None

    def request(self) -> None:
        """Describe the key and create RDS's grant, as the caller."""
        key = self.find_key()
        if key is None:
            return
        key_arn = describe_target_key(self.call, SPECIFIED_KEY, key)
        context = context_for(self.kind, self.resource_id)
        grant = create_target_grant(self.call, SPECIFIED_KEY, key, key_arn, context)
        self.encryption = DatabaseEncryption(self.kind, context, key_arn, grant)

    def find_key(self) -> str | None:
        """Return the key to encrypt with, as requests name keys; None to encrypt nothing."""
        return requested_key(self.call, self.kind)

    def complete(self, now: datetime) -> None:
        """Generate the data key and decrypt it. Raises `KeyUnusableError`."""
        if self.encryption is not None:
            create_storage_key(self.call.backend, now, self.encryption)

    def cancel(self) -> None:
        """Retire the grant."""
        if self.encryption is not None:
            retire_grants(self.call.backend, self.call.now, self.encryption.grants)


@dataclass(slots=True)
class StopDatabase(Flow):
    """StopDBInstance and StopDBCluster."""

    call: ServiceCall
    encryption: DatabaseEncryption | None

    def complete(self, now: datetime) -> None:
        """Remove the data key from memory."""
        if self.encryption is not None:
            drop_storage_key(self.call.backend, now, self.encryption)


@dataclass(slots=True)
class StartDatabase(Flow):
    """StartDBInstance and StartDBCluster, which need a usable key."""

    call: ServiceCall
    encryption: DatabaseEncryption | None

    def request(self) -> None:
        """Decrypt the data key."""
        encryption = self.encryption
        if encryption is None:
            return
        why = why_unusable(self.call.backend, encryption)
        if why is not None:
            raise key_not_accessible_error(SPECIFIED_KEY, encryption.key_arn, why)
        with translate_key_errors(SPECIFIED_KEY, encryption.key_arn):
            decrypt_storage_key(self.call.backend, self.call.now, encryption)

    def cancel(self) -> None:
        """Remove the data key from memory."""
        if self.encryption is not None:
            drop_storage_key(self.call.backend, self.call.now, self.encryption)


@dataclass(slots=True)
class DeleteDatabase(Flow):
    """DeleteDBInstance and DeleteDBCluster."""

    call: ServiceCall
    encryption: DatabaseEncryption | None

    def complete(self, now: datetime) -> None:
        """Remove the data key from memory, and retire RDS's grant."""
        if self.encryption is not None:
            drop_storage_key(self.call.backend, now, self.encryption)
            retire_grants(self.call.backend, now, [self.encryption.grant])


def create_storage_key(backend: Backend, now: datetime, encryption: DatabaseEncryption) -> None:
    """Generate the data key of new storage, and decrypt it. Raises `KeyUnusableError`."""
    context = encryption.context
    if encryption.kind is INSTANCE:
        context = volume_context(context, new_volume_id(backend))
    encryption.data_key = generate_data_key(backend, now, encryption.key_arn, context)
    decrypt_storage_key(backend, now, encryption)


def decrypt_storage_key(backend: Backend, now: datetime, encryption: DatabaseEncryption) -> None:
    """Decrypt the data key into memory, as EBS for an instance, as RDS for a cluster.

    Raises `KeyUnusableError`.
    """
    data_key = encryption.data_key
    if data_key is None:
        return
    if encryption.kind is not INSTANCE:
        encryption.plaintext_key = decrypt_data_key(backend, now, data_key)
        return
    drop_storage_key(backend, now, encryption)
    encryption.volume_grant = create_volume_grant(backend, now, data_key)
    encryption.plaintext_key = decrypt_volume_key(backend, now, data_key)


def drop_storage_key(backend: Backend, now: datetime, encryption: DatabaseEncryption) -> None:
    """Remove the data key from memory, and retire EBS's grant; RDS's grant stays."""
    encryption.plaintext_key = None
    if encryption.volume_grant is not None:
        retire_grants(backend, now, [encryption.volume_grant])
        encryption.volume_grant = None
