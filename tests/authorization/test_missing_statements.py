"""What explanations propose to add, where several accounts and kinds of policy have a say."""

from __future__ import annotations

from typing import Any

import pytest

from kmsmock import KMSMock, Principal
from tests.authorization.documents import ACCOUNT, OTHER, allow, policy, to

TENANT = {"StringEquals": {"kms:EncryptionContext:tenant": "a"}}


def put(client: Any, key: Any, *statements: dict[str, Any]) -> None:
    own = allow("kms:*", **to(f"arn:aws:iam::{ACCOUNT}:user/Administrator"))
    client.put_key_policy(KeyId=key["KeyId"], Policy=policy(own, *statements))


def missing(kms: KMSMock, who: Principal, key: Any, **more: Any) -> list[tuple[str, Any]]:
    decision = kms.explain(who, "kms:Decrypt", key["Arn"], **more)
    assert not decision
    return [(each.where, each.statement) for each in decision.missing]


def of_key(key: Any, who: Principal, **more: Any) -> tuple[str, Any]:
    statement = {"Effect": "Allow", **to(who.arn), "Action": "kms:Decrypt", "Resource": "*", **more}
    return f"key policy of {key['Arn']}", statement


def of_identity(key: Any, who: Principal, **more: Any) -> tuple[str, Any]:
    return f"identity policy of {who.arn}", {
        "Effect": "Allow",
        "Action": "kms:Decrypt",
        "Resource": key["Arn"],
        **more,
    }


def test_a_foreign_caller_needs_both_accounts(kms: KMSMock, key: Any) -> None:
    eve = kms.account(OTHER).user("eve")

    assert missing(kms, eve, key) == [of_key(key, eve), of_identity(key, eve)]


@pytest.mark.parametrize("who", ["allowed", "root"])
def test_a_foreign_caller_whose_account_allows_it_needs_that_of_the_key(
    kms: KMSMock, key: Any, who: str
) -> None:
    account = kms.account(OTHER)
    caller = (
        account.root
        if who == "root"
        else account.user("eve", policies=[policy(allow("kms:Decrypt"))])
    )

    assert missing(kms, caller, key) == [of_key(key, caller)]


def test_what_the_foreign_account_allows_under_a_condition_is_kept_apart(
    kms: KMSMock, key: Any
) -> None:
    eve = kms.account(OTHER).user("eve", policies=[policy(allow("kms:Decrypt", Condition=TENANT))])
    found = missing(kms, eve, key, encryption_context={"tenant": "b"})

    b = {"StringEquals": {"kms:EncryptionContext:tenant": "b"}}
    assert found == [of_key(key, eve), of_identity(key, eve, Condition=b)]


def test_the_condition_of_an_identity_policy_is_kept_where_the_key_policy_has_to_say_it(
    kms: KMSMock, client: Any, key: Any
) -> None:
    put(client, key)
    ann = kms.account(ACCOUNT).user(
        "ann", policies=[policy(allow("kms:Decrypt", Condition=TENANT))]
    )
    b = {"StringEquals": {"kms:EncryptionContext:tenant": "b"}}

    found = missing(kms, ann, key, encryption_context={"tenant": "b"})

    assert found == [of_key(key, ann, Condition=b)]


def test_a_condition_of_the_key_policy_is_proposed_for_the_values_of_the_request(
    kms: KMSMock, client: Any, key: Any
) -> None:
    ann = kms.account(ACCOUNT).user("ann")
    put(client, key, allow("kms:Decrypt", **to(ann.arn), Condition=TENANT))
    b = {"StringEquals": {"kms:EncryptionContext:tenant": "b"}}

    assert missing(kms, ann, key, encryption_context={"tenant": "b"}) == [
        of_key(key, ann, Condition=b)
    ]
    assert missing(kms, ann, key) == []  # without the value, no statement would help


@pytest.mark.parametrize(
    ("operator", "value"),
    [("StringNotEquals", "b"), ("Null", "true")],
)
def test_nothing_is_proposed_that_would_not_hold(
    kms: KMSMock, client: Any, key: Any, operator: str, value: str
) -> None:
    ann = kms.account(ACCOUNT).user("ann")
    test = {operator: {"kms:EncryptionContext:tenant": value}}
    put(client, key, allow("kms:Decrypt", **to(ann.arn), Condition=test))

    assert missing(kms, ann, key, encryption_context={"tenant": "b"}) == []


def test_a_boundary_with_a_condition_is_named(kms: KMSMock, key: Any) -> None:
    ann = kms.account(ACCOUNT).user(
        "ann",
        policies=[policy(allow("kms:*"))],
        boundary=policy(allow("kms:Decrypt", Condition=TENANT)),
    )
    [(where, statement)] = missing(kms, ann, key, encryption_context={"tenant": "b"})

    assert where == "the permissions boundary"
    assert statement["Condition"] == {"StringEquals": {"kms:EncryptionContext:tenant": "b"}}


