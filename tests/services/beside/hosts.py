"""An operation of a service on each of its hosts, and the KMS calls that it makes.

A host stores the resources of a service: kmsmock itself, or moto with kmsmock beside it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from functools import cache
from typing import Any

import boto3
from botocore.exceptions import ClientError
from moto import mock_aws

from kmsmock import KMSMock, mock_kms

ACCOUNT, OTHER_ACCOUNT = "123456789012", "444455556666"
EAST, WEST = "us-east-1", "us-west-2"


@cache
def get_client(service: str, region: str) -> Any:
    """Return a client, which is made once, since that takes longer than the tests with it."""
    secret = {"aws_access_key_id": "testing", "aws_secret_access_key": "testing"}
    return boto3.client(service, region, **secret)


class Host:
    """A service with three keys of KMS. stores: whether kmsmock stores the resources itself."""

    def __init__(self, kms: KMSMock, *, stores: bool) -> None:
        self.kms, self.stores = kms, stores
        self.key, self.other = self._new_key(EAST), self._new_key(EAST)
        self.western = self._new_key(WEST)

    def _new_key(self, region: str) -> str:
        arn: str = get_client("kms", region).create_key()["KeyMetadata"]["Arn"]
        return arn

    @staticmethod
    def client(service: str, region: str = EAST) -> Any:
        """Return a client of the default principal."""
        return get_client(service, region)

    def disable(self, key: str) -> None:
        """Disable a key."""
        get_client("kms", EAST).disable_key(KeyId=key)

    def deny(self, key: str, action: str) -> None:
        """Add a statement to a key policy that denies an action to everybody."""
        kms = get_client("kms", EAST)
        policy = json.loads(kms.get_key_policy(KeyId=key)["Policy"])
        denial = {"Effect": "Deny", "Principal": "*", "Action": action, "Resource": "*"}
        policy["Statement"].append(denial)
        kms.put_key_policy(KeyId=key, Policy=json.dumps(policy))

    @property
    def labels(self) -> Mapping[str, str]:
        """The labels of ids that are known in advance: ARN -> label."""
        return {self.key: "<key>", self.other: "<other>", self.western: "<western>"}


@dataclass(frozen=True)
class Row:
    """One use of an operation.

    before: what there is to begin with, which is given to act. act: calls the operation. calls: the
    operations of KMS that come of it, in order. case: tells the uses of an operation apart. error:
    the code of the service's error, if there is to be one.
    """

    operation: str
    before: Callable[[Any], Any]
    act: Callable[[Any, Any], object]
    calls: tuple[str, ...] = ()
    case: str = ""
    error: str | None = None

    def __str__(self) -> str:
        return f"{self.operation}-{self.case}".rstrip("-")


@dataclass(frozen=True)
class Outcome:
    """What came of a row: the calls of KMS, their CloudTrail records, the service's error.

    A call that KMS denies to a service itself has no record: it was made in no account.
    """

    calls: list[Mapping[str, Any]]
    records: list[Mapping[str, Any]]
    error: Mapping[str, str] | None


def outcome_of(row: Row, host_type: type[Host], *, stores: bool) -> Outcome:
    """Run a row on a new host."""
    with nullcontext() if stores else mock_aws(), mock_kms(isolated=True) as kms:
        host = host_type(kms, stores=stores)
        begun = row.before(host)
        calls, records = len(kms.calls), len(kms.trail)
        error = None
        try:
            row.act(host, begun)
        except ClientError as refusal:
            error = refusal.response["Error"]
        seen = (
            [_call(call) for call in kms.calls[calls:]],
            [_without_chance(record) for record in kms.trail[records:]],
            error,
        )
        return Outcome(*_with_labels(seen, {**host.labels}))


def _call(call: Any) -> dict[str, Any]:
    members = ("operation", "caller", "via_service", "key_arn", "encryption_context", "error_code")
    return {member: getattr(call, member) for member in members}


#: Members of CloudTrail records that differ from run to run, however deep they are.
_OF_CHANCE = {"accessKeyId", "creationDate", "eventID", "eventTime", "requestID", "sharedEventID"}
#: Ids in the form that AWS gives them: of keys; of grants and key materials; of principals; of
#: databases; of what EC2 has.
_ID = re.compile(
    r"(?P<key>arn:aws:kms):[a-z0-9-]+:[0-9]{12}:key/[0-9a-f-]{36}|\b[0-9a-f]{64}\b"
    r"|\b(?P<user>AIDA)[A-Z0-9]{16}\b"
    r"|\b(?P<rds>db|cluster)-[A-Z2-7]{26}\b|\b(?P<ec2>vol|snap|ami|i)-[0-9a-f]{17}\b"
)


def _without_chance(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _without_chance(v) for k, v in value.items() if k not in _OF_CHANCE}
    return [_without_chance(each) for each in value] if isinstance(value, list) else value


def _with_labels(value: Any, labels: dict[str, str]) -> Any:
    """Replace ids with labels, numbered in the order in which the ids occur."""

    def label(found: re.Match[str]) -> str:
        kind = found.lastgroup and found[found.lastgroup]
        return labels.setdefault(found[0], f"<{kind} {len(labels)}>")

    return json.loads(_ID.sub(label, json.dumps(value)))
