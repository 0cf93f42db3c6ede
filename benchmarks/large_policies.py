"""Measure decisions about the largest policies and lists of values, each made to take long.

``python benchmarks/large_policies.py`` prints the milliseconds of processor time, the least of
some, of the first decision and of a later one, and of its explanation, and how many took longer
than 50 ms and 200 ms. Each policy has the greatest size; a request has up to 40,000 values of one
condition key, or one value of 900,000 characters, which is the most that a body of 1 MiB has room
for. The last table is of putting policies, whose names are compared with those that KMS has.
"""

from __future__ import annotations

import json
import string
import time
import warnings
from collections.abc import Callable, Iterator
from functools import partial
from itertools import chain, islice, product
from typing import Any

from kmsmock import mock_kms
from kmsmock.authorization.policy import _parse as parse

ACCOUNT = "123456789012"
LARGEST = 32_700
AIM, AIM_OF_EXPLANATION = 50, 200
TIMES = 3
KEY = "aws:TagKeys"
MANY = [f"value-{number}" for number in range(40_000)]
LONG = "a" * 8_000
ALLOW = {"Sid": "r", "Effect": "Allow", "Principal": "*", "Action": "kms:*", "Resource": "*"}
DENY = {"Effect": "Deny", "Principal": "*", "Action": "kms:Encrypt", "Resource": "*"}

#: Makes statements of a size.
Make = Callable[[int], list[dict[str, Any]]]
#: Statements, and what the request has.
Case = tuple[Make, dict[str, Any]]


def words(count: int) -> list[str]:
    """Return different words of three letters."""
    return ["".join(w) for w in islice(product(string.ascii_lowercase, repeat=3), count)]


def denying(operator: str, key: str, make: Callable[[int], Any]) -> Make:
    """Return what makes a statement with a condition."""
    return lambda size: [{**DENY, "Condition": {operator: {key: make(size)}}}]


WORDS = words(5_000)

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


def separate(operator: str, make: Callable[[int], Any], key: str = KEY) -> Make:
    """Return what makes statements, each with a condition with other values."""
    return lambda size: [{**DENY, "Condition": {operator: {key: make(i)}}} for i in range(size)]


#: Operator -> values of the statement with a number, and of a request. None applies, and most are
#: only refused by one of many values, or at the end of a pattern.
STATEMENTS: dict[str, tuple[Callable[[int], Any], list[str]]] = {
    "ForAllValues:StringEquals": (lambda i: ["value-0", f"value-{i}"], MANY),
    "ForAnyValue:StringEqualsIgnoreCase": (lambda i: f"value {i}", MANY),
    "ForAllValues:StringLike": (lambda i: [f"v*-*{i % 10}?*{i}*", "v*e-1*"], MANY),
    "ForAnyValue:StringLike": (lambda i: [f"v*{i % 10}?*{i}-*", f"*e-{i}??{i}"], MANY),
    "ForAllValues:StringLike, some equal": (lambda i: [f"value-{i}", "v*-1*", "v*-[2-9]*"], MANY),
    "ForAnyValue:StringLike ${variable}": (
        lambda i: f"${{aws:userid}}*{WORDS[i % 5_000]}?q*",
        MANY,
    ),
    "ForAnyValue:StringNotLike": (lambda i: ["v*e-*", f"*{i}?q*"], MANY),
    "ForAllValues:ArnLike": (
        lambda i: [f"arn:*:s3:*:*:v*{i}?q*", "arn:aws:s3:::*-1*"],
        [f"arn:aws:s3:::{value}" for value in MANY[:20_000]],
    ),
    "ForAnyValue:IpAddress": (
        lambda i: [f"10.{i}.0.0/20", f"11.0.{i & 255}.0/31"],
        [f"12.{i >> 16}.{i >> 8 & 255}.{i & 255}" for i in range(40_000)],
    ),
    "ForAllValues:NotIpAddress": (
        lambda i: f"11.0.156.{i & 63}/32",
        [f"11.{i >> 16}.{i >> 8 & 255}.{i & 255}" for i in range(40_000)],
    ),
    "ForAllValues:NumericEquals": (str, [f"{i}.5" for i in range(40_000)]),
    "ForAnyValue:NumericLessThan": (lambda i: f"-{i}", [f"{i}.5" for i in range(40_000)]),
    "ForAllValues:DateEquals": (
        lambda i: f"2021-01-01T{i % 24:02}:{i % 60:02}Z",
        [
            f"2021-01-{1 + i % 28:02}T{i % 24:02}:{i % 60:02}:{i // 999:02}.5Z"
            for i in range(40_000)
        ],
    ),
    "ForAnyValue:BinaryEquals": (lambda i: f"{WORDS[i % 5_000]}=", MANY),
}

