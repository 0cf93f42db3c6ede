"""The encryption of databases and snapshots that were stored without a record.

It is what it would be if the mock had seen them: with a data key, and for databases with the grants
of RDS and EBS. KMS is not called for it.
"""

from __future__ import annotations

from kmsmock.aws.secret_values import SecretBytes
from kmsmock.crypto.xts import KEY_BYTES
from kmsmock.keys.key import Key
from kmsmock.services import ebs_identity
from kmsmock.services.rds.kinds import INSTANCE, Kind
from kmsmock.services.rds.kms_use.encryption import (
    DatabaseEncryption,
    SnapshotEncryption,
    context_for,
    new_volume_id,
)
from kmsmock.services.rds.kms_use.kms_calls import (
    DATABASE_OPERATIONS,
    Context,
    DataKey,
    Grant,
    service_principal,
    volume_context,
)
from kmsmock.services.unrecorded_data_keys import encrypt_given_data_key
from kmsmock.services.unrecorded_grants import add_grant
from kmsmock.state.backend import Backend


def encrypt_unrecorded_database(
    backend: Backend, kind: Kind, resource_id: str, key: Key, account: str, *, runs: bool
) -> DatabaseEncryption:
    """Return the encryption of a database. account: that it is in. runs: whether it runs."""
    context = context_for(kind, resource_id)
    of_storage = context
    if kind is INSTANCE:
        of_storage = volume_context(context, new_volume_id(backend))
    region = key.region_name
    rds, ebs = service_principal(region), ebs_identity.service_principal(region)
    grant = _add_grant(backend, key, account, rds, DATABASE_OPERATIONS, context)
    plaintext = SecretBytes(backend.entropy(KEY_BYTES))
    encryption = DatabaseEncryption(kind, context, key.arn, grant)
    encryption.data_key = _data_key(key, plaintext, of_storage)
    if runs:
        encryption.plaintext_key = plaintext
        if kind is INSTANCE:
            encryption.volume_grant = _add_grant(
                backend, key, account, ebs, ("Decrypt",), of_storage
            )
    return encryption


def encrypt_unrecorded_snapshot(
    backend: Backend, kind: Kind, resource_id: str, key: Key
) -> SnapshotEncryption:
    """Return the encryption of a snapshot. resource_id: of its database."""
    plaintext = SecretBytes(backend.entropy(KEY_BYTES))
    return SnapshotEncryption(key.arn, _data_key(key, plaintext, context_for(kind, resource_id)))


def _add_grant(
    backend: Backend,
    key: Key,
    account: str,
    grantee: str,
    operations: tuple[str, ...],
    context: Context,
) -> Grant:
    grant_id = add_grant(
        backend,
        key,
        account,
        grantee=grantee,
        retiring=grantee,
        operations=operations,
        context=context,
    )
    return Grant(key.arn, grant_id, grantee)


def _data_key(key: Key, plaintext: SecretBytes, context: Context) -> DataKey:
    return DataKey(key.arn, encrypt_given_data_key(key, plaintext, context), context)
