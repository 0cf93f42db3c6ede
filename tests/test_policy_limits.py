"""The limits of policies are the same wherever a policy enters."""

from __future__ import annotations

import json

import pytest

from kmsmock import mock_kms
from tests.policies_of_size import ACCOUNT, CONTROL, IDENTITY, KEY, ROLE, TRUST, policy
from tests.refusals import refused

TRUSTING = policy(200, TRUST)


def attachable(kms, number):
    """Create managed policies; return their ARNs."""
    iam = kms.client("iam")
    return [
        iam.create_policy(PolicyName=f"p{each}", PolicyDocument=policy(110))["Policy"]["Arn"]
        for each in range(number)
    ]


# --- in calls to AWS ------------------------------------------------------------------------------


def put_user_policy(kms, text):
    kms.account(ACCOUNT).user("ann")
    kms.client("iam").put_user_policy(UserName="ann", PolicyName="p", PolicyDocument=text)


def put_role_policy(kms, text):
    kms.account(ACCOUNT).role("App")
    kms.client("iam").put_role_policy(RoleName="App", PolicyName="p", PolicyDocument=text)


def put_group_policy(kms, text):
    kms.client("iam").create_group(GroupName="team")
    kms.client("iam").put_group_policy(GroupName="team", PolicyName="p", PolicyDocument=text)


def create_policy(kms, text):
    kms.client("iam").create_policy(PolicyName="p", PolicyDocument=text)


def create_policy_version(kms, text):
    arn = attachable(kms, 1)[0]
    kms.client("iam").create_policy_version(PolicyArn=arn, PolicyDocument=text)


def create_role(kms, text):
    kms.client("iam").create_role(RoleName="New", AssumeRolePolicyDocument=text)


def update_trust(kms, text):
    kms.account(ACCOUNT).role("App")
    kms.client("iam").update_assume_role_policy(RoleName="App", PolicyDocument=text)


def create_key(kms, text):
    kms.client().create_key(Policy=text)


def put_key_policy(kms, text):
    kms.client().put_key_policy(KeyId=kms.client().create_key()["KeyMetadata"]["Arn"], Policy=text)


def assume_role(kms, text):
    role = kms.account(ACCOUNT).role("App", trust=TRUSTING)
    kms.client("sts").assume_role(RoleArn=role.arn, RoleSessionName="session", Policy=text)


def get_federation_token(kms, text):
    kms.client("sts").get_federation_token(Name="federated", Policy=text)


QUOTA = "Cannot exceed quota for {}: {}"
INLINE = "Maximum policy size of {} bytes exceeded for {}"
KMS_QUOTA = "Key policy size quota is 32768 bytes, current size is 32769."
CALLS = [
    (put_user_policy, IDENTITY, 2048, "LimitExceeded", INLINE.format(2048, "user ann")),
    (put_role_policy, IDENTITY, 10_240, "LimitExceeded", INLINE.format(10_240, "role App")),
    (put_group_policy, IDENTITY, 5120, "LimitExceeded", INLINE.format(5120, "group team")),
    (create_policy, IDENTITY, 6144, "LimitExceeded", QUOTA.format("PolicySize", 6144)),
    (create_policy_version, IDENTITY, 6144, "LimitExceeded", QUOTA.format("PolicySize", 6144)),
    (create_role, TRUST, 2048, "LimitExceeded", QUOTA.format("ACLSizePerRole", 2048)),
    (update_trust, TRUST, 2048, "LimitExceeded", QUOTA.format("ACLSizePerRole", 2048)),
    (create_key, KEY, 32_768, "LimitExceededException", KMS_QUOTA),
    (put_key_policy, KEY, 32_768, "LimitExceededException", KMS_QUOTA),
    (assume_role, IDENTITY, 2048, "ValidationError", None),
    (get_federation_token, IDENTITY, 2048, "ValidationError", None),
]


@pytest.mark.parametrize(
    ("call", "elements", "limit", "code", "text"), CALLS, ids=[row[0].__name__ for row in CALLS]
)
def test_a_call_refuses_a_policy_beyond_the_limit(kms, call, elements, limit, code, text):
    call(kms, policy(limit, elements))
    kms.reset()
    with refused(code, text):
        call(kms, policy(limit + 1, elements))


