"""Measure decisions about the largest policies and lists of values, each made to take long.

``python benchmarks/large_policies.py`` prints the milliseconds of processor time of the first
decision and of a later one, and of its explanation, and how many decisions took longer than 50 ms.
Each key policy has the greatest size; a request has up to 40,000 values of one condition key, or
one with 8,000 characters.
"""

from __future__ import annotations

import json
import string
import time
import warnings
from collections.abc import Callable, Iterator
from functools import partial
from itertools import islice, product
from typing import Any

from kmsmock import mock_kms

ACCOUNT = "123456789012"
LARGEST = 32_700
AIM = 50
KEY = "aws:TagKeys"
MANY = [f"value-{number}" for number in range(40_000)]
LONG = "a" * 8_000
ALLOW = {"Sid": "r", "Effect": "Allow", "Principal": "*", "Action": "kms:*", "Resource": "*"}
DENY = {"Effect": "Deny", "Principal": "*", "Action": "kms:Encrypt", "Resource": "*"}

#: Statements of a size, and what the request has.
Case = tuple[Callable[[int], list[dict[str, Any]]], dict[str, Any]]


def words(count: int) -> list[str]:
    """Return different words of three letters."""
    return ["".join(w) for w in islice(product(string.ascii_lowercase, repeat=3), count)]


def denying(operator: str, key: str, make: Callable[[int], Any]) -> Callable[[int], list[Any]]:
    """Return what makes a statement with a condition."""
    return lambda size: [{**DENY, "Condition": {operator: {key: make(size)}}}]


#: Operator -> values of the policy, values that all match, values of which none matches.
LISTS: dict[str, tuple[Callable[[int], list[str]], list[str], list[str]]] = {
    "StringEquals": (
        lambda n: [f"{i:x}" for i in range(n)],
        [f"{i:x}" for i in range(3_000)],
        MANY,
    ),
    "StringEqualsIgnoreCase": (words, [w.upper() for w in words(3_000)], MANY),
    "StringLike *word*": (lambda n: [f"*{w}q*" for w in words(n)], MANY[:1], MANY),
    "StringLike word*": (
        lambda n: [f"v{w}*" for w in words(n)],
        [f"v{w}1" for w in words(2_000)],
        MANY,
    ),
    "StringLike *a?b*": (lambda n: [f"*{w[0]}?{w}*" for w in words(n)], MANY[:1], MANY),
    "StringLike v*number*": (lambda n: [f"v*{i:x}q*" for i in range(n)], MANY[:1], MANY),
    "StringLike ${variable}": (lambda n: ["${aws:userid}*" + w for w in words(n)], MANY[:1], MANY),
    "ArnLike": (
        lambda n: [f"arn:aws:s3:::{w}*" for w in words(n)],
        [f"arn:aws:s3:::{w}-1" for w in words(1_000)],
        [f"arn:aws:s3:::{value}" for value in MANY],
    ),
    "ArnLike *": (
        lambda n: [f"arn:aws:s3:*:*:{w}*" for w in words(n)],
        [f"arn:aws:s3:::{w}-1" for w in words(1_000)],
        [f"arn:aws:s3:::{value}" for value in MANY],
    ),
    "NumericEquals": (lambda n: [str(i) for i in range(n)], [f"{i}.0" for i in range(3_000)], MANY),
    "NumericLessThan": (
        lambda n: [str(i) for i in range(n)],
        ["0"],
        [f"9{i}9" for i in range(40_000)],
    ),
    "DateLessThan": (
        lambda n: [f"2020-01-01T{i % 24:02}:{i // 24 % 60:02}Z" for i in range(n)],
        ["2019-01-01"],
        [f"2021-01-{1 + i % 28:02}T{i % 24:02}:{i % 60:02}:{i // 999:02}Z" for i in range(40_000)],
    ),
    "IpAddress": (
        lambda n: [f"10.{i >> 8}.{i & 255}.0/24" for i in range(n)],
        [f"10.0.{i & 255}.7" for i in range(256)],
        [f"11.{i >> 16}.{i >> 8 & 255}.{i & 255}" for i in range(40_000)],
    ),
    "BinaryEquals": (lambda n: [f"{w}=" for w in words(n)], [f"{w}=" for w in words(2_000)], MANY),
}


