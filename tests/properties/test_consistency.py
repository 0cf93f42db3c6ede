"""Eventual consistency only delays what is seen: no change is lost, whichever node answers."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st

from kmsmock import KMSMock, mock_kms
from tests.thoroughness import examples

ROLE = "arn:aws:iam::123456789012:role/App"
_ALLOW = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "kms:*", "Resource": "*"}


class Program:
    """Calls of one client, about keys by number, aliases by number, and the grants of a key."""

    def __init__(self, kms: KMSMock) -> None:
        self.client = kms.client()
        self.keys: list[str] = []
        self.grants: list[tuple[str, str]] = []
        kms.principal(ROLE)

    def create_key(self, number: int) -> None:
        created = self.client.create_key(Description=f"key {number}")
        self.keys.append(created["KeyMetadata"]["KeyId"])

    def create_grant(self, key: str, number: int) -> None:
        terms = {"GranteePrincipal": ROLE, "Operations": ["Encrypt"], "Name": f"grant-{number}"}
        grant = self.client.create_grant(KeyId=key, **terms)
        self.grants.append((key, grant["GrantId"]))

    def revoke_grant(self, number: int) -> None:
        if self.grants:
            key, grant_id = self.grants[number % len(self.grants)]
            self.client.revoke_grant(KeyId=key, GrantId=grant_id)
            self.grants.remove((key, grant_id))

    def steps_for(self, key: str, number: int) -> dict[str, Callable[[], Any]]:
        client, alias = self.client, f"alias/{number % 2}"
        policy = json.dumps({"Version": "2012-10-17", "Id": f"{number}", "Statement": [_ALLOW]})
        tag = {"TagKey": f"tag {number % 3}", "TagValue": f"{number}"}
        return {
            "alias": lambda: client.create_alias(AliasName=alias, TargetKeyId=key),
            "retarget": lambda: client.update_alias(AliasName=alias, TargetKeyId=key),
            "delete alias": lambda: client.delete_alias(AliasName=alias),
            "grant": lambda: self.create_grant(key, number),
            "revoke": lambda: self.revoke_grant(number),
            "disable": lambda: client.disable_key(KeyId=key),
            "enable": lambda: client.enable_key(KeyId=key),
            "delete": lambda: client.schedule_key_deletion(KeyId=key),
            "cancel": lambda: client.cancel_key_deletion(KeyId=key),
            "policy": lambda: client.put_key_policy(KeyId=key, Policy=policy),
            "tag": lambda: client.tag_resource(KeyId=key, Tags=[tag]),
            "untag": lambda: client.untag_resource(KeyId=key, TagKeys=[tag["TagKey"]]),
            "describe": lambda: client.update_key_description(KeyId=key, Description=f"{number}"),
            "rotate": lambda: client.enable_key_rotation(KeyId=key),
            "rotate less": lambda: client.disable_key_rotation(KeyId=key),
            "use": lambda: client.encrypt(KeyId=key, Plaintext=b"text"),
            "list": client.list_aliases,
        }

    def take(self, step: tuple[str, int, int]) -> bool:
        """Take a step; give whether it succeeded."""
        name, which, number = step
        try:
            if name == "key" or not self.keys:
                self.create_key(number)
            else:
                self.steps_for(self.keys[which % len(self.keys)], number)[name]()
        except ClientError:
            return False
        return True

    def read(self) -> list[Any]:
        """What KMS shows of everything, without ids."""
        client = self.client
        order = {key: number for number, key in enumerate(self.keys)}
        names = ("Description", "KeyState")
        shown: list[Any] = [[order[key["KeyId"]] for key in client.list_keys()["Keys"]]]
        shown.append(
            [
                (alias["AliasName"], order[alias["TargetKeyId"]])
                for alias in client.list_aliases()["Aliases"]
                if alias.get("TargetKeyId") in order
            ]
        )
        for key in self.keys:
            metadata = client.describe_key(KeyId=key)["KeyMetadata"]
            aliases = client.list_aliases(KeyId=key)["Aliases"]
            grants = client.list_grants(KeyId=key)["Grants"]
            shown += [
                {name: metadata[name] for name in names},
                metadata.get("DeletionDate") is None,
                client.get_key_policy(KeyId=key)["Policy"],
                client.list_resource_tags(KeyId=key)["Tags"],
                client.get_key_rotation_status(KeyId=key)["KeyRotationEnabled"],
                [alias["AliasName"] for alias in aliases],
                [grant["Name"] for grant in grants],
            ]
        return shown


NAMES = ["key"]
with mock_kms(isolated=True) as _kms:
    NAMES += Program(_kms).steps_for("", 0)
STEPS = st.lists(
    st.tuples(st.sampled_from(NAMES), st.integers(0, 2), st.integers(0, 5)), max_size=25
)


@examples(20)
@given(st.integers(0, 1_000), STEPS, st.sampled_from(["looks", "clock"]))
def test_once_all_is_seen_the_state_is_that_of_the_calls_that_succeeded(
    seed: int, steps: list[tuple[str, int, int]], waiting: Any
) -> None:
    with mock_kms(seed=seed, consistency="eventual", waiting=waiting) as kms:
        late = Program(kms)
        successful = [step for step in steps if late.take(step)]
        kms.clock.advance(minutes=5)
        seen_late = late.read()

    with mock_kms(seed=seed, isolated=True) as kms:
        prompt = Program(kms)
        refused = [step for step in successful if not prompt.take(step)]
        kms.clock.advance(minutes=5)

        # A node lets a key be used as long as it has not seen that the key is disabled.
        assert all(name == "use" for name, *_ in refused)
        assert seen_late == prompt.read()
