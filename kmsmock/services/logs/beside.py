"""CloudWatch Logs beside another store: log events are encrypted with KMS keys."""

from __future__ import annotations

from collections.abc import Iterator

from kmsmock.aws.arns import looks_like_arn
from kmsmock.services.beside import BesideStore, Steps
from kmsmock.services.logs.kms_use import (
    ERRORS,
    data_key_for_events,
    decrypt_data_key,
    require_usable_key,
)
from kmsmock.services.logs.state import QUERY_RESULTS, LogGroup, get_group, log_groups_of
from kmsmock.services.registry import ServiceCall


def _create_log_group(call: ServiceCall) -> Steps:
    key_arn = call.parameters.get("kmsKeyId")
    arn = _arn(call)
    if key_arn is not None:
        require_usable_key(call, arn, key_arn)
    yield
    if key_arn is not None:
        log_groups_of(call).groups[arn] = LogGroup(key_arn, shown_key_arn=key_arn)


def _associate_kms_key(call: ServiceCall) -> Steps:
    key_arn, arn = call.parameters["kmsKeyId"], _arn(call)
    require_usable_key(call, arn, key_arn)
    get_group(call, arn)
    yield
    log_groups_of(call).groups.setdefault(arn, LogGroup(None)).key_arn = key_arn


def _disassociate_kms_key(call: ServiceCall) -> Steps:
    group = get_group(call, _arn(call))
    yield
    if group is not None:
        group.key_arn = None


def _delete_log_group(call: ServiceCall) -> Steps:
    yield
    log_groups_of(call).remove(_arn(call))


def _describe_log_groups(call: ServiceCall) -> Steps:
    answer = yield
    for description in answer.get("logGroups", ()):
        group = get_group(call, description["arn"].removesuffix(":*"))
        if group is not None:
            description.pop("kmsKeyId", None)
            if group.key_arn is not None:
                description["kmsKeyId"] = group.key_arn


def _put_log_events(call: ServiceCall) -> Steps:
    arn = _arn(call)
    group = get_group(call, arn)
    if group is not None and group.key_arn is not None:
        group.data_keys[data_key_for_events(call, arn, group.key_arn)] = None
    yield


def _read_events(call: ServiceCall) -> Steps:
    answer = yield
    if answer.get("events"):
        _decrypt_events(call, _arn(call))


def _decrypt_events(call: ServiceCall, arn: str) -> None:
    """Decrypt the data keys of the log events of a log group. arn: its ARN."""
    group = get_group(call, arn)
    for data_key in () if group is None else group.data_keys:
        decrypt_data_key(call, arn, data_key)


def _start_query(call: ServiceCall) -> Steps:
    """Decrypt the log events, and encrypt the results with the key for query results, if any."""
    state, arn = log_groups_of(call), call.arn("logs", QUERY_RESULTS)
    for group in _queried_groups(call):
        _decrypt_events(call, group)
    association = state.groups.get(arn)
    key_arn = None if association is None else association.key_arn
    data_key = b"" if key_arn is None else data_key_for_events(call, arn, key_arn)
    answer = yield
    if key_arn is not None:
        state.queries[answer["queryId"]] = (arn, key_arn, data_key)


def _get_query_results(call: ServiceCall) -> Steps:
    answer = yield
    query = log_groups_of(call).queries.get(call.parameters["queryId"])
    if query is not None:
        arn, key_arn, data_key = query
        decrypt_data_key(call, arn, data_key)
        answer["encryptionKey"] = key_arn


def _queried_groups(call: ServiceCall) -> Iterator[str]:
    """Return the ARNs of the log groups that a query names."""
    parameters = call.parameters
    names = [*parameters.get("logGroupNames", ()), *parameters.get("logGroupIdentifiers", ())]
    if "logGroupName" in parameters:
        names.append(parameters["logGroupName"])
    return (_arn_of(call, name) for name in names)


def _arn(call: ServiceCall) -> str:
    """Return the ARN of the log group, or of the query results, that a call names."""
    parameters = call.parameters
    identifier = parameters.get("resourceIdentifier") or parameters.get("logGroupIdentifier")
    return _arn_of(call, identifier or parameters["logGroupName"])


def _arn_of(call: ServiceCall, name: str) -> str:
    """Return the ARN of a log group, or of query results. name: its name or ARN."""
    if not looks_like_arn(name):
        return call.arn("logs", f"log-group:{name}")
    return name if name.endswith(QUERY_RESULTS) else name.removesuffix(":*")


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
        "StartQuery": _start_query,
        "GetQueryResults": _get_query_results,
    },
    ERRORS,
    data_operations=("PutLogEvents", "CreateLogStream", "FilterLogEvents"),
)
