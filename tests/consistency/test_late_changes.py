"""With eventual consistency, some nodes answer without the last changes, as on AWS."""

from __future__ import annotations

from functools import partial

import pytest
from botocore.exceptions import ClientError

from kmsmock import KmsKeyFactory, mock_kms
from tests.consistency.conftest import SEEDS, attempt, eventual, find_seed, retried, settle
from tests.consistency.programs import (
    ACCOUNT,
    decrypt_of_new_key,
    describe_disabled_key,
    describe_replica,
    encrypt,
    list_new_alias,
    list_new_grant,
    list_new_key,
    name_new_key_for_alias,
    new_key,
    read_description,
    read_policy,
    read_removed_tags,
    read_rotation,
    read_tags,
    use_deleted_alias,
    use_deleted_material,
    use_disabled_key,
    use_enabled_key,
    use_imported_material,
    use_key_pending_deletion,
    use_key_with_new_policy,
    use_new_alias,
    use_new_grant,
    use_new_key,
    use_revoked_grant,
    use_tagged_key,
    use_updated_alias,
)


@pytest.mark.parametrize(
    ("program", "late", "seen"),
    [
        (use_new_key, "NotFoundException", "ok"),
        (name_new_key_for_alias, "NotFoundException", "ok"),
        (list_new_key, False, True),
        (decrypt_of_new_key, "AccessDeniedException", "ok"),
        (use_new_alias, "NotFoundException", "ok"),
        (list_new_alias, False, True),
        (use_deleted_alias, "ok", "NotFoundException"),
        (use_updated_alias, False, True),
        (use_new_grant, "AccessDeniedException", "ok"),
        (use_revoked_grant, "ok", "AccessDeniedException"),
        (list_new_grant, 0, 1),
        (use_disabled_key, "ok", "DisabledException"),
        (use_enabled_key, "DisabledException", "ok"),
        (use_key_pending_deletion, "ok", "KMSInvalidStateException"),
        (describe_disabled_key, "Enabled", "Disabled"),
        (read_description, "old", "new"),
        (read_tags, 0, 1),
        (read_removed_tags, 1, 0),
        (use_tagged_key, "AccessDeniedException", "ok"),
        (use_key_with_new_policy, "ok", "AccessDeniedException"),
        (read_policy, False, True),
        (read_rotation, False, True),
        (use_imported_material, "KMSInvalidStateException", "ok"),
        (use_deleted_material, "ok", "KMSInvalidStateException"),
        (describe_replica, "NotFoundException", "ok"),
    ],
    ids=lambda value: value.__name__ if callable(value) else None,
)
def test_some_orderings_answer_without_a_change_and_others_with_it(program, late, seen):
    find_seed(program, late)
    find_seed(program, seen)

    with mock_kms(isolated=True) as kms:
        assert program(kms) == seen


@pytest.mark.parametrize("seed", [1, 2, "a"])
def test_a_seed_decides_what_is_seen_late(seed):
    def answers():
        with eventual(seed) as kms:
            client = kms.client()
            key_id = client.create_key()["KeyMetadata"]["KeyId"]
            return [encrypt(client, key_id) for _ in range(6)]

    assert answers() == answers()


def test_a_grant_is_known_everywhere_to_who_has_its_token():
    for seed in SEEDS:
        with eventual(seed) as kms:
            key_id, role = new_key(kms), kms.account(ACCOUNT).role("App")
            token = kms.client().create_grant(
                KeyId=key_id, GranteePrincipal=role.arn, Operations=["Encrypt"]
            )["GrantToken"]

            role.client().encrypt(KeyId=key_id, Plaintext=b"text", GrantTokens=[token])


def test_a_new_grant_can_be_retired_at_once_by_its_token():
    for seed in SEEDS:
        with eventual(seed) as kms:
            key_id, role = new_key(kms), kms.account(ACCOUNT).role("App")
            token = kms.client().create_grant(
                KeyId=key_id,
                GranteePrincipal=role.arn,
                RetiringPrincipal=role.arn,
                Operations=["Encrypt"],
            )["GrantToken"]

            role.client().retire_grant(GrantToken=token)


