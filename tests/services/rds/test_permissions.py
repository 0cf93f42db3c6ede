"""Half of the permission does not do: what policies of both accounts have to allow of keys."""

from __future__ import annotations

import pytest

from tests.authorization.documents import allow, deny, policy, to
from tests.refusals import refused
from tests.services.rds.world import EAST, SOURCE, TARGET, source_fault, target_fault


def test_without_the_key_policy_the_source_key_cannot_be_used(world):
    world.limit_key()
    world.share()

    with source_fault(world) as caught:
        world.copy()

    assert "kms:DescribeKey was refused" in caught.value.__notes__[0]
    assert world.list() == []


def test_all_the_usual_actions_are_not_enough_without_create_grant(world):
    world.share()
    usual = ("kms:DescribeKey", "kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*")
    world.limit_key(*usual, "kms:GenerateDataKey*")
    with source_fault(world) as caught:
        world.copy()
    assert "kms:CreateGrant was refused" in caught.value.__notes__[0]

    world.limit_key(*usual, "kms:GenerateDataKey*", "kms:CreateGrant")
    world.copy()


@pytest.mark.parametrize(
    ("action", "on", "is_refused"),
    [
        ("kms:DescribeKey", "source_key", True),
        ("kms:CreateGrant", "source_key", True),
        ("kms:DescribeKey", "target_key", True),
        ("kms:CreateGrant", "target_key", True),
        ("kms:Decrypt", "source_key", False),
        ("kms:GenerateDataKey*", "target_key", False),
        ("kms:ReEncrypt*", "source_key", False),
    ],
)
def test_the_identity_policy_of_the_target_is_the_other_half(world, action, on, is_refused):
    world.share()
    key = getattr(world, on)
    statements = allow(["rds:*", "kms:*"]), deny(action, key)
    caller = world.target.role("Copier", policies=[policy(*statements)]).client("rds")
    if not is_refused:
        world.copy(caller)
        return

    fault = source_fault(world) if on == "source_key" else target_fault(world, key)
    with fault:
        world.copy(caller)
    assert world.target_kms.list_grants(KeyId=world.target_key)["Grants"] == []


def test_a_key_policy_can_name_rds_as_the_one_that_calls(world):
    statement = allow(
        ["kms:DescribeKey", "kms:CreateGrant"],
        world.source_key,
        Condition={"StringEquals": {"kms:ViaService": f"rds.{EAST}.amazonaws.com"}},
    )
    caller = world.target.role(
        "Copier",
        policies=[policy(allow("rds:*"), allow("kms:*", world.target_key), statement)],
    )
    world.share()

    world.copy(caller.client("rds"))

    with refused("AccessDeniedException"):
        caller.client("kms").describe_key(KeyId=world.source_key)


def test_a_key_policy_can_leave_grants_to_services_alone(world):
    target = to(f"arn:aws:iam::{TARGET}:root")
    for_services = {"Bool": {"kms:GrantIsForAWSResource": "true"}}
    world.source_kms.put_key_policy(
        KeyId=world.source_key,
        Policy=policy(
            allow("kms:*", **to(f"arn:aws:iam::{SOURCE}:root")),
            allow("kms:DescribeKey", **target),
            allow("kms:CreateGrant", **target, Condition=for_services),
        ),
    )
    world.share()

    assert world.copy()["KmsKeyId"] == world.target_key

    with refused("AccessDeniedException"):
        world.target_kms.create_grant(
            KeyId=world.source_key,
            GranteePrincipal=f"arn:aws:iam::{TARGET}:root",
            Operations=["Decrypt"],
        )


def test_the_root_user_cannot_copy_what_is_shared(world):
    world.share()

    with source_fault(world) as caught:
        world.copy(world.target.root.client("rds"))

    assert "root user" in caught.value.__notes__[0]
