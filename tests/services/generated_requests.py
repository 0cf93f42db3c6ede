"""Requests and answers that are generated from botocore's model, complete and spoiled."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timezone
from importlib import import_module
from typing import Any

from kmsmock.aws.services import AWS_SERVICES
from kmsmock.operations import OPERATIONS

ACCOUNT, REGION = "123456789012", "us-east-1"
KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/1234abcd-12ab-34cd-56ef-1234567890ab"
_ARN = f"arn:aws:{{}}:{REGION}:{ACCOUNT}:{{}}"
#: What members name, so that requests hit what earlier ones have created.
_TEXTS = {
    "Bucket": "papers",
    "CopySource": "papers/x",
    "Endpoint": _ARN.format("sqs", "jobs"),
    "EventSourceArn": _ARN.format("sqs", "jobs"),
    "FunctionArn": _ARN.format("lambda", "function:job"),
    "FunctionName": "job",
    "Name": "news",
    "PolicyDocument": '{"Version": "2012-10-17", "Statement": []}',
    "Protocol": "sqs",
    "QueueArn": _ARN.format("sqs", "jobs"),
    "QueueUrl": f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/jobs",
    "Role": f"arn:aws:iam::{ACCOUNT}:role/App",
    "RoleArn": f"arn:aws:iam::{ACCOUNT}:role/App",
    "SSEAlgorithm": "aws:kms",
    "ServerSideEncryption": "aws:kms",
    "Statement": "SELECT * FROM orders",
    "StreamARN": _ARN.format("kinesis", "stream/clicks"),
    "StreamName": "clicks",
    "TableArn": _ARN.format("dynamodb", "table/orders"),
    "TableName": "orders",
    "TopicArn": _ARN.format("sns", "news"),
    "Type": "SecureString",
    "logGroupName": "app",
}
#: Left out of complete requests, since they exclude other members or change what answers.
_LEFT_OUT = frozenset({"DryRun", "SSECustomerAlgorithm", "SSECustomerKey", "SSECustomerKeyMD5"})


def list_operations(service: str) -> list[str]:
    """Return the operations for which a mock does something, answered or beside a store."""
    row = AWS_SERVICES[service]
    operations = set(OPERATIONS) if service == "kms" else set()
    if row.answered:
        operations |= import_module(row.answered).SERVICE.operations.keys()
    if row.beside:
        operations |= import_module(row.beside).BESIDE.operations.keys()
    return sorted(operations)


def make_value(shape: Any, name: str = "", depth: int = 0) -> Any:
    """Return a valid value of a shape, with all its members."""
    kind = shape.type_name
    if kind == "structure":
        members = [
            member
            for member in shape.members
            if member not in _LEFT_OUT and (depth < 4 or member in shape.required_members)
        ]
        if getattr(shape, "is_tagged_union", False):
            members = members[:1]
        return {member: make_value(shape.members[member], member, depth + 1) for member in members}
    if kind == "list":
        return [make_value(shape.member, name, depth + 1)]
    if kind == "map":
        if name == "Attributes" and shape.value.type_name == "string":
            return {"KmsMasterKeyId": KEY}
        text = "orders" if name == "RequestItems" else "x"
        return {text: make_value(shape.value, name, depth + 1)}
    if kind == "string":
        return _make_text(shape, name)
    least = shape.metadata.get("min", 1)
    return {
        "blob": b"x",
        "boolean": True,
        "integer": least,
        "long": least,
        "float": float(least),
        "double": float(least),
        "timestamp": datetime(2026, 1, 1, tzinfo=timezone.utc),
    }[kind]


def _make_text(shape: Any, name: str) -> str:
    if name in _TEXTS:
        return _TEXTS[name]
    if shape.enum:
        return next((one for one in shape.enum if "kms" in one.lower()), shape.enum[0])
    lower = name.lower()
    if "kms" in lower and lower.endswith(("arn", "id")):
        return KEY
    if lower.endswith("arn"):
        return _ARN.format("secretsmanager", "secret:db-abcdef")
    return "x" * max(1, shape.metadata.get("min", 1))


#: Values of wrong kinds, of which the first that is wrong for a shape is taken of each row.
_WRONG: tuple[tuple[Any, ...], ...] = (
    (None,),
    (1, "x"),
    ([None], {"x": 1}),
    ("", {}),
)


#: Texts that name nothing, or nothing that can be parsed.
GARBAGE = ("x", "arn:aws:x", "arn:aws:kms:::key/")


def spoil(parameters: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the parameters with one member missing, null, or of a wrong kind, and with several."""
    plain = dict(parameters)
    yield {}
    yield dict.fromkeys(plain)
    yield dict.fromkeys(plain, "")
    for name, value in plain.items():
        yield {other: plain[other] for other in plain if other != name}
        for row in _WRONG:
            wrong = next((one for one in row if type(one) is not type(value)), None)
            yield {**plain, name: wrong}
        if isinstance(value, str):
            yield from ({**plain, name: text} for text in GARBAGE)
        for inner in _spoil_inside(value):
            yield {**plain, name: inner}


def _spoil_inside(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        for name in value:
            yield {other: value[other] for other in value if other != name}
            yield {**value, name: None}
            if isinstance(value[name], str):
                yield from ({**value, name: text} for text in GARBAGE)
            yield {**value, name: 1 if isinstance(value[name], str) else "x"}
    elif isinstance(value, list):
        yield []
        for item in value:
            yield [None]
            yield from ([inner] for inner in _spoil_inside(item))
