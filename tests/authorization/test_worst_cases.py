"""The work of a decision grows with the sizes of policy and request, never with their product.

Work is counted as calls of functions, Python's and those of C, so that machines do not matter.
"""

from __future__ import annotations

import json
import string
import tracemalloc
import warnings
from collections.abc import Callable, Iterator
from itertools import islice, product
from typing import Any

import pytest

from kmsmock import KMSMock, mock_kms
from tests.work import count_calls

ACCOUNT = "123456789012"
MULTIVALUED = "aws:TagKeys"
IN_POLICY, IN_REQUEST = 800, 3_000
WORDS = ["q" + "".join(w) for w in islice(product(string.ascii_lowercase, repeat=3), IN_POLICY)]
NUMBERS = [str(number) for number in range(10_000, 10_000 + IN_POLICY)]
VARIABLES = ["${aws:userid}" + word for word in WORDS]
OTHERS = [f"value-{number}" for number in range(IN_REQUEST)]


@pytest.fixture
def kms() -> Iterator[KMSMock]:
    with mock_kms() as kms:
        yield kms


def decide(kms: KMSMock, *statements: dict[str, Any], **question: Any) -> tuple[Any, int]:
    """Return a decision with its explanation, and the calls of functions that both took."""
    policy = {"Version": "2012-10-17", "Statement": [*statements, {**ALLOW, "Principal": "*"}]}
    role = kms.account(ACCOUNT).role("App", policies=[{"Statement": ALLOW}])
    text = json.dumps(policy, separators=(",", ":"))
    key = kms.client().create_key(Policy=text, BypassPolicyLockoutSafetyCheck=True)
    arn = key["KeyMetadata"]["Arn"]

    def explain() -> Any:
        decision = kms.explain(role, "kms:Encrypt", arn, **question)
        assert len(str(decision)) < 100_000
        return decision

    return count_calls(explain)


ALLOW = {"Effect": "Allow", "Action": "*", "Resource": "*"}
DENY = {"Effect": "Deny", "Principal": "*", "Action": "*", "Resource": "*"}

#: Operator -> values of the policy, values of which each matches, values of which none does.
LISTS: dict[str, tuple[list[str], list[str], list[str]]] = {
    "StringEquals": (WORDS, WORDS * 3, OTHERS),
    "StringEqualsIgnoreCase": (WORDS, [word.upper() for word in WORDS] * 3, OTHERS),
    "StringLike": ([f"*{word}*" for word in WORDS], [f"-{word}-" for word in WORDS], OTHERS),
    "ArnLike": (
        [f"arn:aws:s3:::{word}*" for word in WORDS],
        [f"arn:aws:s3:::{word}-1" for word in WORDS],
        [f"arn:aws:s3:::{value}" for value in OTHERS],
    ),
    "NumericEquals": (NUMBERS, [f"{number}.0" for number in NUMBERS], OTHERS),
    "NumericLessThan": (
        NUMBERS,
        [str(number) for number in range(IN_POLICY)],
        [f"{number}9" for number in NUMBERS],
    ),
    "DateEquals": (NUMBERS, NUMBERS * 3, OTHERS),
    "BinaryEquals": (
        WORDS,
        WORDS,
        [f"{word}{word}" for word in WORDS],
    ),
    "IpAddress": (
        [f"10.{number >> 8}.{number & 255}.0/24" for number in range(IN_POLICY)],
        [f"10.{number >> 8}.{number & 255}.7" for number in range(IN_POLICY)],
        [f"11.{number >> 8}.{number & 255}.7" for number in range(IN_POLICY)],
    ),
}


@pytest.mark.parametrize("quantifier", ["ForAllValues", "ForAnyValue"])
@pytest.mark.parametrize("matches", [True, False], ids=["all match", "none matches"])
@pytest.mark.parametrize("operator", LISTS)
def test_many_values_of_a_request_are_looked_up_among_many_of_a_policy(
    kms: KMSMock, operator: str, matches: bool, quantifier: str
) -> None:
    wanted, fitting, others = LISTS[operator]
    values = fitting if matches else others
    condition = {f"{quantifier}:{operator}": {MULTIVALUED: wanted}}
    characters = sum(map(len, [*wanted, *values]))

    decision, calls = decide(kms, {**DENY, "Condition": condition}, context={MULTIVALUED: values})

    assert decision.allowed is not matches
    assert calls < 12 * characters < len(wanted) * len(values)


