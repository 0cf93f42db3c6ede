"""Log groups of Amazon CloudWatch Logs under keys of KMS, which the service uses in its own name.

Source: Amazon CloudWatch Logs User Guide, "Encrypt log data in CloudWatch Logs using AWS Key
Management Service".
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

from kmsmock.arns import Arn
from kmsmock.errors import ServiceError
from kmsmock.services.beside import BesideStore, Steps
from kmsmock.services.data_key_cache import DataKeyCache
from kmsmock.services.kms_caller import KmsCaller
from kmsmock.services.kms_errors import CodedError, ErrorTemplate
from kmsmock.services.registry import ServiceCall

#: How long the service works with a data key before it calls KMS again.
_TIME = timedelta(minutes=5)


@dataclass(slots=True)
class LogGroup:
    """A log group under a key. data_keys: the ciphertexts of those that its events are under."""

    key_arn: str | None
    data_keys: dict[bytes, None] = field(default_factory=dict)


@dataclass(slots=True)
class LogGroups:
    """Log groups that are, or were, under a key, by ARN."""

    groups: dict[str, LogGroup] = field(default_factory=dict)
    cache: DataKeyCache = field(default_factory=DataKeyCache)


def _create(call: ServiceCall) -> Steps:
    key_arn = call.parameters.get("kmsKeyId")
    arn = _arn(call)
    if key_arn is not None:
        _require_usable(call, arn, key_arn)
    yield
    if key_arn is not None:
        _groups(call).groups[arn] = LogGroup(key_arn)


def _associate(call: ServiceCall) -> Steps:
    key_arn, arn = call.parameters["kmsKeyId"], _arn(call)
    _require_usable(call, arn, key_arn)
    yield
    _groups(call).groups.setdefault(arn, LogGroup(None)).key_arn = key_arn


def _disassociate(call: ServiceCall) -> Steps:
    yield
    group = _groups(call).groups.get(_arn(call))
    if group is not None:
        group.key_arn = None


def _delete(call: ServiceCall) -> Steps:
    yield
    held, arn = _groups(call), _arn(call)
    held.groups.pop(arn, None)
    held.cache.forget(arn)


def _describe(call: ServiceCall) -> Steps:
    answer = yield
    for shown in answer.get("logGroups", ()):
        group = _groups(call).groups.get(shown["arn"].removesuffix(":*"))
        if group is not None:
            shown.pop("kmsKeyId", None)
            if group.key_arn is not None:
                shown["kmsKeyId"] = group.key_arn


def _write(call: ServiceCall) -> Steps:
    held, arn = _groups(call), _arn(call)
    group = held.groups.get(arn)
    if group is not None and group.key_arn is not None:
        key_arn = group.key_arn

        def make() -> bytes:
            return _make_data_key(call, arn, key_arn)

        data_key = held.cache.get("", arn, key_arn, call.now, _TIME, make)
        group.data_keys[data_key] = None
    yield


def _read(call: ServiceCall) -> Steps:
    answer = yield
    held, arn = _groups(call), _arn(call)
    group = held.groups.get(arn)
    if group is None or not answer.get("events"):
        return
    for data_key in group.data_keys:

        def open_(data_key: bytes = data_key) -> None:
            _kms(call, arn).call(
                "Decrypt", CiphertextBlob=data_key, EncryptionContext=_context(arn)
            )

        held.cache.get("", arn, data_key, call.now, _TIME, open_)


def _require_usable(call: ServiceCall, arn: str, key_arn: str) -> None:
    """Require that the service may use a key for a log group."""
    key = Arn.parse(key_arn)
    refusal = BESIDE.errors["*"]
    if key is None or not key.resource.startswith("key/"):
        raise CodedError(
            refusal.code,
            refusal.text.format(text=f"with Arn '{arn}'"),
            explanation="kmsKeyId must be the ARN of a key: neither an id nor an alias.",
        )
    try:
        _make_data_key(call, arn, key_arn)
    except ServiceError as error:
        raise CodedError(
            refusal.code,
            refusal.text.format(text=f"with Arn '{arn}'"),
            explanation=f"{error}\n{error.explanation or ''}".strip(),
        ) from None


def _make_data_key(call: ServiceCall, arn: str, key_arn: str) -> bytes:
    made = _kms(call, arn).call(
        "GenerateDataKey", KeyId=key_arn, KeySpec="AES_256", EncryptionContext=_context(arn)
    )
    ciphertext: bytes = made["CiphertextBlob"]
    return ciphertext


def _arn(call: ServiceCall) -> str:
    named = call.parameters.get("resourceIdentifier") or call.parameters.get("logGroupIdentifier")
    if named and named.startswith("arn:"):
        return str(named).removesuffix(":*")
    name = named or call.parameters["logGroupName"]
    return f"arn:{call.partition}:logs:{call.region}:{call.account}:log-group:{name}"


def _context(arn: str) -> dict[str, str]:
    return {"aws:logs:arn": arn}


def _groups(call: ServiceCall) -> LogGroups:
    return call.backend.service_state(LogGroups)


def _kms(call: ServiceCall, arn: str) -> KmsCaller:
    name = f"logs.{call.region}.amazonaws.com"
    return KmsCaller.own(call.backend, name, call.region, source_arn=arn)


_REFUSED = ErrorTemplate(
    "InvalidParameterException",
    "The specified KMS key does not exist or is not allowed to be used {text}",
)
BESIDE = BesideStore(
    {
        "CreateLogGroup": _create,
        "AssociateKmsKey": _associate,
        "DisassociateKmsKey": _disassociate,
        "DeleteLogGroup": _delete,
        "DescribeLogGroups": _describe,
        "PutLogEvents": _write,
        "GetLogEvents": _read,
        "FilterLogEvents": _read,
    },
    {"*": _REFUSED},
)
