"""How log groups are encrypted, which the store that answers CloudWatch Logs does not know."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from kmsmock.aws.arns import Arn
from kmsmock.services.data_key_cache import DataKeyCache
from kmsmock.services.registry import ServiceCall
from kmsmock.services.store_reader import StoredElsewhere, StoreReader, owner_of
from kmsmock.services.unrecorded_data_keys import encrypt_data_key, find_key

#: The resource in the ARN of the results of all queries, as AssociateKmsKey takes it.
QUERY_RESULTS = "query-result:*"


@dataclass(slots=True)
class LogGroup:
    """A log group that is encrypted, or was; or the results of queries."""

    #: The ARN of the KMS key; None if it was disassociated.
    key_arn: str | None
    #: The ciphertexts of the data keys that its log events are encrypted with, in order.
    data_keys: dict[bytes, None] = field(default_factory=dict)
    #: When the store says that it was created, and with which key it is encrypted; a store that
    #: does not know AssociateKmsKey keeps saying the same.
    created: Any = None
    shown_key_arn: str | None = None


@dataclass(slots=True)
class LogGroups(StoredElsewhere):
    """The log groups that are encrypted, or were, and the results of queries."""

    #: ARN of a log group, or of the query results of an account -> its encryption.
    groups: dict[str, LogGroup] = field(default_factory=dict)
    #: Id of a query whose results are encrypted -> the ARN of the results, the ARN of the KMS key,
    #: and the ciphertext of the data key.
    queries: dict[str, tuple[str, str, bytes]] = field(default_factory=dict)
    cache: DataKeyCache = field(default_factory=DataKeyCache)

    def remove(self, arn: str) -> None:
        """Remove a log group that is gone, with its events."""
        self.groups.pop(arn, None)
        self.cache.forget(arn)


def log_groups_of(call: ServiceCall) -> LogGroups:
    """Return the state of CloudWatch Logs in a mock."""
    return call.backend.service_state(LogGroups)


def get_group(call: ServiceCall, arn: str) -> LogGroup | None:
    """Return a log group, as its store has it now; None if nothing is known about it.

    arn: of the log group, or of query results, which no store knows.
    """
    if not arn.endswith(QUERY_RESULTS):
        _GROUPS.refresh(call, arn)
    return log_groups_of(call).groups.get(arn)


def context_of(arn: str) -> dict[str, str]:
    """Return the encryption context of the data keys of a log group, or of query results."""
    return {"aws:logs:arn": arn}


def _keep(call: ServiceCall, arn: str, answer: Mapping[str, Any]) -> None:
    state = log_groups_of(call)
    said = next(
        (g for g in answer.get("logGroups", ()) if g.get("logGroupName") == _name(arn)), None
    )
    group = state.groups.get(arn)
    created = None if said is None else said.get("creationTime")
    if group is not None and (said is None or group.created not in (None, created)):
        state.remove(arn)  # and perhaps made anew under the same name
        group = None
    if said is None:
        return
    key_arn = said.get("kmsKeyId")
    if group is None:
        group = state.groups[arn] = LogGroup(key_arn)
        data_key = None if key_arn is None else _make_data_key(call, arn, key_arn)
        if data_key is not None and said.get("storedBytes"):
            group.data_keys[data_key] = None
    if key_arn != group.shown_key_arn:
        group.key_arn = key_arn
    group.shown_key_arn, group.created = key_arn, created


def _make_data_key(call: ServiceCall, arn: str, key_arn: str) -> bytes | None:
    group = Arn.of(arn)
    key = find_key(call.backend, key_arn, owner_of(call, arn), group.region)
    return None if key is None else encrypt_data_key(call.backend, key, context_of(arn))


def _name(arn: str) -> str:
    return Arn.of(arn).resource.removeprefix("log-group:")


def _forget(call: ServiceCall, arn: str) -> None:
    log_groups_of(call).remove(arn)


_GROUPS = StoreReader(
    "logs",
    "DescribeLogGroups",
    lambda arn: {"logGroupNamePrefix": _name(arn)},
    ("ResourceNotFoundException",),
    _keep,
    _forget,
)