def test_a_service_is_named_as_one(kms: KMSMock, key: Any) -> None:
    service = kms.principal("sns.amazonaws.com")

    [(where, statement)] = missing(kms, service, key)

    assert where == f"key policy of {key['Arn']}"
    assert statement["Principal"] == {"Service": "sns.amazonaws.com"}


@pytest.mark.parametrize("boundary", ["permissions boundary", "session policy"])
def test_a_limit_that_is_silent_is_named(kms: KMSMock, key: Any, boundary: str) -> None:
    silent = policy(allow("s3:*"))
    is_boundary = boundary == "permissions boundary"
    limit: Any = {"boundary": silent} if is_boundary else {"session_policies": [silent]}
    role = kms.account(ACCOUNT).role("App", policies=[policy(allow("kms:*"))], **limit)

    [(where, statement)] = missing(kms, role, key)

    assert where == f"the {boundary}"
    assert statement == {"Effect": "Allow", "Action": "kms:Decrypt", "Resource": key["Arn"]}


# --- what was consulted -----------------------------------------------------------------------


def test_of_many_grants_ten_are_shown(kms: KMSMock, client: Any, key: Any) -> None:
    role = kms.account(ACCOUNT).role("App")
    for _ in range(12):
        client.create_grant(
            KeyId=key["KeyId"], GranteePrincipal=role.arn, Operations=["DescribeKey"]
        )

    steps = kms.explain(role, "kms:Decrypt", key["Arn"]).steps
    grants = [step for step in steps if "grant" in step.subject]

    assert len(grants) == 11
    assert [str(step) for step in grants[10:]] == ["more grants: does not apply\n  not shown"]


def test_ten_grants_are_shown_without_a_word_about_more(
    kms: KMSMock, client: Any, key: Any
) -> None:
    role = kms.account(ACCOUNT).role("App")
    for _ in range(10):
        client.create_grant(
            KeyId=key["KeyId"], GranteePrincipal=role.arn, Operations=["DescribeKey"]
        )

    assert "more grants" not in str(kms.explain(role, "kms:Decrypt", key["Arn"]))


@pytest.mark.parametrize("element", ["Action", "Resource"])
def test_an_element_that_a_statement_lacks_is_named(
    kms: KMSMock, client: Any, key: Any, element: str
) -> None:
    ann = kms.account(ACCOUNT).user("ann")
    statement = allow("kms:Decrypt", **to(ann.arn))
    del statement[element]
    put(client, key, statement)

    step = kms.explain(ann, "kms:Decrypt", key["Arn"]).steps[1]

    assert any(f"the statement has no {element}" in why for why in step.why)


@pytest.mark.parametrize(("names", "words"), [(4, "kms:A3; asked"), (6, "kms:A3 and 2 more; ask")])
def test_of_many_names_four_are_shown(kms: KMSMock, key: Any, names: int, words: str) -> None:
    actions = [f"kms:A{number}" for number in range(names)]
    role = kms.account(ACCOUNT).role("App", policies=[policy(allow(actions))])

    assert words in str(kms.explain(role, "kms:Decrypt", key["Arn"]).steps[-1])


@pytest.mark.parametrize("element", ["Action", "Resource"])
def test_an_element_that_makes_exceptions_says_so(kms: KMSMock, key: Any, element: str) -> None:
    asked = {"Action": "kms:Decrypt", "Resource": key["Arn"]}
    statement = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    del statement[element]
    statement[f"Not{element}"] = asked[element]
    role = kms.account(ACCOUNT).role("App", policies=[policy(statement)])

    [why] = kms.explain(role, "kms:Decrypt", key["Arn"]).steps[-1].why

    assert why == f"{element.lower()}: all but {asked[element]}; asked for {asked[element]}"


def test_all_that_has_a_say_is_named_in_the_order_of_the_decision(
    kms: KMSMock, client: Any, key: Any
) -> None:
    everything = policy(allow("*"))
    kms.account(ACCOUNT).join_organization(
        "o-1",
        service_control=[[everything]],
        resource_control=[[policy(allow("*", Principal="*"))]],
    )
    role = kms.account(ACCOUNT).role(
        "App", policies=[everything], boundary=everything, session_policies=[everything]
    )
    made = client.create_grant(
        KeyId=key["KeyId"], GranteePrincipal=role.arn, Operations=["DescribeKey"]
    )

    assert [step.subject for step in kms.explain(role, "kms:Decrypt", key["Arn"]).steps] == [
        "service control policy, statement 1, Allow",
        "resource control policy, statement 1, Allow",
        "key policy, statement 1 (Enable IAM User Permissions), Allow",
        f"grant {made['GrantId'][:12]}",
        "identity policy policy 1, statement 1, Allow",
        "permissions boundary, statement 1, Allow",
        "session policy, statement 1, Allow",
    ]


def test_a_caller_without_policies_is_told_as_one(kms: KMSMock, key: Any) -> None:
    step = kms.explain(kms.account(ACCOUNT).user("ann"), "kms:Decrypt", key["Arn"]).steps[-1]

    assert str(step).startswith("identity policies: does not apply\n  the caller has none")
