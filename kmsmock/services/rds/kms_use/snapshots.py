"""What RDS does with KMS when snapshots are created, copied, restored and shared.

Source: Amazon RDS User Guide, "Copying a DB snapshot", "Restoring to a DB instance", "Sharing
encrypted snapshots"; Amazon Aurora User Guide, "Copying a DB cluster snapshot"; Amazon RDS API
Reference.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from kmsmock.aws.principals import PrincipalKind
from kmsmock.aws.secret_values import SecretBytes
from kmsmock.keys.key import KeyManager
from kmsmock.services.flows import Flow
from kmsmock.services.rds.engines import AURORA
from kmsmock.services.rds.errors import (
    InvalidParameterCombination,
    InvalidParameterValue,
    KMSKeyNotAccessibleFault,
)
from kmsmock.services.rds.kinds import CLUSTER, INSTANCE, Kind
from kmsmock.services.rds.kms_use.databases import create_storage_key
from kmsmock.services.rds.kms_use.encryption import (
    DatabaseEncryption,
    SnapshotEncryption,
    SourceSnapshot,
    context_for,
)
from kmsmock.services.rds.kms_use.keys import (
    SOURCE_KEY,
    SPECIFIED_KEY,
    create_target_grant,
    describe_target_key,
    key_not_accessible_error,
    translate_key_errors,
)
from kmsmock.services.rds.kms_use.kms_calls import (
    Context,
    DataKey,
    Grant,
    create_grant,
    decrypt_data_key,
    describe_key,
    generate_data_key,
    retire_grants,
)
from kmsmock.services.rds.presigned import require_url
from kmsmock.services.registry import ServiceCall
from kmsmock.services.storage_keys import get_key

_EVERYBODY = "all"


@dataclass(slots=True)
class CreateSnapshot(Flow):
    """CreateDBSnapshot and CreateDBClusterSnapshot. database: the encryption of the database."""

    call: ServiceCall
    database: DatabaseEncryption | None

    def request(self) -> None:
        """Describe the key, as the caller."""
        if self.database is not None:
            with translate_key_errors(SPECIFIED_KEY, self.database.key_arn):
                describe_key(self.call, self.database.key_arn)


def _data_key_of(source: SourceSnapshot) -> DataKey | None:
    return None if source.encryption is None else source.encryption.data_key


@dataclass(slots=True)
class CopySnapshot(Flow):
    """CopyDBSnapshot and CopyDBClusterSnapshot, which fail at once when a key cannot be used."""

    call: ServiceCall
    source: SourceSnapshot
    #: The encryption of the copy; None for a copy that is not encrypted.
    encryption: SnapshotEncryption | None = None
    #: The grants of RDS for the copying.
    grants: list[Grant] = field(default_factory=list)

    def request(self) -> None:
        """Describe the keys of source and copy and create grants on both, as the caller."""
        if self.source.encryption is not None:
            _require_copyable(self.call, self.source)
            key_arn = self._request_both(self.source.encryption.key_arn)
        elif "KmsKeyId" in self.call.parameters:
            key_arn = self._request_target()
        else:
            return
        self.encryption = SnapshotEncryption(key_arn)

    def _request_both(self, source_arn: str) -> str:
        call, kind = self.call, self.source.kind
        name_or_arn = call.parameters.get("KmsKeyId")
        target_arn = source_arn
        with translate_key_errors(SOURCE_KEY, source_arn):
            describe_key(call, source_arn, self.source.region)
        if name_or_arn is not None:
            target_arn = describe_target_key(call, kind.target_key, name_or_arn)
        with translate_key_errors(SOURCE_KEY, source_arn):
            self.grants.append(create_grant(call, source_arn, self._context))
        if target_arn != source_arn:
            self._create_target_grant(name_or_arn or target_arn, target_arn)
        return target_arn

    def _request_target(self) -> str:
        """Describe the key for the copy of an unencrypted snapshot, and create a grant."""
        kind, engine = self.source.kind, self.source.engine
        if kind is CLUSTER:
            raise InvalidParameterCombination(
                "KmsKeyId cannot be specified for a copy of a DB cluster snapshot that is not "
                "encrypted.",
                explanation="Call RestoreDBClusterFromSnapshot with KmsKeyId to encrypt it."
                if engine in AURORA
                else None,
            )
        name_or_arn = self.call.parameters["KmsKeyId"]
        key_arn = describe_target_key(self.call, kind.target_key, name_or_arn)
        self._create_target_grant(name_or_arn, key_arn)
        return key_arn

    def _create_target_grant(self, name_or_arn: str, key_arn: str) -> None:
        description = self.source.kind.target_key
        try:
            grant = create_target_grant(self.call, description, name_or_arn, key_arn, self._context)
        except KMSKeyNotAccessibleFault:
            self.cancel()
            raise
        self.grants.append(grant)

    @property
    def _context(self) -> Context:
        return context_for(self.source.kind, self.source.resource_id)

    def complete(self, now: datetime) -> tuple[SecretBytes | None, SecretBytes | None]:
        """Generate the data key of the copy, and decrypt it and that of the source.

        Return both plaintexts, that of the source first; None for what is not encrypted. Raises
        `KeyUnusableError`. The grants are retired in any case.
        """
        try:
            return self._data_keys(now)
        finally:
            retire_grants(self.call.backend, now, self.grants)

    def _data_keys(self, now: datetime) -> tuple[SecretBytes | None, SecretBytes | None]:
        backend = self.call.backend
        if self.encryption is None:
            return None, None
        old = _data_key_of(self.source)
        context = self._context if old is None else dict(old.context)
        new = generate_data_key(backend, now, self.encryption.key_arn, context)
        plaintexts = (
            None if old is None else decrypt_data_key(backend, now, old),
            decrypt_data_key(backend, now, new),
        )
        self.encryption = SnapshotEncryption(self.encryption.key_arn, new)
        return plaintexts

    def cancel(self) -> None:
        """Retire the grants."""
        retire_grants(self.call.backend, self.call.now, self.grants)


@dataclass(slots=True)
class RestoreDatabase(Flow):
    """RestoreDBInstanceFromDBSnapshot and RestoreDBClusterFromSnapshot."""

    call: ServiceCall
    source: SourceSnapshot
    #: The resource id of the new database.
    resource_id: str
    #: The encryption of the new database; None for one that is not encrypted.
    encryption: DatabaseEncryption | None = None
    #: The grant of RDS for the snapshot.
    source_grant: Grant | None = None

    def request(self) -> None:
        """Describe the keys and create grants on both, as the caller."""
        call, source = self.call, self.source
        source_arn = None if source.encryption is None else source.encryption.key_arn
        key_arn, name_or_arn = source_arn, call.parameters.get("KmsKeyId")
        if source_arn is not None:
            with translate_key_errors(SOURCE_KEY, source_arn):
                describe_key(call, source_arn)
        if name_or_arn is not None:
            key_arn = describe_target_key(call, SPECIFIED_KEY, name_or_arn)
        if source_arn is not None:
            with translate_key_errors(SOURCE_KEY, source_arn):
                context = context_for(source.kind, source.resource_id)
                self.source_grant = create_grant(call, source_arn, context)
        if key_arn is not None:
            self._create_target_grant(name_or_arn or key_arn, key_arn)

    def _create_target_grant(self, name_or_arn: str, key_arn: str) -> None:
        kind = self.source.kind
        context = context_for(kind, self.resource_id)
        try:
            grant = create_target_grant(self.call, SPECIFIED_KEY, name_or_arn, key_arn, context)
        except KMSKeyNotAccessibleFault:
            self._retire_source_grant(self.call.now)
            raise
        self.encryption = DatabaseEncryption(kind, context, key_arn, grant)

    def complete(self, now: datetime) -> SecretBytes | None:
        """Generate the data key of the database and decrypt it, and decrypt that of the snapshot.

        Return the plaintext of the snapshot's; None when that is not encrypted. Raises
        `KeyUnusableError`. The grant for the snapshot is retired in any case.
        """
        backend = self.call.backend
        try:
            if self.encryption is not None:
                create_storage_key(backend, now, self.encryption)
            source_key = _data_key_of(self.source)
            return None if source_key is None else decrypt_data_key(backend, now, source_key)
        finally:
            self._retire_source_grant(now)

    def cancel(self) -> None:
        """Retire the grants."""
        self._retire_source_grant(self.call.now)
        if self.encryption is not None:
            retire_grants(self.call.backend, self.call.now, self.encryption.grants)

    def _retire_source_grant(self, now: datetime) -> None:
        if self.source_grant is not None:
            retire_grants(self.call.backend, now, [self.source_grant])


def require_restorable(call: ServiceCall, source: SourceSnapshot) -> None:
    """Refuse to restore a snapshot because of its encryption, or that of the new database."""
    is_encrypted = source.encryption is not None
    if source.kind is INSTANCE and is_encrypted and source.owner != call.account:
        raise source.kind.errors.snapshot_state(
            "A DB instance cannot be restored from a DB snapshot that is both shared and "
            "encrypted.",
            explanation="Copy it first (CopyDBSnapshot with KmsKeyId), and restore from the copy.",
        )
    _refuse_root_user(call, source)
    if "KmsKeyId" in call.parameters and not is_encrypted and source.engine not in AURORA:
        raise InvalidParameterCombination(
            "KmsKeyId cannot be specified for a DB cluster snapshot that is not encrypted.",
            explanation="Only Aurora encrypts a database restored from such a snapshot.",
        )


def _require_copyable(call: ServiceCall, source: SourceSnapshot) -> None:
    """Refuse to copy an encrypted snapshot where AWS does not allow it, whatever the keys."""
    is_elsewhere, is_shared = source.region != call.region, source.owner != call.account
    if is_elsewhere and is_shared and source.kind is INSTANCE:
        raise InvalidParameterCombination(
            "An encrypted snapshot that is shared cannot be copied to another region.",
            explanation="Copy it within its Region first, then the copy to the other Region.",
        )
    if "KmsKeyId" not in call.parameters:
        if is_elsewhere:
            raise InvalidParameterValue(
                "Must specify new KMS key for cross region encrypted snapshot copy."
            )
        if is_shared:
            raise InvalidParameterValue(
                "Must specify new KMS key for shared encrypted snapshot copy.",
                explanation="Only copies of the account's own snapshots have the key of the source "
                "by default.",
            )
    if is_elsewhere:
        require_url(call, source.kind, source.region)
    _refuse_root_user(call, source)


def _refuse_root_user(call: ServiceCall, source: SourceSnapshot) -> None:
    """Refuse an encrypted snapshot of another account to the root user."""
    is_shared, encryption = source.owner != call.account, source.encryption
    if encryption is not None and is_shared and call.principal.kind is PrincipalKind.ROOT:
        raise key_not_accessible_error(
            SOURCE_KEY,
            encryption.key_arn,
            "The root user of an account cannot use what is shared and encrypted; a user or role "
            "of it can.",
        )


@dataclass(slots=True)
class ShareSnapshot(Flow):
    """ModifyDBSnapshotAttribute and ModifyDBClusterSnapshotAttribute.

    Sharing creates no grant and changes no key policy: the owner of the key must do that in KMS.
    """

    call: ServiceCall
    kind: Kind
    encryption: SnapshotEncryption | None

    def request(self) -> None:
        """Refuse to share a snapshot whose key no other account could use."""
        added = self.call.parameters.get("ValuesToAdd")
        if self.encryption is None or not added:
            return
        if _EVERYBODY in added:
            raise self.kind.errors.snapshot_state(
                "Encrypted snapshots cannot be shared publicly.",
                explanation="Share it with accounts, whose principals need the key as well.",
            )
        key = get_key(self.call.backend, self.encryption.key_arn)
        if key is not None and key.manager is KeyManager.AWS:
            raise KMSKeyNotAccessibleFault(
                "Sharing snapshots encrypted with the default service key for RDS is currently not "
                "supported.",
                explanation="No other account can ever use the AWS managed key alias/aws/rds: copy "
                f"the snapshot under a customer managed key (Copy{self.kind.snapshot} with "
                "KmsKeyId), and share the copy.",
            )