#: Operator -> values of the statement with a number, and a value of a request.
LONG_VALUES: dict[str, tuple[Callable[[int], Any], str]] = {
    "StringLike": (
        lambda i: [f"*a?b*{WORDS[i % 5_000]}*", f"*b{'?' * (i % 20)}bb*"],
        ("ab" * 50 + "a") * 8_900,
    ),
    "StringLike words": (lambda i: f"*{WORDS[i % 5_000]}-*", "".join(WORDS) * 59),
    "StringLike *a*a": (lambda i: f"{'*a' * 150}c{i}", "a" * 900_000),
    "StringEqualsIgnoreCase": (lambda i: WORDS[i % 5_000], "A" * 900_000),
    "ArnLike": (lambda i: f"arn:*:s3:*:*:a*{WORDS[i % 5_000]}-*", "arn:aws:s3:::" + "a" * 900_000),
    "NumericEquals": (str, "1" * 900_000),
    "BinaryEquals": (lambda i: f"{WORDS[i % 5_000]}=", "a" * 900_000),
    "DateEquals": (lambda i: f"20{i % 90 + 10}-01-01", " " * 900_000),
    "IpAddress": (lambda i: f"10.0.{i & 255}.1", "1" * 900_000),
}


def make_cases() -> Iterator[tuple[str, Case]]:
    """Yield the cases."""
    for name, (wanted, matching, others) in LISTS.items():
        operator = name.partition(" ")[0]
        for quantifier, values in (("ForAllValues", [*matching, "x"]), ("ForAnyValue", others)):
            make = denying(f"{quantifier}:{operator}", KEY, wanted)
            yield f"{quantifier}:{name}", (make, {"context": {KEY: values}})
    for name, (one, values) in STATEMENTS.items():
        operator = name.partition(",")[0].partition(" ")[0]
        yield f"statements: {name}", (separate(operator, one), {"context": {KEY: values}})
    for name, (one, value) in LONG_VALUES.items():
        make = separate(name.partition(" ")[0], one, "kms:EncryptionContext:a")
        yield f"statements, 900 KB: {name}", (make, {"encryption_context": {"a": value}})
    yield from make_other_cases()


def make_other_cases() -> Iterator[tuple[str, Case]]:
    """Yield the cases with other parts of statements than one condition."""
    for name, pattern in (("*a*a*b", "a*"), ("*a?*a?*b", "a?*")):
        make = denying("StringLike", "aws:userid", lambda n, p=pattern: "*" + p * n + "b")
        yield f"one pattern {name}", (make, {"context": {"aws:userid": LONG}})
    make = denying("StringLike", "aws:userid", lambda n: [f"*a?{w}*" for w in words(n)])
    yield "patterns of a long value", (make, {"context": {"aws:userid": "b" * 8_000}})
    yield (
        "conditions of one statement",
        (
            lambda n: [{**DENY, "Condition": {"ForAllValues:StringLike": _spellings(n)}}],
            {"context": {KEY: [f"abcdefghi-{value}-0" for value in MANY[:10_000]]}},
        ),
    )
    variable = "${kms:EncryptionContext:a}"
    yield (
        "long policy variables",
        (
            denying("StringLike", "aws:userid", lambda n: [f"{w}{variable}*" for w in words(n)]),
            {"context": {"aws:userid": "x" * 400_000}, "encryption_context": {"a": "x" * 400_000}},
        ),
    )
    yield "actions", (lambda n: [{**DENY, "Action": [f"s3:{w}*t" for w in words(n)]}], {})
    yield (
        "other actions",
        (
            lambda n: [
                {**_without("Action"), "NotAction": ["kms:*", *(f"s3:{w}*t" for w in words(n))]}
            ],
            {},
        ),
    )
    yield "resources", (lambda n: [{**DENY, "Resource": [f"*{w}*z" for w in words(n)]}], {})
    yield (
        "other resources",
        (
            lambda n: [
                {**_without("Resource"), "NotResource": ["*", *(f"*{w}*z" for w in words(n))]}
            ],
            {},
        ),
    )
    accounts = [f"{number:012}" for number in range(4_000)]
    yield "principals", (lambda n: [{**DENY, "Principal": {"AWS": accounts[:n]}}], {})
    yield (
        "other principals",
        (
            lambda n: [
                {**_without("Principal"), "NotPrincipal": {"AWS": [*accounts[:n], ACCOUNT]}}
            ],
            {},
        ),
    )
    yield (
        "names in the encryption context",
        (
            lambda n: [{**DENY, "Condition": {"Null": _absent(n)}}],
            {"encryption_context": dict.fromkeys(MANY, "1")},
        ),
    )


