"""The KMS calls of RDS: with the identity of its caller, then with its own by a grant.

At the time of the request RDS calls DescribeKey and CreateGrant as its caller, so that what is not
allowed shows at once. Later it generates and decrypts data keys by that grant. The volumes of
instances are those of EBS, for which RDS creates a grant.

Source: Amazon RDS User Guide, "Encrypting Amazon RDS resources", "AWS KMS key management"; AWS KMS
Developer Guide, "kms:ViaService".
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from kmsmock.aws.errors import ServiceError
from kmsmock.aws.secret_values import SecretBytes
from kmsmock.crypto.xts import KEY_BYTES
from kmsmock.services import ebs_identity
from kmsmock.services.kms_caller import KmsCaller
from kmsmock.services.registry import ServiceCall
from kmsmock.services.storage_keys import SUBSET, KeyUnusableError, call_kms, region_of
from kmsmock.state.backend import Backend

#: What CloudTrail shows as the address of RDS.
_SOURCE = "rds.amazonaws.com"
#: The operations of RDS's grants; the last ones are about the grant and those that follow it.
DATABASE_OPERATIONS = (
    *("Decrypt", "Encrypt", "GenerateDataKey", "GenerateDataKeyWithoutPlaintext"),
    *("ReEncryptFrom", "ReEncryptTo", "CreateGrant", "RetireGrant", "DescribeKey"),
)
_VOLUME = "aws:ebs:id"

Context = dict[str, str]


@dataclass(frozen=True, slots=True)
class DataKey:
    """An encrypted data key, with the encryption context that it is bound to."""

    key_arn: str
    ciphertext: bytes
    context: Context


@dataclass(frozen=True, slots=True)
class Grant:
    """A grant on a KMS key, and its grantee, who may retire it."""

    key_arn: str
    grant_id: str
    grantee: str


class UnfitKeyError(KeyUnusableError):
    """A key that exists, but cannot encrypt databases."""

    def __init__(self, why: str) -> None:
        super().__init__("DescribeKey", ServiceError(why))

    def __str__(self) -> str:
        return self.error.message or ""


def describe_key(call: ServiceCall, key: str, region: str | None = None) -> str:
    """Call DescribeKey as the caller; return the key's ARN. Raises `KeyUnusableError`.

    key: as the caller names it. region: of the key, when it is not that of the call.
    """
    caller = KmsCaller.forwarded(call, "rds", region)
    metadata = call_kms(caller, "DescribeKey", call.now, KeyId=key)["KeyMetadata"]
    if metadata["KeyState"] != "Enabled" or metadata["KeySpec"] != "SYMMETRIC_DEFAULT":
        raise UnfitKeyError(
            f"{metadata['Arn']} is a {metadata['KeySpec']} key in state {metadata['KeyState']}; "
            "RDS needs an enabled symmetric encryption key."
        )
    arn: str = metadata["Arn"]
    return arn


def create_grant(call: ServiceCall, key_arn: str, context: Context) -> Grant:
    """Create RDS's grant for one database, as the caller. Raises `KeyUnusableError`."""
    region = region_of(key_arn)
    caller = KmsCaller.forwarded(call, "rds", region)
    return _create_grant(
        caller, call.now, key_arn, context, service_principal(region), DATABASE_OPERATIONS
    )


def create_volume_grant(backend: Backend, now: datetime, key: DataKey) -> Grant:
    """Create EBS's grant to decrypt the data key of a volume, as RDS.

    Raises `KeyUnusableError`.
    """
    region = region_of(key.key_arn)
    grantee = ebs_identity.service_principal(region)
    caller = _as_service(backend, region)
    return _create_grant(caller, now, key.key_arn, key.context, grantee, ("Decrypt",))


def _create_grant(
    caller: KmsCaller,
    now: datetime,
    key_arn: str,
    context: Context,
    grantee: str,
    operations: Iterable[str],
) -> Grant:
    answer = call_kms(
        caller,
        "CreateGrant",
        now,
        KeyId=key_arn,
        GranteePrincipal=grantee,
        RetiringPrincipal=grantee,
        Operations=list(operations),
        Constraints={SUBSET: context},
    )
    return Grant(key_arn, answer["GrantId"], grantee)


def generate_data_key(backend: Backend, now: datetime, key_arn: str, context: Context) -> DataKey:
    """Generate a data key without plaintext, as RDS. Raises `KeyUnusableError`."""
    answer = call_kms(
        _as_service(backend, region_of(key_arn)),
        "GenerateDataKeyWithoutPlaintext",
        now,
        KeyId=key_arn,
        NumberOfBytes=KEY_BYTES,
        EncryptionContext=context,
    )
    return DataKey(answer["KeyId"], answer["CiphertextBlob"], context)


def decrypt_data_key(backend: Backend, now: datetime, key: DataKey) -> SecretBytes:
    """Decrypt a data key by a grant, as RDS. Raises `KeyUnusableError`."""
    return _decrypt(_as_service(backend, region_of(key.key_arn)), now, key)


def decrypt_volume_key(backend: Backend, now: datetime, key: DataKey) -> SecretBytes:
    """Decrypt the data key of a volume by a grant, as EBS. Raises `KeyUnusableError`."""
    region = region_of(key.key_arn)
    name, source = ebs_identity.service_principal(region), ebs_identity.background_source(region)
    return _decrypt(KmsCaller.as_service(backend, name, region, source), now, key)


def _decrypt(caller: KmsCaller, now: datetime, key: DataKey) -> SecretBytes:
    answer: Any = call_kms(
        caller,
        "Decrypt",
        now,
        KeyId=key.key_arn,
        CiphertextBlob=key.ciphertext,
        EncryptionContext=key.context,
    )
    plaintext: SecretBytes = answer["Plaintext"]
    return plaintext


def retire_grants(backend: Backend, now: datetime, grants: Iterable[Grant]) -> None:
    """Retire grants, each as its grantee."""
    for grant in grants:
        region = region_of(grant.key_arn)
        caller = KmsCaller.as_service(backend, grant.grantee, region, _SOURCE)
        # A grant that is not retired, or was deleted with its key, does not matter any more.
        with suppress(ServiceError):
            caller.call("RetireGrant", now, KeyId=grant.key_arn, GrantId=grant.grant_id)


def service_principal(region: str) -> str:
    """Return the service principal that is the grantee of RDS's grants."""
    return f"rds.{region}.amazonaws.com"


def volume_context(context: Context, volume_id: str) -> Context:
    """Return the encryption context of a volume. context: of its instance."""
    return {**context, _VOLUME: volume_id}


def _as_service(backend: Backend, region: str) -> KmsCaller:
    return KmsCaller.as_service(backend, service_principal(region), region, _SOURCE)
