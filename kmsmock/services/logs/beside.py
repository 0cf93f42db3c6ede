"""Beside what stores log groups: their events are encrypted under keys of KMS."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial

from kmsmock.aws.arns import looks_like_arn
from kmsmock.services.beside import BesideStore, Steps
from kmsmock.services.data_key_cache import DataKeyCache
from kmsmock.services.logs.kms_use import (
    ERRORS,
    decrypt_data_key,
    generate_data_key,
    require_usable_key,
)
from kmsmock.services.registry import ServiceCall

#: How long the service works with a data key before it calls KMS again.
_DATA_KEY_LIFETIME = timedelta(minutes=5)
#: The service asks KMS for itself, whoever writes or reads.
_SERVICE = ""


@dataclass(slots=True)
class LogGroup:
    """A log group with a key. data_keys: the ciphertexts of those that its events are under."""

    key_arn: str | None
    data_keys: dict[bytes, None] = field(default_factory=dict)


@dataclass(slots=True)
class LogGroups:
    """Log groups that have, or had, a key, by ARN."""

    groups: dict[str, LogGroup] = field(default_factory=dict)
    cache: DataKeyCache = field(default_factory=DataKeyCache)


def _create_log_group(call: ServiceCall) -> Steps:
    key_arn = call.parameters.get("kmsKeyId")
    arn = _arn(call)
    if key_arn is not None:
        require_usable_key(call, arn, key_arn)
    yield
    if key_arn is not None:
        _groups(call).groups[arn] = LogGroup(key_arn)


def _associate_kms_key(call: ServiceCall) -> Steps:
    key_arn, arn = call.parameters["kmsKeyId"], _arn(call)
    require_usable_key(call, arn, key_arn)
    yield
    _groups(call).groups.setdefault(arn, LogGroup(None)).key_arn = key_arn


def _disassociate_kms_key(call: ServiceCall) -> Steps:
    yield
    group = _groups(call).groups.get(_arn(call))
    if group is not None:
        group.key_arn = None


def _delete_log_group(call: ServiceCall) -> Steps:
    yield
    state, arn = _groups(call), _arn(call)
    state.groups.pop(arn, None)
    state.cache.forget(arn)


def _describe_log_groups(call: ServiceCall) -> Steps:
    answer = yield
    for description in answer.get("logGroups", ()):
        group = _groups(call).groups.get(description["arn"].removesuffix(":*"))
        if group is not None:
            description.pop("kmsKeyId", None)
            if group.key_arn is not None:
                description["kmsKeyId"] = group.key_arn


def _put_log_events(call: ServiceCall) -> Steps:
    state, arn = _groups(call), _arn(call)
    group = state.groups.get(arn)
    if group is not None and group.key_arn is not None:
        key_arn = group.key_arn
        generate = partial(generate_data_key, call, arn, key_arn)
        data_key = state.cache.get(_SERVICE, arn, key_arn, call.now, _DATA_KEY_LIFETIME, generate)
        group.data_keys[data_key] = None
    yield


def _read_events(call: ServiceCall) -> Steps:
    answer = yield
    state, arn = _groups(call), _arn(call)
    group = state.groups.get(arn)
    if group is None or not answer.get("events"):
        return
    for data_key in group.data_keys:
        decrypt = partial(decrypt_data_key, call, arn, data_key)
        state.cache.get(_SERVICE, arn, data_key, call.now, _DATA_KEY_LIFETIME, decrypt)


def _arn(call: ServiceCall) -> str:
    named = call.parameters.get("resourceIdentifier") or call.parameters.get("logGroupIdentifier")
    if named and looks_like_arn(named):
        return str(named).removesuffix(":*")
    name = named or call.parameters["logGroupName"]
    return call.arn("logs", f"log-group:{name}")


def _groups(call: ServiceCall) -> LogGroups:
    return call.backend.service_state(LogGroups)


BESIDE = BesideStore(
    {
        "CreateLogGroup": _create_log_group,
        "AssociateKmsKey": _associate_kms_key,
        "DisassociateKmsKey": _disassociate_kms_key,
        "DeleteLogGroup": _delete_log_group,
        "DescribeLogGroups": _describe_log_groups,
        "PutLogEvents": _put_log_events,
        "GetLogEvents": _read_events,
        "FilterLogEvents": _read_events,
    },
    ERRORS,
)
