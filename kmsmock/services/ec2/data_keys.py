"""The KMS calls that EC2 and EBS make, in the order in which CloudTrail has shown them.

At the time of the request EC2 calls with the identity of its caller; later EBS calls with the same
identity, or in its own name by a grant that the caller's identity has made for it.

Source: Amazon EBS User Guide, "How Amazon EBS encryption works"; AWS KMS Developer Guide, "How
Amazon EBS uses AWS KMS".
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from kmsmock.arns import Arn
from kmsmock.backend import Backend
from kmsmock.crypto.xts import KEY_BYTES
from kmsmock.errors import AccessDeniedException, ServiceError
from kmsmock.services.ec2.errors import AuthFailure, InternalError, InvalidParameterValue
from kmsmock.services.kms_caller import KmsCaller
from kmsmock.services.registry import ServiceCall

#: The AWS managed key of EBS.
DEFAULT_KEY = "alias/aws/ebs"
_FRONTEND = "ec2-frontend-api.amazonaws.com"
_VOLUMES = "ebs.amazonaws.com"
#: What has been seen to retire the grants of volumes.
_CLEANING = "AWS Internal"
_EQUALS, _SUBSET = "EncryptionContextEquals", "EncryptionContextSubset"


@dataclass(frozen=True, slots=True)
class DataKey:
    """A sealed data key. bound_to: the volume or snapshot in its encryption context."""

    key_arn: str
    sealed: bytes
    bound_to: str

    @property
    def context(self) -> dict[str, str]:
        """The encryption context that the data key is bound to."""
        return _context(self.bound_to)

    @property
    def region(self) -> str:
        """The Region of the KMS key."""
        return region_of(self.key_arn)


class KeyUnusable(Exception):
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
class _Grant:
    """What EBS is given to open one data key."""

    key: DataKey
    grant_id: str


def region_of(key_arn: str) -> str:
    """Give the Region of a KMS key."""
    arn = Arn.parse(key_arn)
    assert arn is not None
    return arn.region


def describe_target(call: ServiceCall, key: str) -> str:
    """Look at the key that something is to be encrypted under; gives its ARN.

    key: as the caller names it. Raises AuthFailure when the caller may not look at it,
    InvalidParameterValue when it cannot be used.
    """
    try:
        metadata = _as_caller(call, call.region).call("DescribeKey", KeyId=key)["KeyMetadata"]
    except AccessDeniedException as error:
        raise AuthFailure(
            f"Not authorized to use key {key} ", explanation=str(KeyUnusable("DescribeKey", error))
        ) from None
    except ServiceError as error:
        reason = str(KeyUnusable("DescribeKey", error))
        if error.status >= 500:
            raise InternalError("An internal error has occurred", explanation=reason) from None
        raise InvalidParameterValue(
            f"The specified keyId {key} is invalid", explanation=reason
        ) from None
    if metadata["KeyState"] == "Disabled":
        raise InvalidParameterValue(f"The specified keyId {key} is disabled")
    if metadata["KeyState"] != "Enabled" or metadata["KeySpec"] != "SYMMETRIC_DEFAULT":
        raise InvalidParameterValue(
            f"The specified keyId {key} is invalid",
            explanation=f"It is a {metadata['KeySpec']} key in state {metadata['KeyState']}; EBS "
            "needs an enabled symmetric encryption key.",
        )
    arn: str = metadata["Arn"]
    return arn


def describe_default_key(call: ServiceCall) -> str | None:
    """Look at the AWS managed key, as sharing does; gives its ARN, None if that is refused."""
    try:
        answer = _as_caller(call, call.region).call("DescribeKey", KeyId=DEFAULT_KEY)
    except ServiceError:
        return None
    arn: str = answer["KeyMetadata"]["Arn"]
    return arn


@contextmanager
def opened_for_copy(
    call: ServiceCall, now: datetime, snapshot_id: str, target: str, source: DataKey | None
) -> Iterator[tuple[DataKey, bytes, bytes | None]]:
    """Make the data key of a copied snapshot, and open it and that of its source.

    target: ARN of the key to encrypt under. source: None when the source is not encrypted. Gives
    the new data key, its plaintext and that of the source. Raises `KeyUnusable`.
    """
    key = _new_data_key(call, now, target, snapshot_id)
    with _grants(call.backend, now) as grants:
        grants.append(_lend(_as_caller(call, call.region), now, key, _EQUALS))
        if source is not None:
            as_caller = _as_caller(call, source.region, _background(source.region))
            grants.append(_lend(as_caller, now, source, _EQUALS))
        yield (
            key,
            _open(call.backend, now, key),
            None if source is None else _open(call.backend, now, source),
        )


@contextmanager
def opened_for_volume(
    call: ServiceCall, now: datetime, volume_id: str, target: str, source: DataKey | None = None
) -> Iterator[tuple[DataKey, bytes, bytes | None]]:
    """Make the data key of a volume, and open it and that of its snapshot.

    source: the snapshot's data key, sealed for the volume already. Otherwise as `opened_for_copy`.
    """
    key = _new_data_key(call, now, target, volume_id)
    with _grants(call.backend, now, _CLEANING) as grants:
        grants.append(_lend(_as_caller(call, call.region), now, key, _SUBSET))
        yield (
            key,
            _open(call.backend, now, key, _VOLUMES, names_key=False),
            None if source is None else _open(call.backend, now, source, _VOLUMES, names_key=False),
        )


def seal_for_volume(
    call: ServiceCall, now: datetime, volume_id: str, target: str, source: DataKey
) -> DataKey:
    """Seal the data key of a snapshot for a volume, under the same or another key."""
    answer = _call(
        _as_caller(call, call.region),
        "ReEncrypt",
        now,
        CiphertextBlob=source.sealed,
        SourceEncryptionContext=source.context,
        DestinationKeyId=target,
        DestinationEncryptionContext=_context(volume_id),
    )
    return DataKey(answer["KeyId"], answer["CiphertextBlob"], volume_id)


# --- the single calls ------------------------------------------------------------------------


def _as_caller(call: ServiceCall, region: str, source: str = _FRONTEND) -> KmsCaller:
    return KmsCaller.forwarded(call, "ec2", source, region)


def _as_service(backend: Backend, region: str, source: str | None = None) -> KmsCaller:
    return KmsCaller.own(backend, _service(region), region, source or _background(region))


def _background(region: str) -> str:
    return f"prod.kms-caller.ebs.{region}.amazonaws.com"


def _service(region: str) -> str:
    return f"ec2.{region}.amazonaws.com"


def _context(resource_id: str) -> dict[str, str]:
    return {"aws:ebs:id": resource_id}


def _call(caller: KmsCaller, operation: str, now: datetime, **parameters: Any) -> Any:
    try:
        return caller.call(operation, now, **parameters)
    except ServiceError as error:
        raise KeyUnusable(operation, error) from None


def _new_data_key(call: ServiceCall, now: datetime, target: str, resource_id: str) -> DataKey:
    answer = _call(
        _as_caller(call, call.region),
        "GenerateDataKeyWithoutPlaintext",
        now,
        KeyId=target,
        NumberOfBytes=KEY_BYTES,
        EncryptionContext=_context(resource_id),
    )
    return DataKey(answer["KeyId"], answer["CiphertextBlob"], resource_id)


def _lend(caller: KmsCaller, now: datetime, key: DataKey, constraint: str) -> _Grant:
    service = _service(key.region)
    answer = _call(
        caller,
        "CreateGrant",
        now,
        KeyId=key.key_arn,
        GranteePrincipal=service,
        RetiringPrincipal=service,
        Operations=["Decrypt"],
        Constraints={constraint: key.context},
    )
    return _Grant(key, answer["GrantId"])


def _open(
    backend: Backend,
    now: datetime,
    key: DataKey,
    source: str | None = None,
    *,
    names_key: bool = True,
) -> bytes:
    named = {"KeyId": key.key_arn} if names_key else {}
    answer = _call(
        _as_service(backend, key.region, source),
        "Decrypt",
        now,
        CiphertextBlob=key.sealed,
        EncryptionContext=key.context,
        **named,
    )
    plaintext: bytes = answer["Plaintext"]
    return plaintext


@contextmanager
def _grants(backend: Backend, now: datetime, source: str | None = None) -> Iterator[list[_Grant]]:
    """Collect grants, which are retired at the end, whether all went well or not."""
    grants: list[_Grant] = []
    try:
        yield grants
    finally:
        for grant in grants:
            _retire(backend, now, grant, source)


def _retire(backend: Backend, now: datetime, grant: _Grant, source: str | None) -> None:
    caller = _as_service(backend, grant.key.region, source)
    # A grant that is left over, or went with its key, changes nothing about what was done.
    with suppress(ServiceError):
        caller.call("RetireGrant", now, KeyId=grant.key.key_arn, GrantId=grant.grant_id)