#: A statement that a request has to be compared with, each as large as policies can be.
STATEMENTS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "policy variables": (
        {"Condition": {"ForAnyValue:StringEquals": {MULTIVALUED: VARIABLES}}},
        {"context": {MULTIVALUED: OTHERS}},
    ),
    "actions": ({"Action": [f"s3:{word}*" for word in WORDS]}, {}),
    "other actions": ({"NotAction": [*(f"s3:{word}*" for word in WORDS), "*"]}, {}),
    "resources": ({"Resource": [f"*{word}*z" for word in WORDS]}, {}),
    "other resources": ({"NotResource": [*(f"*{word}*z" for word in WORDS), "*"]}, {}),
    "names in an encryption context": (
        {"Condition": {"Null": {f"kms:EncryptionContext:{word}": "false" for word in WORDS[:500]}}},
        {"encryption_context": dict.fromkeys(OTHERS, "1") | dict.fromkeys(WORDS[:499], "1")},
    ),
    "wildcards": (
        {"Condition": {"StringLike": {"aws:userid": "*" + "a*" * 5_000 + "b"}}},
        {"context": {"aws:userid": "a" * 5_000}},
    ),
    "wildcards for one character": (
        {"Condition": {"StringLike": {"aws:userid": "*" + "a?*" * 3_000 + "b"}}},
        {"context": {"aws:userid": "a" * 8_000}},
    ),
    "patterns of a long value": (
        {"Condition": {"StringLike": {"aws:userid": [f"*a?{word}*" for word in WORDS]}}},
        {"context": {"aws:userid": "a" * 8_000}},
    ),
}  # fmt: skip


@pytest.mark.parametrize("place", STATEMENTS)
def test_a_large_statement_is_compared_in_a_time_that_its_size_limits(
    kms: KMSMock, place: str
) -> None:
    statement, question = STATEMENTS[place]
    size = len(json.dumps([statement, question]))

    whole = {"Effect": "Deny", "Principal": "*", **statement}
    for name in ("Action", "Resource"):
        if f"Not{name}" not in whole:
            whole.setdefault(name, "*")

    decision, calls = decide(kms, whole, **question)

    assert decision.allowed
    assert calls < 5 * size


#: Operator -> the values of the statement with a number, and values of a request, all different.
#: No statement applies, but each fits nearly all values, or fits them but for the end of its own.
STATEMENTS_ABOUT_A_LIST: dict[str, tuple[Callable[[int], list[str]], list[str]]] = {
    "ForAllValues:StringEquals": (lambda i: [OTHERS[0], WORDS[i]], OTHERS),
    "ForAllValues:StringLike": (lambda i: [f"v*?{i % 9}*", f"*{i % 7}?*", "v*-[0-8]?"], OTHERS),
    "ForAnyValue:StringLike": (lambda i: [f"*e-{i}?*{i}x", f"v*-?{i}?3?", f"{WORDS[i]}*"], OTHERS),
    "ForAllValues:ArnLike": (
        lambda i: [f"arn:*:s3:*::v*{i}*", f"arn:a?s:s3:::*{i % 9}?*"],
        [f"arn:aws:s3:::{value}" for value in OTHERS],
    ),
    "ForAnyValue:StringNotLike": (lambda i: ["value-*", f"{i}*"], OTHERS),
    "ForAllValues:IpAddress": (
        lambda i: [f"10.0.{i}.0/24", "10.0.0.0/21"],
        [f"10.0.{number >> 8}.{number & 255}" for number in range(IN_REQUEST)],
    ),
    "ForAnyValue:NotIpAddress": (
        lambda i: [f"10.1.{i}.0/24", "10.0.0.0/20"],
        [f"10.0.{number >> 8}.{number & 255}" for number in range(IN_REQUEST)],
    ),
    "ForAllValues:DateLessThan": (
        lambda i: [f"2021-01-01T00:{i % 60:02}Z"],
        [f"2021-01-01T{n // 60:02}:{n % 60:02}Z" for n in range(1_440)],
    ),
    "ForAnyValue:NumericEquals": (lambda i: [f"{i}.5"], [f"{i}.25" for i in range(IN_REQUEST)]),
}


