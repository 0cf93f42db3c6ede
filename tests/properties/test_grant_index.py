"""Among many grants those that a request cannot fit are not looked at: nobody may notice."""

from __future__ import annotations

from datetime import datetime, timezone

from hypothesis import given
from hypothesis import strategies as st

import kmsmock.operations  # noqa: F401 - declares which have an encryption context
from kmsmock.authorization.evaluation import evaluate
from kmsmock.authorization.grant_index import Grants
from kmsmock.authorization.grants import Grant, GrantConstraints, GrantTerms
from kmsmock.authorization.request import AppliedPolicies, Request
from kmsmock.aws.principals import Principal, PrincipalKind

HERE, THERE = "111122223333", "444455556666"
ROLE = f"arn:aws:iam::{HERE}:role/App"
SESSION = f"arn:aws:sts::{HERE}:assumed-role/App/one"
KEY = f"arn:aws:kms:us-east-1:{HERE}:key/k"
SOURCES = (None, "arn:aws:sns:us-east-1:111122223333:a", "arn:aws:sns:us-east-1:111122223333:b")
CALLER = Principal(PrincipalKind.ASSUMED_ROLE, SESSION, HERE, "AROAX:one", entity_arn=ROLE)

contexts = st.dictionaries(st.sampled_from(["a", "A", "b", "c"]), st.sampled_from("xy"), max_size=3)
operations = st.sampled_from(["Encrypt", "Decrypt", "CreateGrant", "DescribeKey", "RetireGrant"])
constraints = st.none() | st.one_of(
    st.builds(GrantConstraints, equals=contexts, source_arn=st.sampled_from(SOURCES)),
    st.builds(GrantConstraints, subset=contexts, source_arn=st.sampled_from(SOURCES)),
    st.builds(GrantConstraints, source_arn=st.sampled_from(SOURCES)),
)
terms = st.builds(
    GrantTerms,
    st.lists(operations, min_size=1, max_size=3, unique=True).map(tuple),
    st.sampled_from([ROLE, SESSION, HERE, f"arn:aws:iam::{HERE}:root", THERE]),
    constraints=constraints,
    name=st.none() | st.sampled_from(["first", "second"]),
)


def grant_of(number: int, what: GrantTerms, issuer: str) -> Grant:
    made = datetime(2026, 1, 1, tzinfo=timezone.utc)
    return Grant(f"{number:064x}", KEY, "k", what, issuer, made, number)


@st.composite
def requests(draw):
    child = draw(st.none() | terms)
    source = draw(st.sampled_from(SOURCES))
    return Request(
        CALLER,
        f"kms:{draw(operations)}",
        KEY,
        draw(st.sampled_from([HERE, THERE])),
        lambda: {} if source is None else {"aws:sourcearn": source},
        encryption_context=draw(st.none() | contexts),
        child=child,
    )


@given(
    st.lists(st.tuples(terms, st.sampled_from([HERE, THERE])), max_size=12),
    st.lists(st.integers(0, 11), max_size=6),
    requests(),
)
def test_a_decision_is_the_same_as_when_each_grant_is_looked_at(made, removed, request):
    index = Grants()
    grants = [grant_of(number, *parts) for number, parts in enumerate(made)]
    for grant in grants:
        index.add(grant)
    for number in dict.fromkeys(removed):
        if number < len(grants):
            index.remove(grants[number])
    naming = index.naming(CALLER)
    in_order = sorted(naming, key=lambda grant: (_rank(grant), grant.sequence))

    by_index = evaluate(request, AppliedPolicies(grants=naming))
    one_by_one = evaluate(request, AppliedPolicies(grants=in_order))

    assert by_index == one_by_one
    assert bool(naming) == bool(in_order)


def _rank(grant: Grant) -> int:
    return [SESSION, ROLE, f"arn:aws:iam::{HERE}:root", HERE].index(grant.grantee)


@given(st.lists(terms, max_size=12), terms)
def test_a_grant_of_the_same_name_and_terms_is_found(made, wanted):
    index = Grants()
    grants = [grant_of(number, what, HERE) for number, what in enumerate(made)]
    for grant in grants:
        index.add(grant)

    same = [grant for grant in grants if wanted.name is not None and grant.terms == wanted]

    assert index.with_terms(wanted) == (same[0] if same else None)
