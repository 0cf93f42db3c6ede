"""CloudWatch Logs beside another store: log events are encrypted with KMS keys."""

from __future__ import annotations

from kmsmock.aws.arns import looks_like_arn
from kmsmock.services.beside import BesideStore, Steps
from kmsmock.services.logs.kms_use import (
    ERRORS,
    data_key_for_events,
    decrypt_data_key,
    require_usable_key,
)
from kmsmock.services.logs.state import LogGroup, log_groups_of
from kmsmock.services.registry import ServiceCall


def _create_log_group(call: ServiceCall) -> Steps:
    key_arn = call.parameters.get("kmsKeyId")
    arn = _arn(call)
    if key_arn is not None:
        require_usable_key(call, arn, key_arn)
    yield
    if key_arn is not None:
        log_groups_of(call).groups[arn] = LogGroup(key_arn)


def _associate_kms_key(call: ServiceCall) -> Steps:
    key_arn, arn = call.parameters["kmsKeyId"], _arn(call)
    require_usable_key(call, arn, key_arn)
    yield
    log_groups_of(call).groups.setdefault(arn, LogGroup(None)).key_arn = key_arn


def _disassociate_kms_key(call: ServiceCall) -> Steps:
    yield
    group = log_groups_of(call).groups.get(_arn(call))
    if group is not None:
        group.key_arn = None


def _delete_log_group(call: ServiceCall) -> Steps:
    yield
    state, arn = log_groups_of(call), _arn(call)
    state.groups.pop(arn, None)
    state.cache.forget(arn)


def _describe_log_groups(call: ServiceCall) -> Steps:
    answer = yield
    for description in answer.get("logGroups", ()):
        group = log_groups_of(call).groups.get(description["arn"].removesuffix(":*"))
        if group is not None:
            description.pop("kmsKeyId", None)
            if group.key_arn is not None:
                description["kmsKeyId"] = group.key_arn


def _put_log_events(call: ServiceCall) -> Steps:
    arn = _arn(call)
    group = log_groups_of(call).groups.get(arn)
    if group is not None and group.key_arn is not None:
        group.data_keys[data_key_for_events(call, arn, group.key_arn)] = None
    yield


def _read_events(call: ServiceCall) -> Steps:
    answer = yield
    arn = _arn(call)
    group = log_groups_of(call).groups.get(arn)
    if group is None or not answer.get("events"):
        return
    for data_key in group.data_keys:
        decrypt_data_key(call, arn, data_key)


def _arn(call: ServiceCall) -> str:
    """Return the ARN of the log group that a call names."""
    identifier = call.parameters.get("resourceIdentifier") or call.parameters.get(
        "logGroupIdentifier"
    )
    if identifier and looks_like_arn(identifier):
        return str(identifier).removesuffix(":*")
    name = identifier or call.parameters["logGroupName"]
    return call.arn("logs", f"log-group:{name}")


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
    data_operations=("PutLogEvents", "CreateLogStream", "FilterLogEvents"),
)