@pytest.mark.parametrize("operator", STATEMENTS_ABOUT_A_LIST)
def test_many_statements_about_a_long_list_read_it_once(kms: KMSMock, operator: str) -> None:
    make, values = STATEMENTS_ABOUT_A_LIST[operator]
    conditions = [{operator: {MULTIVALUED: make(number)}} for number in range(100)]
    statements = [{**DENY, "Condition": condition} for condition in conditions]

    decision, calls = decide(kms, *statements, context={MULTIVALUED: values})

    assert decision.allowed
    assert calls < len(conditions) * len(values)


@pytest.mark.parametrize(
    "operator",
    ["StringEqualsIgnoreCase", "StringLike", "ArnLike", "BinaryEquals", "IpAddress", "DateEquals"],
)
def test_many_statements_about_a_long_value_read_it_once(kms: KMSMock, operator: str) -> None:
    value = "arn:aws:s3:::" + "ab" * 10_000
    conditions = [{operator: {"aws:userid": f"arn:*:s3:::*b?a*{word}"}} for word in WORDS[:100]]
    if operator == "ArnLike":
        conditions += [{operator: {"aws:userid": "arn:aws:s3:::*bb*"}}]
    statements = [{**DENY, "Condition": condition} for condition in conditions]

    decision, calls = decide(kms, *statements, context={"aws:userid": value})

    assert decision.allowed
    assert calls < len(conditions) * len(value) / 20


@pytest.mark.parametrize("operator", ["StringEquals", "StringEqualsIgnoreCase", "StringLike"])
def test_a_long_value_of_a_policy_variable_is_not_written_many_times(
    kms: KMSMock, operator: str
) -> None:
    wanted = [f"{word}${{aws:userid}}" for word in WORDS]
    statement = {**DENY, "Condition": {f"ForAnyValue:{operator}": {MULTIVALUED: wanted}}}
    long = "x" * 100_000

    tracemalloc.start()
    decision, _ = decide(
        kms, statement, context={MULTIVALUED: [*OTHERS, f"-{long}"], "aws:userid": long}
    )
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert decision.allowed
    assert most < len(wanted) * len(long) / 3


def test_of_many_principals_only_those_of_the_caller_are_compared(kms: KMSMock) -> None:
    account = kms.account(ACCOUNT)
    arns = [account.role(f"Role{number}").arn for number in range(100)]

    def count(principals: list[str]) -> int:
        allow = {
            "Effect": "Allow",
            "Principal": {"AWS": principals},
            "Action": "*",
            "Resource": "*",
        }
        policy = json.dumps({"Statement": [allow, {**allow, "Principal": {"AWS": ACCOUNT}}]})
        key = kms.client().create_key(Policy=policy)["KeyMetadata"]["Arn"]
        decision, _ = count_calls(lambda: kms.explain(arns[-1], "kms:Encrypt", key))
        assert decision.allowed
        return count_calls(lambda: kms.explain(arns[-1], "kms:Encrypt", key))[1]

    assert count(arns) < count(arns[-1:]) + 20


def test_an_explanation_shows_some_of_many_values_and_counts_the_others(kms: KMSMock) -> None:
    condition = {"ForAnyValue:StringEquals": {MULTIVALUED: "red"}}

    decision, _ = decide(kms, {**DENY, "Condition": condition}, context={MULTIVALUED: OTHERS})

    assert 'got ["value-0", "value-1",' in str(decision)
    assert '"value-49"] and 2,950 more' in " ".join(str(decision).split())