def _without(name: str) -> dict[str, Any]:
    return {member: value for member, value in DENY.items() if member != name}


def _spellings(count: int) -> dict[str, str]:
    """Return conditions on one key, whose case does not matter."""
    letters = KEY.lower()
    names = (
        "".join(c.upper() if i >> at & 1 else c for at, c in enumerate(letters))
        for i in range(count)
    )
    return {name: f"*{letters[i % 3]}*{i % 10}*" for i, name in enumerate(names)}


def _absent(count: int) -> dict[str, str]:
    return {f"kms:EncryptionContext:{word}": "true" for word in words(count)}


def write_largest(make: Make, limit: int = LARGEST, *others: dict[str, Any]) -> str:
    """Return the policy with as many entries as there is room for. others: further statements."""
    least, most = 1, 16_000
    while least < most:
        middle = (least + most + 1) // 2
        is_larger = len(_write([*others, *make(middle)])) > limit
        least, most = (least, middle - 1) if is_larger else (middle, most)
    return _write([*others, *make(least)])


def _write(statements: list[dict[str, Any]]) -> str:
    policy = {"Version": "2012-10-17", "Statement": statements}
    return json.dumps(policy, separators=(",", ":"))


def milliseconds(function: Callable[[], Any]) -> tuple[float, Any]:
    """Return the processor time of a function, and what it returns."""
    started = time.process_time()
    result = function()
    return (time.process_time() - started) * 1e3, result