def make_cases() -> Iterator[tuple[str, Case]]:
    """Yield the cases."""
    for name, (wanted, matching, others) in LISTS.items():
        operator = name.partition(" ")[0]
        for quantifier, values in (("ForAllValues", [*matching, "x"]), ("ForAnyValue", others)):
            make = denying(f"{quantifier}:{operator}", KEY, wanted)
            yield f"{quantifier}:{name}", (make, {"context": {KEY: values}})
    for name, pattern in (("*a*a*b", "a*"), ("*a?*a?*b", "a?*")):
        make = denying("StringLike", "aws:userid", lambda n, p=pattern: "*" + p * n + "b")
        yield f"one pattern {name}", (make, {"context": {"aws:userid": LONG}})
    make = denying("StringLike", "aws:userid", lambda n: [f"*a?{w}*" for w in words(n)])
    yield "patterns of a long value", (make, {"context": {"aws:userid": "b" * 8_000}})
    statement = {"ForAllValues:StringEquals": {KEY: ["value-0", "value-1"]}}
    yield (
        "statements about a long list",
        (
            lambda n: [{**DENY, "Sid": f"s{i}", "Condition": statement} for i in range(n)],
            {"context": {KEY: MANY}},
        ),
    )
    yield "actions", (lambda n: [{**DENY, "Action": [f"s3:{w}*t" for w in words(n)]}], {})
    yield "resources", (lambda n: [{**DENY, "Resource": [f"*{w}*z" for w in words(n)]}], {})
    accounts = [f"{number:012}" for number in range(4_000)]
    yield "principals", (lambda n: [{**DENY, "Principal": {"AWS": accounts[:n]}}], {})
    yield (
        "names in the encryption context",
        (
            lambda n: [{**DENY, "Condition": {"Null": _absent(n)}}],
            {"encryption_context": dict.fromkeys(MANY, "1")},
        ),
    )


def _absent(count: int) -> dict[str, str]:
    return {f"kms:EncryptionContext:{word}": "true" for word in words(count)}


def write_largest(make: Callable[[int], list[dict[str, Any]]]) -> str:
    """Return the key policy with as many entries as there is room for."""
    least, most = 1, 16_000
    while least < most:
        middle = (least + most + 1) // 2
        least, most = (
            (middle, most) if len(_write(make(middle))) <= LARGEST else (least, middle - 1)
        )
    return _write(make(least))


def _write(statements: list[dict[str, Any]]) -> str:
    policy = {"Version": "2012-10-17", "Statement": [ALLOW, *statements]}
    return json.dumps(policy, separators=(",", ":"))


def milliseconds(function: Callable[[], Any]) -> tuple[float, Any]:
    """Return the processor time of a function, and what it returns."""
    started = time.process_time()
    result = function()
    return (time.process_time() - started) * 1e3, result


def main() -> None:
    """Print the figures."""
    warnings.simplefilter("ignore")
    print("| decision | first: ms | later: ms | explanation: ms |\n|---|---|---|---|")
    slow = 0
    for name, (make, question) in make_cases():
        with mock_kms() as kms:
            policy = write_largest(make)
            key = kms.client().create_key(Policy=policy, BypassPolicyLockoutSafetyCheck=True)
            arn, root = key["KeyMetadata"]["Arn"], kms.account(ACCOUNT).root
            decide = partial(kms.explain, root, "kms:Encrypt", arn, **question)
            first, decision = milliseconds(decide)
            later = min(milliseconds(decide)[0] for _ in range(3))
            explanation, _ = milliseconds(partial(str, decision))
            slow += first > AIM
            print(f"| {name} | {first:.1f} | {later:.1f} | {explanation:.1f} |", flush=True)
    print(f"\n{slow} first decisions took longer than {AIM} ms")


if __name__ == "__main__":
    main()