def test_no_statement_is_proposed_that_no_policy_has_room_for(kms: KMSMock) -> None:
    condition = {"ForAllValues:StringEquals": {MULTIVALUED: "red"}}
    role = kms.account(ACCOUNT).role(
        "App", policies=[{"Statement": {**ALLOW, "Condition": condition}}]
    )
    key = kms.client().create_key()["KeyMetadata"]["Arn"]

    denied = kms.explain(role, "kms:Encrypt", key, context={MULTIVALUED: OTHERS + VARIABLES})
    with_room = kms.explain(role, "kms:Encrypt", key, context={MULTIVALUED: OTHERS[:9]})

    assert not denied.allowed
    assert denied.missing == ()
    assert len(with_room.missing) == 1


@pytest.mark.parametrize(
    "statement",
    [
        {"Action": [f"kms:Encrypt{word}" for word in WORDS]},
        {"Action": [f"kms:Encrypt*{word}" for word in WORDS]},
        {
            "Action": "*",
            "Condition": {"StringEquals": {f"kms:EncryptionContext{w}": "" for w in WORDS}},
        },
    ],
    ids=["actions", "patterns of actions", "condition keys"],
)
def test_of_many_misspelt_names_only_some_are_compared_with_all_known_ones(
    kms: KMSMock, statement: dict[str, Any]
) -> None:
    client = kms.client()
    key = client.create_key()["KeyMetadata"]["KeyId"]
    policy = json.dumps({"Statement": [{**ALLOW, "Principal": "*"}, {**DENY, **statement}]})
    size = len(policy)

    def put() -> list[str]:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            client.put_key_policy(KeyId=key, PolicyName="default", Policy=policy)
        texts = [str(warning.message) for warning in caught]
        return [text for text in texts if text.startswith("the key policy")]

    texts, calls = count_calls(put)

    assert len(texts) == 31
    assert texts[-1] == (
        "the key policy: KMS has none of 770 more of its actions and condition keys"
    )
    assert all("did you mean" in text for text in texts[:-1])
    assert calls < 40 * size


def test_a_denial_that_many_statements_nearly_allow_proposes_some_of_them(kms: KMSMock) -> None:
    conditions = [{"StringEquals": {"aws:userid": word}} for word in WORDS[:100]]
    statements = [{**ALLOW, "Condition": condition} for condition in conditions]
    role = kms.account(ACCOUNT).role("App", policies=[{"Statement": statements}])
    key = kms.client().create_key()["KeyMetadata"]["Arn"]

    denied = kms.explain(role, "kms:Encrypt", key)

    assert not denied.allowed
    assert len(denied.missing) == 1  # all of them come to the same statement
    assert len(denied.steps) == 101


def test_a_long_list_is_shown_once_in_an_explanation(kms: KMSMock) -> None:
    statements = [
        {**DENY, "Condition": {"ForAnyValue:StringEquals": {MULTIVALUED: word}}} for word in "ab"
    ]

    decision, _ = decide(kms, *statements, context={MULTIVALUED: OTHERS})

    first, second, *_ = decision.steps
    assert first.why[0].endswith(" and 2,950 more")
    assert second.why == (
        "condition ForAnyValue:StringEquals aws:TagKeys: wanted b; got the same as above",
    )


@pytest.mark.parametrize("grants", [0, 1], ids=["condition", "grant"])
def test_an_encryption_context_of_many_names_is_shown_in_part(kms: KMSMock, grants: int) -> None:
    condition = {"ForAllValues:StringEquals": {"kms:EncryptionContextKeys": WORDS[:400]}}
    statement = {**ALLOW, "Condition": condition}
    role = kms.account(ACCOUNT).role("App", policies=[] if grants else [{"Statement": statement}])
    client = kms.client()
    key = client.create_key()["KeyMetadata"]["Arn"]
    for _ in range(grants):
        client.create_grant(
            KeyId=key,
            GranteePrincipal=role.arn,
            Operations=["Encrypt"],
            Constraints={"EncryptionContextEquals": {"a": "b"}},
        )

    def explain() -> str:
        context = dict.fromkeys([*WORDS[:400], *(f"{name}-longer" for name in OTHERS)], "1")
        return str(kms.explain(role, "kms:Encrypt", key, encryption_context=context))

    text, calls = count_calls(explain)

    assert "more" in text
    assert len(text) < 10_000
    assert calls < 60 * len(OTHERS)
