"""With eventual consistency, some nodes answer without the last changes, as on AWS."""

from __future__ import annotations

import json

import pytest
from botocore.exceptions import ClientError

from kmsmock import mock_kms
from tests.consistency.conftest import SEEDS, attempt, eventual, find_seed, retried, settle

REGION = "us-east-1"
ACCOUNT = "123456789012"


def new_key(kms, **parameters):
    """A key that all nodes have seen."""
    key_id = kms.client().create_key(**parameters)["KeyMetadata"]["KeyId"]
    settle(kms)
    return key_id


def encrypt(client, key):
    return attempt(lambda: client.encrypt(KeyId=key, Plaintext=b"text"))


def policy(*actions, principal=f"arn:aws:iam::{ACCOUNT}:root"):
    statement = {"Effect": "Allow", "Principal": {"AWS": principal}, "Resource": "*"}
    own = {**statement, "Action": ["kms:PutKeyPolicy", "kms:GetKeyPolicy"]}
    statements = [own, *({**statement, "Action": action} for action in actions)]
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


# --- a change -> what calls answer that have not seen it, and those that have --------------------


def use_new_key(kms):
    key_id = kms.client().create_key()["KeyMetadata"]["KeyId"]
    return encrypt(kms.client(), key_id)


def name_new_key_for_alias(kms):
    client = kms.client()
    key_id = client.create_key()["KeyMetadata"]["KeyId"]
    return attempt(lambda: client.create_alias(AliasName="alias/app", TargetKeyId=key_id))


def list_new_key(kms):
    key_id = kms.client().create_key()["KeyMetadata"]["KeyId"]
    return key_id in [key["KeyId"] for key in kms.client().list_keys()["Keys"]]


def decrypt_of_new_key(kms):
    client = kms.client()
    key_id = client.create_key()["KeyMetadata"]["KeyId"]
    blob = retried(lambda: client.encrypt(KeyId=key_id, Plaintext=b"text"))["CiphertextBlob"]
    return attempt(lambda: client.decrypt(CiphertextBlob=blob))


def use_new_alias(kms):
    key_id = new_key(kms)
    kms.client().create_alias(AliasName="alias/app", TargetKeyId=key_id)
    return encrypt(kms.client(), "alias/app")


def list_new_alias(kms):
    key_id = new_key(kms)
    kms.client().create_alias(AliasName="alias/app", TargetKeyId=key_id)
    aliases = kms.client().list_aliases(KeyId=key_id)["Aliases"]
    return [alias["AliasName"] for alias in aliases] == ["alias/app"]


def use_deleted_alias(kms):
    key_id = new_key(kms)
    kms.client().create_alias(AliasName="alias/app", TargetKeyId=key_id)
    settle(kms)
    kms.client().delete_alias(AliasName="alias/app")
    return encrypt(kms.client(), "alias/app")


def use_updated_alias(kms):
    old, new = new_key(kms), new_key(kms)
    kms.client().create_alias(AliasName="alias/app", TargetKeyId=old)
    settle(kms)
    kms.client().update_alias(AliasName="alias/app", TargetKeyId=new)
    used = kms.client().encrypt(KeyId="alias/app", Plaintext=b"text")["KeyId"]
    return used.endswith(new)


def use_new_grant(kms):
    key_id = new_key(kms)
    role = kms.account(ACCOUNT).role("App")
    kms.client().create_grant(KeyId=key_id, GranteePrincipal=role.arn, Operations=["Encrypt"])
    return encrypt(role.client(), key_id)


def use_revoked_grant(kms):
    key_id = new_key(kms)
    role, client = kms.account(ACCOUNT).role("App"), kms.client()
    terms = {"GranteePrincipal": role.arn, "Operations": ["Encrypt"]}
    grant_id = client.create_grant(KeyId=key_id, **terms)["GrantId"]
    settle(kms)
    client.revoke_grant(KeyId=key_id, GrantId=grant_id)
    return encrypt(role.client(), key_id)


def list_new_grant(kms):
    key_id = new_key(kms)
    role = kms.account(ACCOUNT).role("App")
    kms.client().create_grant(KeyId=key_id, GranteePrincipal=role.arn, Operations=["Encrypt"])
    return len(kms.client().list_grants(KeyId=key_id)["Grants"])


def use_disabled_key(kms):
    key_id = new_key(kms)
    kms.client().disable_key(KeyId=key_id)
    return encrypt(kms.client(), key_id)


def use_enabled_key(kms):
    key_id = new_key(kms)
    kms.client().disable_key(KeyId=key_id)
    settle(kms)
    kms.client().enable_key(KeyId=key_id)
    return encrypt(kms.client(), key_id)


def use_key_pending_deletion(kms):
    key_id = new_key(kms)
    kms.client().schedule_key_deletion(KeyId=key_id)
    return encrypt(kms.client(), key_id)


def describe_disabled_key(kms):
    key_id = new_key(kms)
    kms.client().disable_key(KeyId=key_id)
    return kms.client().describe_key(KeyId=key_id)["KeyMetadata"]["KeyState"]


def read_description(kms):
    key_id = new_key(kms, Description="old")
    kms.client().update_key_description(KeyId=key_id, Description="new")
    return kms.client().describe_key(KeyId=key_id)["KeyMetadata"]["Description"]