class Row:
    """The least times of the first decision, of later ones, and of the explanation."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.times = [float("inf")] * 3

    def measure(self, decide: Callable[[], Any]) -> None:
        """Measure once more, with policies that have not decided before."""
        first, decision = milliseconds(decide)
        later = min(milliseconds(decide)[0] for _ in range(2))
        explanation, _ = milliseconds(partial(str, decision))
        self.times = list(map(min, self.times, (first, later, explanation)))

    def __str__(self) -> str:
        return f"| {self.name} | {' | '.join(f'{value:.1f}' for value in self.times)} |"


def measure_key_policies() -> Iterator[Row]:
    """Yield a row for each case of a key policy."""
    for name, (make, question) in make_cases():
        policy, row = write_largest(make, LARGEST, ALLOW), Row(name)
        for _ in range(TIMES):
            parse.cache_clear()
            with mock_kms() as kms:
                key = kms.client().create_key(Policy=policy, BypassPolicyLockoutSafetyCheck=True)
                arn, root = key["KeyMetadata"]["Arn"], kms.account(ACCOUNT).root
                row.measure(partial(kms.explain, root, "kms:Encrypt", arn, **question))
        yield row


def like(i: int) -> dict[str, Any]:
    """Return a condition that fits nearly all of the many values."""
    return {"ForAllValues:StringLike": {KEY: [f"*-*{i % 10}*{i % 7}*", f"v*-?{i % 9}*"]}}


def measure_other_policies() -> Iterator[Row]:
    """Yield a row for each kind of policy beside key policies.

    All have statements with conditions about the many values of a request. In those with "denied"
    many statements nearly allow the request.
    """
    any_action = {"Action": "*", "Resource": "*"}
    allow = {"Effect": "Allow", **any_action}

    def written(effect: str, limit: int, *others: dict[str, Any], **members: Any) -> str:
        whole = {"Effect": effect, **any_action, **members}
        return write_largest(
            lambda n: [{**whole, "Condition": like(i)} for i in range(n)], limit, *others
        )

    identity, managed = written("Deny", 10_000, allow), written("Deny", 6_100, allow)
    levels = [[written("Deny", 10_200, allow)] * 2] * 7
    of_resources = [[written("Deny", 5_100, Principal="*")] * 2] * 7
    cases: dict[str, Callable[[Any], Any]] = {
        "inline policy of a role": lambda a: a.role("App", policies=[identity]),
        "permissions boundary": lambda a: a.role("App", policies=[allowing], boundary=managed),
        "session policy": lambda a: a.role(
            "App", policies=[allowing], session_policies=[written("Deny", 2_000, allow)]
        ),
        "policies of an organization": lambda a: (
            a.join_organization(
                "o-a1b2c3d4e5", service_control=levels, resource_control=of_resources
            ),
            a.role("App", policies=[allowing]),
        )[1],
        "denied: nearly allowed by an inline policy": lambda a: a.role(
            "App", policies=[written("Allow", 10_000)]
        ),
        "denied: nearly allowed by a boundary": lambda a: a.role(
            "App", policies=[allowing], boundary=written("Allow", 6_100)
        ),
    }
    allowing = _write([allow])
    for name, prepare in cases.items():
        row = Row(name)
        for _ in range(TIMES):
            parse.cache_clear()
            with mock_kms() as kms:
                arn = kms.client().create_key()["KeyMetadata"]["Arn"]
                principal = prepare(kms.account(ACCOUNT))
                question = {"context": {KEY: MANY[:10_000]}}
                row.measure(partial(kms.explain, principal, "kms:Encrypt", arn, **question))
        yield row


def measure_puts() -> Iterator[tuple[str, float]]:
    """Yield the time of putting key policies whose names KMS does not have."""
    cases: dict[str, Make] = {
        "actions": lambda n: [{**DENY, "Action": [f"kms:Encrypt{w}" for w in words(n)]}],
        "patterns of actions": lambda n: [{**DENY, "Action": [f"kms:E*{w}*" for w in words(n)]}],
        "condition keys": lambda n: [
            {**DENY, "Condition": {"Null": {f"kms:EncryptionContxt:{w}": "1" for w in words(n)}}}
        ],
        "statements": lambda n: [{**DENY, "Action": f"kms:Encrypt{w}"} for w in words(n)],
    }
    for name, make in cases.items():
        policy, least = write_largest(make, LARGEST, ALLOW), float("inf")
        for _ in range(TIMES):
            parse.cache_clear()
            with mock_kms() as kms:
                client = kms.client()
                put = partial(
                    client.put_key_policy, KeyId=client.create_key()["KeyMetadata"]["KeyId"]
                )
                least = min(least, milliseconds(partial(put, Policy=policy))[0])
        yield name, least


def main() -> None:
    """Print the figures."""
    warnings.simplefilter("ignore")
    print("| decision | first: ms | later: ms | explanation: ms |\n|---|---|---|---|")
    slow = slow_explanations = 0
    for row in chain(measure_key_policies(), measure_other_policies()):
        slow += row.times[0] > AIM
        slow_explanations += row.times[2] > AIM_OF_EXPLANATION
        print(row, flush=True)
    print("\n| put a key policy with misspelt | ms |\n|---|---|")
    for name, least in measure_puts():
        slow_explanations += least > AIM_OF_EXPLANATION
        print(f"| {name} | {least:.1f} |", flush=True)
    print(
        f"\n{slow} first decisions took longer than {AIM} ms, {slow_explanations} explanations and "
        f"puts longer than {AIM_OF_EXPLANATION} ms"
    )


if __name__ == "__main__":
    main()
