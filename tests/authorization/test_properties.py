"""What holds for any policies: the evaluator against a naive one, and laws of its own."""

from __future__ import annotations

import contextlib
import fnmatch
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kmsmock.authorization import policy_document
from kmsmock.authorization.evaluation import evaluate
from kmsmock.authorization.policy import parse
from kmsmock.authorization.policy_document import MalformedPolicyError, PolicyKind
from kmsmock.authorization.request import AppliedPolicies, Request
from kmsmock.aws.principals import Principal, PrincipalKind
from tests.thoroughness import examples

ACCOUNT, OTHER = "111122223333", "444455556666"
KEY = f"arn:aws:kms:us-east-1:{ACCOUNT}:key/k"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/App"
SESSION = f"arn:aws:sts::{ACCOUNT}:assumed-role/App/s"
USER = f"arn:aws:iam::{ACCOUNT}:user/bob"
CONTEXT = {"kms:encryptioncontext:a": "1", "aws:securetransport": "true"}
PRINCIPALS = {
    "session": Principal(PrincipalKind.ASSUMED_ROLE, SESSION, ACCOUNT, "AROA:s", ROLE),
    "user": Principal(PrincipalKind.USER, USER, ACCOUNT, "AIDA"),
    "root": Principal(PrincipalKind.ROOT, f"arn:aws:iam::{ACCOUNT}:root", ACCOUNT, ACCOUNT),
    "stranger": Principal(PrincipalKind.USER, f"arn:aws:iam::{OTHER}:user/eve", OTHER, "AIDB"),
}

actions = st.sampled_from(["kms:*", "kms:Encrypt", "kms:Dec*", "*", "kms:?ncrypt", "s3:*"])
conditions = st.sampled_from(
    [
        {},
        {"StringEquals": {"kms:EncryptionContext:a": "1"}},
        {"StringNotEquals": {"kms:EncryptionContext:a": "1"}},
        {"StringLike": {"kms:EncryptionContext:b": "*"}},
        {"Null": {"kms:ViaService": "true"}},
    ]
)
names = st.sampled_from([ACCOUNT, ROLE, SESSION, USER, f"arn:aws:iam::{OTHER}:root", "*"])
resources = st.sampled_from(["*", KEY, KEY[:-1] + "*", KEY + "x"])


def statements(*, with_principal: bool) -> st.SearchStrategy[dict[str, Any]]:
    members = {
        "Effect": st.sampled_from(["Allow", "Deny"]),
        "Action": st.lists(actions, min_size=1, max_size=2),
        "Resource": resources,
        "Condition": conditions,
    }
    if with_principal:
        members["Principal"] = st.builds(lambda name: {"AWS": name}, names)
    return st.fixed_dictionaries(members)


def some(*, with_principal: bool = False) -> st.SearchStrategy[list[dict[str, Any]]]:
    return st.lists(statements(with_principal=with_principal), min_size=1, max_size=3)


worlds = st.fixed_dictionaries(
    {
        "key": some(with_principal=True),
        "identity": some(),
        "boundary": st.none() | some(),
        "session": st.none() | some(),
        "scp": st.none() | some(),
        "who": st.sampled_from(sorted(PRINCIPALS)),
        "action": st.sampled_from(["kms:Encrypt", "kms:Decrypt", "kms:PutKeyPolicy"]),
    }
)


def decide(world):
    def read(name, kind):
        found = world[name]
        return None if found is None else parse({"Statement": found}, kind)

    session = read("session", PolicyKind.SESSION)
    scp = read("scp", PolicyKind.SERVICE_CONTROL)
    identity = read("identity", PolicyKind.IDENTITY)
    assert identity is not None
    policies = AppliedPolicies(
        read("key", PolicyKind.RESOURCE),
        (identity,),
        read("boundary", PolicyKind.BOUNDARY),
        None if session is None else (session,),
        () if scp is None else ((scp,),),
    )
    request = Request(PRINCIPALS[world["who"]], world["action"], KEY, ACCOUNT, lambda: CONTEXT)
    return evaluate(request, policies)