def test_the_note_of_the_error_has_the_size(kms):
    with refused("LimitExceeded") as caught:
        create_role(kms, policy(2100, TRUST))
    assert (
        "The limit of the trust policy of a role is 2,048 characters, not counting white space, "
        "and the size is 2,100."
    ) in str(caught.value) + "".join(caught.value.__notes__)


def test_a_session_policy_is_refused_before_the_trust_policy_decides(kms):
    text = policy(2049)
    role = kms.account(ACCOUNT).role("Closed", trust=TRUSTING.replace("Allow", "Deny"))
    with refused(
        "ValidationError",
        f"1 validation error detected: Value '{text}' at 'policy' failed to satisfy constraint: "
        "Member must have length less than or equal to 2048",
    ):
        kms.client("sts").assume_role(RoleArn=role.arn, RoleSessionName="session", Policy=text)


PACKED = {
    "policy and ARNs": (
        {"Policy": policy(2000), "PolicyArns": [{"arn": "arn:aws:iam::aws:policy/ReadOnlyAccess"}]},
        "Packed policy consumes 100% of allotted space, please use smaller policy.",
    ),
    "policy and tags": (
        {"Policy": policy(2000), "Tags": [{"Key": "team", "Value": "a" * 200}]},
        "Packed policy consumes 108% of allotted space, please use smaller policy.",
    ),
    "tags": (
        {"Tags": [{"Key": f"tag-{n:02}", "Value": "a" * 250} for n in range(10)]},
        "Packed size of session tags consumes 125% of allotted space.",
    ),
}


@pytest.mark.parametrize(("session", "text"), PACKED.values(), ids=PACKED)
def test_policies_arns_and_tags_of_a_session_are_limited_together(kms, session, text):
    trust = {"Principal": {"AWS": ACCOUNT}, "Action": ["sts:AssumeRole", "sts:TagSession"]}
    kms.account(ACCOUNT).role("App", trust=policy(300, trust))
    call = {"RoleArn": ROLE, "RoleSessionName": "session", **session}
    if text.startswith("Packed policy consumes 100%"):
        call["PolicyArns"] *= 2
        text = text.replace("100%", "102%")
    with refused("PackedPolicyTooLarge", text):
        kms.client("sts").assume_role(**call)


def test_a_session_has_ten_managed_policies(kms):
    kms.account(ACCOUNT).role("App", trust=TRUSTING)
    arns = [{"arn": arn} for arn in attachable(kms, 11)]
    call = {"RoleArn": ROLE, "RoleSessionName": "session"}
    kms.client("sts").assume_role(**call, PolicyArns=arns[:10])
    with refused("ValidationError"):
        kms.client("sts").assume_role(**call, PolicyArns=arns)


@pytest.mark.parametrize("word", ["User", "Role", "Group"])
def test_ten_managed_policies_can_be_attached(kms, word):
    iam, named = kms.client("iam"), {f"{word}Name": "App"}
    trust = {"AssumeRolePolicyDocument": TRUSTING} if word == "Role" else {}
    getattr(iam, f"create_{word.lower()}")(**named, **trust)
    attach = getattr(iam, f"attach_{word.lower()}_policy")
    arns = attachable(kms, 11)
    for arn in [*arns[:10], arns[0]]:
        attach(**named, PolicyArn=arn)
    with refused("LimitExceeded", f"Cannot exceed quota for PoliciesPer{word}: 10"):
        attach(**named, PolicyArn=arns[10])


def test_what_moto_has_accepted_applies_and_is_warned_of():
    moto = pytest.importorskip("moto")
    with moto.mock_aws(), mock_kms(isolated=True) as kms:
        iam = kms.client("iam")
        with pytest.warns(UserWarning, match=r"AWS refuses .* ACLSizePerRole: 2048"):
            iam.create_role(RoleName="App", AssumeRolePolicyDocument=policy(2500, TRUST))
        with pytest.warns(UserWarning, match=r"AWS refuses .* 10240 bytes exceeded for role App"):
            iam.put_role_policy(RoleName="App", PolicyName="p", PolicyDocument=policy(11_000))
        assert kms.principal(ROLE).client().list_keys()["Keys"] == []


# --- in arguments ---------------------------------------------------------------------------------


