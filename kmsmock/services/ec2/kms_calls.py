"""The single KMS calls of EC2 and EBS: with the identity of their caller, or by a grant."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from kmsmock.arns import Arn
from kmsmock.backend import Backend
from kmsmock.crypto.xts import KEY_BYTES
from kmsmock.errors import ServiceError
from kmsmock.services.kms_caller import KmsCaller
from kmsmock.services.registry import ServiceCall

#: What CloudTrail shows as the address of EC2, at the time of a request.
FRONTEND = "ec2-frontend-api.amazonaws.com"
#: How a grant can bind what it allows to an encryption context.
EQUALS, SUBSET = "EncryptionContextEquals", "EncryptionContextSubset"


@dataclass(frozen=True, slots=True)
class DataKey:
    """A sealed data key. bound_to: the volume or snapshot in its encryption context.

    id: of the data key itself, which it keeps when it is sealed anew.
    """

    key_arn: str
    sealed: bytes
    bound_to: str
    id: str

    @property
    def context(self) -> dict[str, str]:
        """The encryption context that the data key is bound to."""
        return context_of(self.bound_to)

    @property
    def region(self) -> str:
        """The Region of the KMS key."""
        return region_of(self.key_arn)


class KeyUnusableError(Exception):
    """KMS has refused a call. operation: of KMS. error: its answer."""

    def __init__(self, operation: str, error: ServiceError) -> None:
        super().__init__(operation, error)
        self.operation = operation
        self.error = error

    def __str__(self) -> str:
        text = f"kms:{self.operation} was refused with {self.error}"
        explanation = self.error.explanation
        return text if explanation is None else f"{text}\n{explanation}"


@dataclass(frozen=True, slots=True)
class Grant:
    """What EBS is given to open one data key."""

    key: DataKey
    grant_id: str


def region_of(key_arn: str) -> str:
    """Give the Region of a KMS key."""
    arn = Arn.parse(key_arn)
    assert arn is not None
    return arn.region


def as_caller(call: ServiceCall, region: str, source: str = FRONTEND) -> KmsCaller:
    """Call KMS with the identity of the caller of EC2. source: what CloudTrail shows as address."""
    return KmsCaller.forwarded(call, "ec2", source, region)


def as_service(backend: Backend, region: str, source: str | None = None) -> KmsCaller:
    """Call KMS as EC2 itself, by a grant."""
    return KmsCaller.own(backend, service_name(region), region, source or background_name(region))


def background_name(region: str) -> str:
    """Give what CloudTrail shows as the address of EBS, when it works later."""
    return f"prod.kms-caller.ebs.{region}.amazonaws.com"


def service_name(region: str) -> str:
    """Give the service principal that is given grants."""
    return f"ec2.{region}.amazonaws.com"


def context_of(resource_id: str) -> dict[str, str]:
    """Give the encryption context of a volume or snapshot."""
    return {"aws:ebs:id": resource_id}


def call_kms(caller: KmsCaller, operation: str, now: datetime, **parameters: Any) -> Any:
    """Call KMS; raises `KeyUnusableError`."""
    try:
        return caller.call(operation, now, **parameters)
    except ServiceError as error:
        raise KeyUnusableError(operation, error) from None


def new_data_key(call: ServiceCall, now: datetime, target: str, resource_id: str) -> DataKey:
    """Have a data key made and sealed. target: the KMS key."""
    answer = call_kms(
        as_caller(call, call.region),
        "GenerateDataKeyWithoutPlaintext",
        now,
        KeyId=target,
        NumberOfBytes=KEY_BYTES,
        EncryptionContext=context_of(resource_id),
    )
    return DataKey(answer["KeyId"], answer["CiphertextBlob"], resource_id, call.backend.new_uuid())


def lend(caller: KmsCaller, now: datetime, key: DataKey, constraint: str) -> Grant:
    """Let EBS open a data key. constraint: how strictly the grant is bound to its context."""
    service = service_name(key.region)
    answer = call_kms(
        caller,
        "CreateGrant",
        now,
        KeyId=key.key_arn,
        GranteePrincipal=service,
        RetiringPrincipal=service,
        Operations=["Decrypt"],
        Constraints={constraint: key.context},
    )
    return Grant(key, answer["GrantId"])


def open_data_key(
    backend: Backend,
    now: datetime,
    key: DataKey,
    source: str | None = None,
    *,
    names_key: bool = True,
) -> bytes:
    """Open a data key by a grant; gives its 64 bytes. names_key: whether the call has a KeyId."""
    named = {"KeyId": key.key_arn} if names_key else {}
    answer = call_kms(
        as_service(backend, key.region, source),
        "Decrypt",
        now,
        CiphertextBlob=key.sealed,
        EncryptionContext=key.context,
        **named,
    )
    plaintext: bytes = answer["Plaintext"]
    return plaintext


@contextmanager
def grants_of(backend: Backend, now: datetime, source: str | None = None) -> Iterator[list[Grant]]:
    """Collect grants, which are retired at the end, whether all went well or not."""
    grants: list[Grant] = []
    try:
        yield grants
    finally:
        for grant in grants:
            retire(backend, now, grant, source)


def retire(backend: Backend, now: datetime, grant: Grant, source: str | None) -> None:
    """End a grant, as the one who may retire it."""
    caller = as_service(backend, grant.key.region, source)
    # A grant that is left over, or went with its key, changes nothing about what was done.
    with suppress(ServiceError):
        caller.call("RetireGrant", now, KeyId=grant.key.key_arn, GrantId=grant.grant_id)