def read_tags(kms):
    key_id = new_key(kms)
    kms.client().tag_resource(KeyId=key_id, Tags=[{"TagKey": "team", "TagValue": "a"}])
    return len(kms.client().list_resource_tags(KeyId=key_id)["Tags"])


def read_removed_tags(kms):
    key_id = new_key(kms, Tags=[{"TagKey": "team", "TagValue": "a"}])
    kms.client().untag_resource(KeyId=key_id, TagKeys=["team"])
    return len(kms.client().list_resource_tags(KeyId=key_id)["Tags"])


def use_tagged_key(kms):
    key_id, role = new_key(kms), kms.account(ACCOUNT).role("App")
    has_tag = {"StringEquals": {"aws:ResourceTag/team": "a"}}
    allow = {"Effect": "Allow", "Action": "kms:Encrypt", "Resource": "*", "Condition": has_tag}
    role.set_policies({"Version": "2012-10-17", "Statement": [allow]})
    kms.client().tag_resource(KeyId=key_id, Tags=[{"TagKey": "team", "TagValue": "a"}])
    return encrypt(role.client(), key_id)


def use_key_with_new_policy(kms):
    key_id = new_key(kms, Policy=policy("kms:Encrypt"))
    kms.client().put_key_policy(KeyId=key_id, Policy=policy("kms:Decrypt"))
    return encrypt(kms.client(), key_id)


def read_policy(kms):
    key_id = new_key(kms, Policy=policy("kms:Encrypt"))
    kms.client().put_key_policy(KeyId=key_id, Policy=policy("kms:Decrypt"))
    return "kms:Decrypt" in kms.client().get_key_policy(KeyId=key_id)["Policy"]


def read_rotation(kms):
    key_id = new_key(kms)
    kms.client().enable_key_rotation(KeyId=key_id)
    return kms.client().get_key_rotation_status(KeyId=key_id)["KeyRotationEnabled"]


def use_imported_material(kms):
    key_id = new_key(kms, Origin="EXTERNAL")
    kms.import_material(key_id, b"\1" * 32)
    return encrypt(kms.client(), key_id)


def use_deleted_material(kms):
    key_id = new_key(kms, Origin="EXTERNAL")
    kms.import_material(key_id, b"\1" * 32)
    settle(kms)
    kms.client().delete_imported_key_material(KeyId=key_id)
    return encrypt(kms.client(), key_id)


def describe_replica(kms):
    key_id = new_key(kms, MultiRegion=True)
    kms.client().replicate_key(KeyId=key_id, ReplicaRegion="eu-west-1")
    there = kms.client(region="eu-west-1")
    return attempt(lambda: there.describe_key(KeyId=key_id))


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

    find_seed(outcome, wanted=False)
    find_seed(outcome, wanted=True)


# --- what is said about it ------------------------------------------------------------------------


def explanation_of(program, late):
    with eventual(find_seed(program, late)) as kms:
        program(kms)
        return kms.calls[-1].explanation


@pytest.mark.parametrize(
    ("program", "late", "change", "advice"),
    [
        (use_new_key, "NotFoundException", "CreateKey of arn:aws:kms", "Try again after NotFound"),
        (use_new_alias, "NotFoundException", "CreateAlias of arn:aws:kms", "needs no alias"),
        (use_new_grant, "AccessDeniedException", "CreateGrant of the grant", "Pass the GrantToken"),
        (use_revoked_grant, "ok", "RevokeGrant of the grant", "can be used for a while"),
        (describe_disabled_key, "Enabled", "DisableKey of arn:aws:kms", "until the change is"),
        (use_key_with_new_policy, "ok", "PutKeyPolicy of arn:aws:kms", "Wait, and ask again"),
    ],
    ids=["key", "alias", "grant", "revoked grant", "state", "policy"],
)
def test_a_late_answer_names_the_change_and_what_to_do(program, late, change, advice):
    text = explanation_of(program, late)

    assert f"The node of KMS that answered has not seen {change}" in text
    assert advice in text
    assert "In this mock all nodes see it after kms.clock.advance(seconds=" in text


def test_the_message_of_a_late_error_is_that_of_aws():
    with eventual(find_seed(use_new_key, "NotFoundException")) as kms:
        key_id = kms.client().create_key()["KeyMetadata"]["KeyId"]
        with pytest.raises(ClientError) as caught:
            kms.client().encrypt(KeyId=key_id, Plaintext=b"text")

    arn = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/{key_id}"
    assert caught.value.response["Error"]["Message"] == f"Key '{arn}' does not exist"


def test_the_time_in_the_note_is_enough():
    for seed in SEEDS:
        with eventual(seed, waiting="clock") as kms:
            if use_new_grant(kms) == "ok":
                continue
            text = kms.calls[-1].explanation
            seconds = text.split("advance(seconds=")[1].split(")")[0]
            kms.clock.advance(seconds=int(seconds))
            role = kms.account(ACCOUNT).role("App")

            assert {encrypt(role.client(), kms.keys[0].key_id) for _ in range(9)} == {"ok"}


def test_what_is_denied_anyway_is_not_called_late():
    for seed in SEEDS:
        with eventual(seed) as kms:
            key_id, role = new_key(kms), kms.account(ACCOUNT).role("App")
            kms.client().tag_resource(KeyId=key_id, Tags=[{"TagKey": "a", "TagValue": "b"}])

            assert encrypt(role.client(), key_id) == "AccessDeniedException"
            assert "node of KMS" not in kms.calls[-1].explanation


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