ARGUMENTS = {
    "policies of a user": (2048, IDENTITY, lambda a, text: a.user("ann", policies=text)),
    "policies of a role": (10_240, IDENTITY, lambda a, text: a.role("App", policies=text)),
    "set_policies": (10_240, IDENTITY, lambda a, text: a.role("App").set_policies(text)),
    "boundary of a user": (6144, IDENTITY, lambda a, text: a.user("ann", boundary=text)),
    "boundary of a role": (6144, IDENTITY, lambda a, text: a.role("App", boundary=text)),
    "set_boundary": (6144, IDENTITY, lambda a, text: a.role("App").set_boundary(text)),
    "trust": (2048, TRUST, lambda a, text: a.role("App", trust=text)),
    "set_trust": (2048, TRUST, lambda a, text: a.role("App").set_trust(text)),
    "session_policies": (2048, IDENTITY, lambda a, text: a.role("App", session_policies=text)),
    "federated_user": (
        2048,
        IDENTITY,
        lambda a, text: a.user("ann").federated_user("fed", policies=text),
    ),
    "service_control": (
        10_240,
        IDENTITY,
        lambda a, text: a.join_organization("o-a", service_control=[text]),
    ),
    "resource_control": (
        5120,
        CONTROL,
        lambda a, text: a.join_organization("o-a", resource_control=[text]),
    ),
}


@pytest.mark.parametrize(("limit", "elements", "use"), ARGUMENTS.values(), ids=ARGUMENTS)
@pytest.mark.parametrize("read", [str, json.loads], ids=["text", "dict"])
def test_an_argument_beyond_the_limit_is_an_error_that_names_it(kms, limit, elements, use, read):
    account = kms.account(ACCOUNT)
    use(account, read(policy(limit, elements)))
    with pytest.raises(ValueError, match=f"limit of .* is {limit:,} .*the size is {limit + 1:,}"):
        use(account, read(policy(limit + 1, elements)))


def test_white_space_does_not_count_for_iam(kms):
    padded = policy(2000) + " \n" * 5000
    assert kms.account(ACCOUNT).user("ann", policies=padded).client().list_keys()["Keys"] == []


def test_white_space_counts_for_sessions_and_organizations(kms):
    account, padded = kms.account(ACCOUNT), policy(2000) + " \n" * 5000
    with pytest.raises(ValueError, match=r"session policies .* the size is 12,000"):
        account.role("App", session_policies=padded)
    with pytest.raises(ValueError, match=r"service control policy .* the size is 12,000"):
        account.join_organization("o-a", service_control=[padded])


def test_inline_policies_count_together(kms):
    with pytest.raises(ValueError, match="inline policies of a user together is 2,048"):
        kms.account(ACCOUNT).user("ann", policies=[policy(1000)] * 3)
    assert not any(user.name == "ann" for user in kms.backend.identities.entities.values())


NUMBERS = {
    "attached": (10, lambda kms, n: kms.account(ACCOUNT).role("App", policies=attachable(kms, n))),
    "of a session": (
        10,
        lambda kms, n: kms.account(ACCOUNT).role("App", session_policies=attachable(kms, n)),
    ),
    "service_control": (
        10,
        lambda kms, n: kms.account(ACCOUNT).join_organization(
            "o-a", service_control=[[policy(200 + each) for each in range(n)]]
        ),
    ),
    "resource_control": (
        4,
        lambda kms, n: kms.account(ACCOUNT).join_organization(
            "o-a", resource_control=[[policy(200 + each, CONTROL) for each in range(n)]]
        ),
    ),
    "levels": (
        7,
        lambda kms, n: kms.account(ACCOUNT).join_organization(
            "o-a", service_control=[policy(200)] * n
        ),
    ),
}


@pytest.mark.parametrize(("limit", "use"), NUMBERS.values(), ids=NUMBERS)
def test_there_can_be_only_so_many_policies(kms, limit, use):
    use(kms, limit)
    kms.reset()
    with pytest.raises(ValueError, match=f"limit of .* is {limit}, and there are {limit + 1}"):
        use(kms, limit + 1)


def test_the_full_access_that_is_always_attached_can_be_listed(kms):
    full = {"Statement": {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}}
    own = [policy(200 + each, CONTROL) for each in range(4)]
    kms.account(ACCOUNT).join_organization("o-a", resource_control=[[full, *own]])