def test_the_creator_of_a_key_is_told_all_of_it():
    for seed in SEEDS:
        with eventual(seed) as kms:
            metadata = kms.client().create_key(Description="new")["KeyMetadata"]

            assert (metadata["Description"], metadata["KeyState"]) == ("new", "Enabled")


@pytest.mark.parametrize("program", [use_new_key, use_new_alias, use_new_grant])
def test_all_nodes_see_a_change_once_the_clock_has_moved_on(program):
    for seed in SEEDS:
        with eventual(seed, waiting="clock") as kms:
            program(kms)
            settle(kms)
            role, client = kms.account(ACCOUNT).role("App"), kms.client()
            key = kms.keys[-1].key_id
            who = role.client() if program is use_new_grant else client
            named = "alias/app" if program is use_new_alias else key

            assert {encrypt(who, named) for _ in range(10)} == {"ok"}


def test_later_changes_of_a_key_do_not_begin_the_allowance_again():
    for seed in (252, *SEEDS):
        with eventual(seed) as kms:
            update = kms.client().update_key_description
            key_id = kms.client().create_key()["KeyMetadata"]["KeyId"]
            outcomes = [
                attempt(partial(update, KeyId=key_id, Description=str(number // 2)))
                for number in range(24)
            ]

            assert outcomes.count("NotFoundException") <= 3


def test_helpers_of_tests_see_all_changes():
    for seed in SEEDS:
        with eventual(seed) as kms:
            key_id = kms.client().create_key(Origin="EXTERNAL")["KeyMetadata"]["KeyId"]
            kms.import_material(key_id, bytes(32))
            settle(kms)
            assert encrypt(kms.client(), key_id) == "ok"


def test_the_key_factory_can_give_an_alias_to_its_new_key():
    for seed in SEEDS:
        with eventual(seed) as kms:
            key = KmsKeyFactory(kms.client())(alias="app")

            assert [alias.key.arn for alias in kms.aliases] == [key.arn]


def test_at_most_three_answers_about_a_key_are_late():
    for seed in SEEDS:
        with eventual(seed) as kms:
            client = kms.client()
            key_id = client.create_key()["KeyMetadata"]["KeyId"]

            outcomes = [encrypt(client, key_id) for _ in range(20)]

            assert outcomes.count("NotFoundException") <= 3


def test_with_waiting_clock_answers_are_late_until_the_clock_moves():
    def count_late(kms):
        key_id = kms.client().create_key()["KeyMetadata"]["KeyId"]
        return [encrypt(kms.client(), key_id) for _ in range(40)].count("NotFoundException") > 3

    find_seed(count_late, wanted=True, waiting="clock")


def test_code_that_tries_again_after_not_found_always_succeeds():
    for seed in SEEDS:
        with eventual(seed) as kms:
            client = kms.client()
            key_id = client.create_key()["KeyMetadata"]["KeyId"]
            retried(lambda c=client, k=key_id: c.create_alias(AliasName="alias/a", TargetKeyId=k))
            retried(lambda c=client: c.encrypt(KeyId="alias/a", Plaintext=b"text"))


def test_code_that_polls_until_a_state_is_visible_ends():
    for seed in SEEDS:
        with eventual(seed) as kms:
            client, key_id = kms.client(), new_key(kms)
            client.disable_key(KeyId=key_id)
            polls = 0
            while client.describe_key(KeyId=key_id)["KeyMetadata"]["Enabled"]:
                polls += 1

            assert polls <= 3


def test_the_objects_of_a_test_show_the_state_that_all_nodes_will_see():
    for seed in SEEDS:
        with eventual(seed) as kms:
            key_id = kms.client().create_key()["KeyMetadata"]["KeyId"]
            encrypt(kms.client(), key_id)
            retried(
                lambda kms=kms, key_id=key_id: kms.client().create_alias(
                    AliasName="alias/app", TargetKeyId=key_id
                )
            )

            assert [key.key_id for key in kms.keys] == [key_id]
            assert [alias.name for alias in kms.aliases] == ["alias/app"]
            caller = f"arn:aws:iam::{ACCOUNT}:root"
            assert kms.explain(caller, "kms:Encrypt", "alias/app").allowed


def test_lists_are_in_the_order_of_creation_whatever_was_seen_late():
    for seed in SEEDS:
        with eventual(seed) as kms:
            client = kms.client()
            made = [client.create_key()["KeyMetadata"]["KeyId"] for _ in range(4)]
            client.list_keys()
            settle(kms)

            assert [key["KeyId"] for key in client.list_keys()["Keys"]] == made


def test_an_alias_is_not_deleted_twice_by_a_node_that_still_has_it():
    for seed in SEEDS:
        with eventual(seed) as kms:
            client, key_id = kms.client(), new_key(kms)
            client.create_alias(AliasName="alias/app", TargetKeyId=key_id)
            settle(kms)
            client.delete_alias(AliasName="alias/app")

            again = attempt(lambda c=client: c.delete_alias(AliasName="alias/app"))

            assert again == "NotFoundException"


def test_an_aws_managed_key_that_a_late_node_creates_stays():
    for seed in SEEDS:
        with eventual(seed) as kms:
            client = kms.client()
            client.create_key()
            arn = client.describe_key(KeyId="alias/aws/s3")["KeyMetadata"]["Arn"]

            assert arn in [key.arn for key in kms.keys]
            assert client.describe_key(KeyId="alias/aws/s3")["KeyMetadata"]["Arn"] == arn


def test_calls_of_services_reach_late_nodes_too():
    def create_volume(kms):
        key = kms.client().create_key()["KeyMetadata"]["Arn"]
        ec2 = kms.account(ACCOUNT).client("ec2")
        where = {"AvailabilityZone": "us-east-1a", "Size": 1}
        volume = ec2.create_volume(**where, Encrypted=True, KmsKeyId=key)["VolumeId"]
        kms.clock.advance(minutes=1)
        return bool(ec2.describe_volumes(VolumeIds=[volume])["Volumes"])

    def outcome(kms):
        try:
            return create_volume(kms)
        except ClientError:
            return False

    outcomes = set()
    for seed in SEEDS:
        with eventual(seed) as kms:
            outcomes.add(outcome(kms))

    assert outcomes == {True, False}


# --- other parts of a mock ------------------------------------------------------------------------


def test_a_restored_checkpoint_has_the_changes_that_were_not_seen():
    def use_after_restoring(kms):
        key_id = kms.client().create_key()["KeyMetadata"]["KeyId"]
        checkpoint = kms.checkpoint()
        settle(kms)
        kms.restore(checkpoint)
        return encrypt(kms.client(), key_id)

    find_seed(use_after_restoring, "NotFoundException")
    find_seed(use_after_restoring, "ok")


def test_after_a_reset_a_mock_has_the_same_ordering_again():
    with eventual(3) as kms:
        first = use_new_grant(kms)
        kms.reset()

        assert use_new_grant(kms) == first


@pytest.mark.parametrize("value", ["sometimes", "", None, "Eventual"])
def test_only_strong_and_eventual_are_values_of_the_option(value):
    with pytest.raises(TypeError, match="consistency must be 'strong' or 'eventual'"):
        mock_kms(consistency=value)


def test_what_a_wider_fixture_has_changed_is_seen_when_a_test_begins(pytester):
    pytester.makepyfile(
        """
        import pytest

        @pytest.fixture(scope="module")
        def key_id(module_kms):
            return module_kms.client().create_key()["KeyMetadata"]["KeyId"]

        @pytest.mark.parametrize("number", range(6))
        def test_app(kms, key_id, number):
            kms.client().describe_key(KeyId=key_id)
            kms.client().create_key()
        """
    )

    for seed in range(3):
        options = ("-o", "kms_consistency=eventual", "--kms-seed", str(seed))
        pytester.runpytest_inprocess(*options).assert_outcomes(passed=6)


def test_a_new_grant_is_listed_late_by_its_retiring_principal():
    def list_both(kms):
        client = kms.client()
        root = f"arn:aws:iam::{ACCOUNT}:root"
        key_id = client.create_key()["KeyMetadata"]["KeyId"]
        settle(kms)
        client.create_grant(
            KeyId=key_id, GranteePrincipal=root, RetiringPrincipal=root, Operations=["Decrypt"]
        )
        retirable = client.list_retirable_grants(RetiringPrincipal=root)["Grants"]
        settle(kms)
        return len(retirable), len(client.list_retirable_grants(RetiringPrincipal=root)["Grants"])

    find_seed(list_both, (0, 1))
    find_seed(list_both, (1, 1))
