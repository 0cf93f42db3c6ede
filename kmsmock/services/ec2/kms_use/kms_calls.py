"""The single KMS calls of EC2 and EBS: with the identity of their caller, or by a grant."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime

from kmsmock.aws.errors import ServiceError
from kmsmock.aws.secret_values import SecretBytes
from kmsmock.crypto.xts import KEY_BYTES
from kmsmock.services.ebs_identity import background_source, service_principal
from kmsmock.services.kms_caller import KmsCaller
from kmsmock.services.registry import ServiceCall
from kmsmock.services.storage_keys import call_kms, region_of
from kmsmock.state.backend import Backend

#: What CloudTrail shows as the address of EC2, at the time of a request.
FRONTEND = "ec2-frontend-api.amazonaws.com"


@dataclass(frozen=True, slots=True)
class DataKey:
    """An encrypted data key."""

    #: The ARN of the KMS key.
    key_arn: str
    ciphertext: bytes
    #: The volume or snapshot in its encryption context.
    bound_to: str
    #: The id of the data key, which it keeps when it is re-encrypted.
    id: str

    @property
    def context(self) -> dict[str, str]:
        """The encryption context that the data key is bound to."""
        return context_of(self.bound_to)

    @property
    def region(self) -> str:
        """The Region of the KMS key."""
        return region_of(self.key_arn)


@dataclass(frozen=True, slots=True)
class Grant:
    """A grant on the KMS key of one data key."""

    key: DataKey
    grant_id: str


def as_caller(call: ServiceCall, region: str, source: str = FRONTEND) -> KmsCaller:
    """Return a caller of KMS with the identity of the caller of EC2.

    source: in CloudTrail, see `KmsCaller`.
    """
    return KmsCaller.forwarded(call, "ec2", region, source)


def as_service(backend: Backend, region: str, source: str | None = None) -> KmsCaller:
    """Return a caller of KMS with the identity of EC2, which a grant authorizes."""
    return KmsCaller.as_service(
        backend, service_principal(region), region, source or background_source(region)
    )


def context_of(resource_id: str) -> dict[str, str]:
    """Return the encryption context of a volume or snapshot."""
    return {"aws:ebs:id": resource_id}


def generate_data_key(call: ServiceCall, now: datetime, target: str, resource_id: str) -> DataKey:
    """Generate a data key as the caller. target: the KMS key. Raises `KeyUnusableError`."""
    answer = call_kms(
        as_caller(call, call.region),
        "GenerateDataKeyWithoutPlaintext",
        now,
        KeyId=target,
        NumberOfBytes=KEY_BYTES,
        EncryptionContext=context_of(resource_id),
    )
    return DataKey(answer["KeyId"], answer["CiphertextBlob"], resource_id, call.backend.new_uuid())


def re_encrypt(
    call: ServiceCall, now: datetime, key: DataKey, target: str, resource_id: str
) -> DataKey:
    """Re-encrypt a data key for another resource, as the caller. Raises `KeyUnusableError`.

    target: the KMS key to encrypt under, which may be the same.
    """
    answer = call_kms(
        as_caller(call, call.region),
        "ReEncrypt",
        now,
        CiphertextBlob=key.ciphertext,
        SourceEncryptionContext=key.context,
        DestinationKeyId=target,
        DestinationEncryptionContext=context_of(resource_id),
    )
    return DataKey(answer["KeyId"], answer["CiphertextBlob"], resource_id, key.id)


def create_grant(
    caller: KmsCaller, now: datetime, key: DataKey, constraint: str, grantee: str | None = None
) -> Grant:
    """Create the grant under which EBS, or another grantee, may decrypt a data key.

    constraint: `EQUALS` or `SUBSET`, how the grant is bound to the encryption context of the data
    key. grantee: EBS when left out. Raises `KeyUnusableError`.
    """
    service = service_principal(key.region)
    answer = call_kms(
        caller,
        "CreateGrant",
        now,
        KeyId=key.key_arn,
        GranteePrincipal=grantee or service,
        RetiringPrincipal=service,
        Operations=["Decrypt"],
        Constraints={constraint: key.context},
    )
    return Grant(key, answer["GrantId"])


def decrypt_data_key(
    caller: KmsCaller, now: datetime, key: DataKey, *, names_key: bool
) -> SecretBytes:
    """Decrypt a data key by a grant; return its 64 bytes. Raises `KeyUnusableError`.

    names_key: whether the call has a KeyId.
    """
    key_id = {"KeyId": key.key_arn} if names_key else {}
    answer = call_kms(
        caller,
        "Decrypt",
        now,
        CiphertextBlob=key.ciphertext,
        EncryptionContext=key.context,
        **key_id,
    )
    plaintext: SecretBytes = answer["Plaintext"]
    return plaintext


@contextmanager
def grants_to_retire(
    backend: Backend, now: datetime, source: str | None = None
) -> Iterator[list[Grant]]:
    """Collect grants, which are retired at the end of the block, also after an exception."""
    grants: list[Grant] = []
    try:
        yield grants
    finally:
        for grant in grants:
            retire_grant(backend, now, grant, source)


def retire_grant(backend: Backend, now: datetime, grant: Grant, source: str | None = None) -> None:
    """Retire a grant as EC2, its retiring principal."""
    caller = as_service(backend, grant.key.region, source)
    # A grant that is not retired, or was deleted with its key, does not matter any more.
    with suppress(ServiceError):
        caller.call("RetireGrant", now, KeyId=grant.key.key_arn, GrantId=grant.grant_id)