# --- a naive model: sets of matching statements, and the tables of the IAM User Guide ------------


def naive_condition(condition):
    for operator, tests in condition.items():
        for key, wanted in tests.items():
            value = CONTEXT.get(key.lower())
            fits = {
                "StringEquals": value == wanted,
                "StringNotEquals": value != wanted,
                "StringLike": value is not None and fnmatch.fnmatchcase(value, wanted),
                "Null": (value is None) is (wanted == "true"),
            }
            if not fits[operator]:
                return False
    return True


def naive_matching(found, world, effect):
    return [
        s
        for s in found or ()
        if s["Effect"] == effect
        and any(fnmatch.fnmatchcase(world["action"], action) for action in s["Action"])
        and fnmatch.fnmatchcase(KEY, s["Resource"])
        and naive_condition(s["Condition"])
    ]


def naive(world):
    who = PRINCIPALS[world["who"]]
    everybody = {"*"}
    accounts = {who.account, f"arn:aws:iam::{who.account}:root"}
    direct = everybody | ({SESSION} if who.arn == SESSION else {USER} if who.arn == USER else set())
    by_role = {ROLE} if who.arn == SESSION else set()

    def named(effect, whom):
        found = naive_matching(world["key"], world, effect)
        return [s for s in found if s["Principal"]["AWS"] in whom]

    others = ("identity", "boundary", "session", "scp")
    if named("Deny", direct | by_role | accounts):
        return False
    if any(naive_matching(world[name], world, "Deny") for name in others):
        return False

    def allows(name):
        return world[name] is None or bool(naive_matching(world[name], world, "Allow"))

    if not allows("scp"):
        return False
    limits = allows("boundary") and allows("session")
    caller = who.kind is PrincipalKind.ROOT or (allows("identity") and limits)
    if who.account != ACCOUNT:
        shared = named("Allow", direct | by_role | accounts)
        return bool(shared) and caller and world["action"] != "kms:PutKeyPolicy"
    if named("Allow", direct):
        return True
    if named("Allow", by_role):
        return limits
    return bool(named("Allow", accounts)) and caller


@examples(150)
@given(worlds)
def test_the_evaluator_agrees_with_a_naive_one(world):
    assert decide(world).allowed is naive(world)


@examples(50)
@given(worlds, statements(with_principal=True))
def test_adding_a_deny_never_allows(world, statement):
    before = decide(world).allowed
    world["key"] = [*world["key"], {**statement, "Effect": "Deny"}]

    assert before or not decide(world).allowed


@examples(50)
@given(worlds, statements(with_principal=False))
def test_adding_an_allow_never_denies(world, statement):
    before = decide(world).allowed
    world["identity"] = [*world["identity"], {**statement, "Effect": "Allow"}]

    assert decide(world).allowed or not before


@examples(50)
@given(worlds, st.randoms())
def test_the_order_of_statements_is_irrelevant(world, random):
    before = decide(world).allowed
    for name in ("key", "identity"):
        random.shuffle(world[name])

    assert decide(world).allowed is before


junk = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner),
    max_leaves=6,
)
WORDS = ("Version", "Statement", "Effect", "Action", "Resource", "Principal", "Condition", "AWS")
nearly = st.recursive(
    junk | st.sampled_from(["Allow", "Deny", "2012-10-17", "*", "kms:*"]),
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(WORDS), inner, max_size=4)
    ),
    max_leaves=12,
)


@examples(100)
@given(junk | nearly, st.sampled_from(PolicyKind))
def test_any_json_is_a_policy_or_malformed(document, kind):
    with contextlib.suppress(MalformedPolicyError):
        assert parse(json.dumps(document), kind).statements


def test_a_text_longer_than_any_policy_is_not_read() -> None:
    longest = policy_document._LONGEST

    with pytest.raises(MalformedPolicyError) as caught:
        policy_document.read_document(" " * (longest + 1))
    assert str(caught.value) == (
        f"it has {longest + 1:,} characters; AWS accepts at most {longest:,} as any policy"
    )
    with pytest.raises(MalformedPolicyError, match="the text is empty"):
        policy_document.read_document(" " * longest)
