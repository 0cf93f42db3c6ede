"""Whatever is done to keys, and however time passes, they are what an independent model says.

Each step makes the same call on the mock and on the model; then all that KMS shows is compared.
Short by default; ``--hypothesis-profile=nightly`` looks for long (`thoroughness`).
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from datetime import timedelta
from typing import Any, NamedTuple

import pytest
from botocore.exceptions import ClientError
from botocore.loaders import Loader
from botocore.model import ServiceModel
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from kmsmock import mock_kms
from tests.material import import_material
from tests.properties.life_cycle_model import (
    MOST_ON_DEMAND,
    PENDING_DELETION,
    USABLE,
    Error,
    Family,
    Grant,
    Key,
    Material,
    World,
)
from tests.thoroughness import examples

REGIONS = ("us-east-1", "eu-west-1", "ap-south-1")
ROLES = ("App", "Batch")
ALIASES = ("alias/app", "alias/0")
ACCOUNT = "123456789012"
NEVER, EXPIRES = "KEY_MATERIAL_DOES_NOT_EXPIRE", "KEY_MATERIAL_EXPIRES"
#: Kinds of key: spec, usage, origin, multi-Region.
KINDS = {
    "multi-Region": ("SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT", "AWS_KMS", True),
    "imported multi-Region": ("SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT", "EXTERNAL", True),
    "symmetric": ("SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT", "AWS_KMS", False),
    "imported": ("SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT", "EXTERNAL", False),
    "imported HMAC": ("HMAC_256", "GENERATE_VERIFY_MAC", "EXTERNAL", False),
    "signing": ("ECC_NIST_P256", "SIGN_VERIFY", "AWS_KMS", False),
}
KINDS_AT_FIRST = list(KINDS)[:4]
MOST_KEYS = 9
STEPS_BETWEEN_LOOKS = 4
NUMBERS = st.integers(0, 63)
FIRST_MATERIAL, *OTHERS = (bytes([number]) * 32 for number in range(1, 4))
MATERIALS = st.sampled_from([*OTHERS, FIRST_MATERIAL])
SOME_ROLE = st.sampled_from([None, None, *ROLES])
STEPS = st.sampled_from(
    [
        timedelta(seconds=1),
        timedelta(seconds=100),
        timedelta(minutes=15),
        timedelta(days=1),
        timedelta(days=7),
        timedelta(days=100),
        timedelta(days=800),
    ]
)
_TICK = timedelta(milliseconds=1)


class Blob(NamedTuple):
    """A ciphertext: of which material of which key, made in which Region, of what."""

    key: Key
    material: Material
    ciphertext: bytes
    plaintext: bytes


def same(outcome: Error | None, call: Callable[..., Any], **parameters: Any) -> dict[str, Any]:
    """Make a call that ends as the model says; gives the answer, which errors have none of."""
    try:
        answer: dict[str, Any] = call(**parameters)
    except ClientError as caught:
        error = caught.response["Error"]
        assert outcome is not None, f"the model has no error, KMS {error}"
        assert error["Code"] == outcome.code
        assert outcome.text in (None, error["Message"])
        return {}
    assert outcome is None, f"KMS has no error, the model {outcome}"
    return answer


def learn(material: Material, material_id: str) -> None:
    """Take in the id that KMS gives a material, which never changes."""
    material.id = material.id or material_id
    assert material.id == material_id


class LifeCycle(RuleBasedStateMachine):
    """One mock and one model, to which the same is done."""

    @initialize(waiting=st.sampled_from(("looks", "clock")))
    def begin(self, waiting: Any) -> None:
        self.mock = mock_kms(isolated=True, seed=1, delays="kms", waiting=waiting)
        self.kms = self.mock.start()
        self.roles = {name: self.kms.account(ACCOUNT).role(name) for name in ROLES}
        self.world = World(self.kms.clock.now(), waiting)
        self.blobs: list[Blob] = []
        self.tokens: list[tuple[str, Grant]] = []
        self.saved: tuple[object, Any] | None = None
        self.steps = 0
        for number, kind in enumerate(KINDS_AT_FIRST):
            self.create_key(kind, REGIONS[0])
            key = self.world.keys[-1]
            if key.family.is_external:
                self._import_key_material(key, FIRST_MATERIAL, None, None)
            self._name_key(key, f"alias/{number}", update=False)
            self._create_grant(key, *ROLES, ("Encrypt", "Decrypt"))
            self._encrypt(key, key.key_id, None)
            if not key.family.is_external:
                self._schedule_rotation(key, 90)
            if key.family.is_multi_region:
                self._replicate_key(key, REGIONS[1])

    def teardown(self) -> None:
        if hasattr(self, "mock"):
            self.mock.stop()

    def client(self, region: str) -> Any:
        return self.kms.client(region=region)

    def key(self, number: int, fits: Callable[[Key], bool]) -> Key:
        """Give a key: mostly one that fits, sometimes any, which may be gone."""
        fitting = [key for key in self.world.live if fits(key)]
        keys = fitting if fitting and number % 4 < 3 else self.world.keys
        key = keys[number // 4 % len(keys)]
        # A replica that is gone may have come again.
        return next((k for k in self.world.live if k.arn == key.arn), key)

    # --- keys -----------------------------------------------------------------------------

    @precondition(lambda self: len(self.world.live) < MOST_KEYS)
    @rule(kind=st.sampled_from(list(KINDS)), region=st.sampled_from(REGIONS[:2]))
    def create_key(self, kind: str, region: str) -> None:
        spec, usage, origin, is_multi_region = KINDS[kind]
        key = self.world.create(spec, usage, origin, region, multi=is_multi_region)
        parameters = {"KeySpec": spec, "KeyUsage": usage, "Origin": origin}
        answer = self.client(region).create_key(**parameters, MultiRegion=is_multi_region)
        key.key_id, key.arn = (answer["KeyMetadata"][name] for name in ("KeyId", "Arn"))

    @rule(number=NUMBERS, enable=st.booleans())
    def switch_key(self, number: int, *, enable: bool) -> None:
        self._switch_key(self.key(number, is_settled), enable=enable)

    @rule(number=NUMBERS, days=st.sampled_from([100, 1]))
    def disable_key_for_a_while(self, number: int, days: int) -> None:
        key = self.key(number, is_settled)
        self._switch_key(key, enable=False)
        self._advance(timedelta(days=days))
        self._switch_key(key, enable=True)

    def _switch_key(self, key: Key, *, enable: bool) -> None:
        outcome = self.world.enable(key) if enable else self.world.disable(key)
        client = self.client(key.region)
        same(outcome, client.enable_key if enable else client.disable_key, KeyId=key.key_id)

    @rule(number=NUMBERS, days=st.sampled_from([7, 7, 10, 30, 31]), wait=st.booleans())
    def schedule_key_deletion(self, number: int, days: int, *, wait: bool) -> None:
        self._delete_key(self.key(number, lambda key: key.state not in PENDING_DELETION), days)
        if wait:
            self._advance(timedelta(days=days))

    @rule(number=NUMBERS)
    def delete_key_everywhere(self, number: int) -> None:
        """Delete a primary and its replicas, one week after the other."""
        key = self.key(number, is_multi_region_primary)
        for member in (key, *[m for m in key.family.members.values() if m is not key]):
            self._delete_key(member, 7)
        self._advance(timedelta(days=7))
        self._compare_keys()
        self._advance(timedelta(days=7))

    def _delete_key(self, key: Key, days: int) -> None:
        outcome = self.world.schedule_deletion(key, days)
        call = self.client(key.region).schedule_key_deletion
        answer = same(outcome, call, KeyId=key.key_id, PendingWindowInDays=days)
        if outcome is None:
            assert answer["KeyState"] == key.state
            assert answer.get("DeletionDate") == key.deletion
            assert answer["PendingWindowInDays"] == days

    @rule(number=NUMBERS)
    def cancel_key_deletion(self, number: int) -> None:
        key = self.key(number, lambda key: key.state in PENDING_DELETION)
        outcome = self.world.cancel_deletion(key)
        same(outcome, self.client(key.region).cancel_key_deletion, KeyId=key.key_id)

    # --- aliases --------------------------------------------------------------------------

    @rule(number=NUMBERS, name=st.sampled_from(ALIASES), update=st.booleans())
    def name_key(self, number: int, name: str, *, update: bool) -> None:
        self._name_key(self.key(number, lambda k: k.region in REGIONS[:2]), name, update=update)

    def _name_key(self, key: Key, name: str, *, update: bool) -> None:
        client = self.client(key.region)
        outcome = (self.world.update_alias if update else self.world.create_alias)(name, key)
        call = client.update_alias if update else client.create_alias
        same(outcome, call, AliasName=name, TargetKeyId=key.key_id)

    @precondition(lambda self: self.world.aliases)
    @rule(name=st.sampled_from(ALIASES), region=st.sampled_from(REGIONS[:2]))
    def delete_alias(self, name: str, region: str) -> None:
        outcome = self.world.delete_alias(region, name)
        same(outcome, self.client(region).delete_alias, AliasName=name)

    # --- rotation -------------------------------------------------------------------------

    @rule(number=NUMBERS, days=st.sampled_from([90, None, 365, 0]))
    def schedule_rotation(self, number: int, days: int | None) -> None:
        """Switch automatic rotation on, or with 0 days off."""
        self._schedule_rotation(self.key(number, is_scheduled), days)

    def _schedule_rotation(self, key: Key, days: int | None) -> None:
        client = self.client(key.region)
        if days == 0:
            outcome = self.world.disable_rotation(key)
            same(outcome, client.disable_key_rotation, KeyId=key.key_id)
            return
        period = {} if days is None else {"RotationPeriodInDays": days}
        outcome = self.world.enable_rotation(key, days)
        same(outcome, client.enable_key_rotation, KeyId=key.key_id, **period)

    @rule(number=NUMBERS, times=st.sampled_from([1, 1, 1, MOST_ON_DEMAND + 1]))
    def rotate_key_on_demand(self, number: int, times: int) -> None:
        """Rotate once, or as often as possible, which chance alone would hardly do."""
        key = self.key(number, is_rotatable)
        for _ in range(times):
            outcome = self.world.rotate(key)
            same(outcome, self.client(key.region).rotate_key_on_demand, KeyId=key.key_id)
            if outcome is not None:
                return
            if times > 1:
                self._advance(timedelta(seconds=100))

    # --- imported material ----------------------------------------------------------------

    @rule(
        number=NUMBERS,
        material=MATERIALS,
        kind=st.sampled_from([None, "NEW_KEY_MATERIAL", "EXISTING_KEY_MATERIAL"]),
        days=st.sampled_from([None, None, 1, 30]),
    )
    def import_key_material(
        self, number: int, material: bytes, kind: str | None, days: int | None
    ) -> None:
        self._import_key_material(self.key(number, is_importable), material, kind, days)

    def _import_key_material(
        self, key: Key, material: bytes, kind: str | None, days: int | None
    ) -> None:
        valid_to = None
        if days is not None:
            valid_to = (self.world.now + timedelta(days=days)).replace(microsecond=0)
        outcome = self.world.import_material(key, material, kind, valid_to)
        parameters: dict[str, Any] = {} if kind is None else {"ImportType": kind}
        if valid_to is not None:
            parameters |= {"ValidTo": valid_to, "ExpirationModel": EXPIRES}
        client = self.client(key.region)

        def dance() -> Any:
            return import_material(client, key.key_id, material, **parameters)

        answer = same(outcome, dance)
        if outcome is None and key.family.is_symmetric:
            learn(key.family.named(material), answer["KeyMaterialId"])

    @rule(number=NUMBERS, place=st.none() | st.integers(0, 3))
    def delete_imported_key_material(self, number: int, place: int | None) -> None:
        """Delete the current material, or any other that KMS tells an id of."""
        key = self.key(number, is_importable)
        material = None
        named = {}
        seen = [material for material in key.family.history if material.id is not None]
        if place is not None and seen:
            material = seen[place % len(seen)]
            named = {"KeyMaterialId": material.id}
        outcome = self.world.delete_material(key, material)
        call = self.client(key.region).delete_imported_key_material
        same(outcome, call, KeyId=key.key_id, **named)

    # --- multi-Region ---------------------------------------------------------------------

    @rule(number=NUMBERS, region=st.sampled_from(REGIONS))
    def replicate_key(self, number: int, region: str) -> None:
        self._replicate_key(self.key(number, is_multi_region_primary), region)

    def _replicate_key(self, key: Key, region: str) -> None:
        outcome = self.world.replicate(key, region)
        call = self.client(key.region).replicate_key
        same(outcome, call, KeyId=key.key_id, ReplicaRegion=region)

    @rule(number=NUMBERS, region=st.sampled_from(REGIONS))
    def update_primary_region(self, number: int, region: str) -> None:
        key = self.key(number, is_multi_region_primary)
        outcome = self.world.move_primary(key, region)
        call = self.client(key.region).update_primary_region
        same(outcome, call, KeyId=key.key_id, PrimaryRegion=region)

    # --- grants ---------------------------------------------------------------------------

    @rule(
        number=NUMBERS,
        grantee=st.sampled_from(ROLES),
        retirer=st.sampled_from([None, *ROLES]),
        operations=st.sampled_from([("Encrypt",), ("Encrypt", "Decrypt"), ("DescribeKey",)]),
    )
    def create_grant(
        self, number: int, grantee: str, retirer: str | None, operations: tuple[str, ...]
    ) -> None:
        self._create_grant(self.key(number, is_symmetric), grantee, retirer, operations)

    def _create_grant(
        self, key: Key, grantee: str, retirer: str | None, operations: tuple[str, ...]
    ) -> None:
        outcome = self.world.unusable(key, *USABLE)
        if outcome is None and not key.family.is_symmetric and operations != ("DescribeKey",):
            outcome = Error("ValidationException")
        parameters: dict[str, Any] = {"GranteePrincipal": self.roles[grantee].arn}
        if retirer is not None:
            parameters["RetiringPrincipal"] = self.roles[retirer].arn
        call = self.client(key.region).create_grant
        answer = same(outcome, call, KeyId=key.key_id, Operations=operations, **parameters)
        if outcome is None:
            grant = Grant(key, grantee, retirer, operations)
            # A grant that is made again is the same one; it only has one token more.
            grant = self.world.grants.setdefault(answer["GrantId"], grant)
            self.tokens.append((answer["GrantToken"], grant))

    @precondition(lambda self: self.world.grants)
    @rule(number=NUMBERS)
    def revoke_grant(self, number: int) -> None:
        grant_id, grant = list(self.world.grants.items())[number % len(self.world.grants)]
        del self.world.grants[grant_id]
        key = grant.key
        same(None, self.client(key.region).revoke_grant, KeyId=key.key_id, GrantId=grant_id)

    @precondition(lambda self: self.tokens)
    @rule(number=NUMBERS, role=st.sampled_from(ROLES))
    def retire_grant(self, number: int, role: str) -> None:
        token, grant = self.tokens[number % len(self.tokens)]
        outcome = None
        if grant not in self.world.grants.values():
            outcome = Error("InvalidGrantTokenException")
        elif grant.retirer != role:
            outcome = Error("AccessDeniedException")
        else:
            grants = self.world.grants
            self.world.grants = {i: g for i, g in grants.items() if g is not grant}
        client = self.roles[role].client("kms", region=grant.key.region)
        same(outcome, client.retire_grant, GrantToken=token)

    # --- use ------------------------------------------------------------------------------

    @rule(number=NUMBERS, role=SOME_ROLE, alias=st.booleans())
    def encrypt(self, number: int, role: str | None, *, alias: bool) -> None:
        key = self.key(number, is_symmetric)
        reference = key.key_id
        names = [n for (_, n), a in self.world.aliases.items() if a.key is key]
        if alias and names:
            reference = names[0]
        self._encrypt(key, reference, role)

    def _encrypt(self, key: Key, reference: str, role: str | None) -> None:
        outcome = self.world.absent(key)
        if outcome is None and role is not None and not self.world.may(role, "Encrypt", key):
            outcome = Error("AccessDeniedException")
        if outcome is None and not key.family.is_symmetric:
            outcome = Error("InvalidKeyUsageException")
        outcome = outcome or self.world.wrong_state(key, *USABLE)
        plaintext = str(len(self.blobs)).encode()
        client = self.as_role(role, key.region)
        answer = same(outcome, client.encrypt, KeyId=reference, Plaintext=plaintext)
        if outcome is None:
            material = key.family.current
            assert material is not None
            self.blobs.append(Blob(key, material, answer["CiphertextBlob"], plaintext))

    @precondition(lambda self: self.blobs)
    @rule(number=NUMBERS, role=SOME_ROLE, region=st.sampled_from(REGIONS))
    def decrypt(self, number: int, role: str | None, region: str) -> None:
        blob = self.blobs[number % len(self.blobs)]
        self._decrypt(blob, role, region)

    def _decrypt(self, blob: Blob, role: str | None, region: str) -> None:
        key = blob.key.family.members.get(region)
        may = key is not None and (role is None or self.world.may(role, "Decrypt", key))
        outcome: Error | None = Error("AccessDeniedException")
        if key is not None and may:
            outcome = self.world.wrong_state(key, *USABLE)
        client = self.as_role(role, region)
        answer = same(outcome, client.decrypt, CiphertextBlob=blob.ciphertext)
        if outcome is None and key is not None:
            assert (answer["Plaintext"], answer["KeyId"]) == (blob.plaintext, key.arn)
            learn(blob.material, answer["KeyMaterialId"])

    @rule(number=NUMBERS)
    def make_mac_or_signature(self, number: int) -> None:
        key = self.key(number, lambda key: not key.family.is_symmetric)
        if key.family.is_symmetric:
            return
        client = self.client(key.region)
        outcome = self.world.unusable(key, *USABLE)
        request = {"KeyId": key.key_id, "Message": b"text"}
        if key.family.usage == "SIGN_VERIFY":
            request["SigningAlgorithm"] = "ECDSA_SHA_256"
            answer = same(outcome, client.sign, **request)
            if outcome is None:
                assert client.verify(**request, Signature=answer["Signature"])["SignatureValid"]
            return
        request["MacAlgorithm"] = "HMAC_SHA_256"
        answer = same(outcome, client.generate_mac, **request)
        if outcome is None:
            assert client.verify_mac(**request, Mac=answer["Mac"])["MacValid"]

    def as_role(self, role: str | None, region: str) -> Any:
        return self.client(region) if role is None else self.roles[role].client("kms", region)

    # --- time -----------------------------------------------------------------------------

    @rule(step=STEPS)
    def let_time_pass(self, step: timedelta) -> None:
        self._advance(step)

    @precondition(lambda self: self.world.next_event is not None)
    @rule(just_before=st.booleans())
    def go_to_what_comes_next(self, *, just_before: bool) -> None:
        due = self.world.next_event
        assert due is not None
        self._advance(due - self.world.now - (_TICK if just_before else timedelta()))

    def _advance(self, step: timedelta) -> None:
        to = self.world.now + max(step, timedelta())
        self.kms.clock.move_to(to)
        self.world.advance(to)

    @rule()
    def save(self) -> None:
        state = (self.world, self.blobs, self.tokens)
        self.saved = (self.kms.checkpoint(), copy.deepcopy(state))

    @precondition(lambda self: self.saved is not None)
    @rule()
    def go_back(self) -> None:
        assert self.saved is not None
        checkpoint, state = self.saved
        self.kms.restore(checkpoint)
        self.world, self.blobs, self.tokens = state
        self.saved = None

    # --- what KMS shows -------------------------------------------------------------------

    @invariant()
    def kms_shows_what_the_model_has(self) -> None:
        # What went wrong stays wrong, so it is enough to look now and then.
        self.steps += 1
        if self.steps % STEPS_BETWEEN_LOOKS == 0:
            self._compare_keys()
            self._compare_aliases()
            self._compare_grants()
            for blob in (*self.blobs[: len(KINDS_AT_FIRST)], *self.blobs[-3:]):
                self._decrypt(blob, None, blob.key.region)

    def _compare_keys(self) -> None:
        for region in REGIONS:
            listed = [key["KeyId"] for key in self.client(region).list_keys()["Keys"]]
            assert sorted(listed) == sorted(k.key_id for k in self.world.live if k.region == region)
        for key in self.world.live:
            client = self.client(key.region)
            if key.family.is_symmetric:
                self._compare_materials(key, client)
                self._compare_rotation(key, client)
            self.world.look(key, "DescribeKey")
            self._compare_metadata(key, client.describe_key(KeyId=key.key_id)["KeyMetadata"])

    def _compare_metadata(self, key: Key, shown: dict[str, Any]) -> None:
        family = key.family
        assert shown["KeyState"] == key.state
        assert shown["Enabled"] is (key.state == "Enabled")
        assert shown.get("DeletionDate") == key.deletion
        waits = key.state == "PendingReplicaDeletion"
        assert shown.get("PendingDeletionWindowInDays") == (key.window if waits else None)
        if family.is_multi_region:
            related = shown["MultiRegionConfiguration"]
            kind = "REPLICA" if key.is_replica else "PRIMARY"
            assert related["MultiRegionKeyType"] == kind
            assert related["PrimaryKey"]["Arn"] == family.primary.arn
            replicas = {m.arn for m in family.members.values() if m.is_replica}
            assert {replica["Arn"] for replica in related["ReplicaKeys"]} == replicas
        if key.state == "Creating":
            assert "CurrentKeyMaterialId" not in shown
            return
        if family.is_symmetric:
            current = family.current
            assert shown.get("CurrentKeyMaterialId") == (current and current.id)
        if family.is_external:
            self._compare_expiration(key, shown)

    def _compare_expiration(self, key: Key, shown: dict[str, Any]) -> None:
        if not key.has_material:
            assert not {"ExpirationModel", "ValidTo"} & set(shown)
            return
        tied = [m.name for m in key.family.history if m.state != "PENDING"]
        dates = [date for name in tied if (date := key.holds[name]) is not None]
        assert shown["ExpirationModel"] == (EXPIRES if dates else NEVER)
        assert shown.get("ValidTo") == min(dates, default=None)

    def _compare_materials(self, key: Key, client: Any) -> None:
        self.world.look(key, "ListKeyRotations")
        family = key.family
        request = {"KeyId": key.key_id, "IncludeKeyMaterial": "ALL_KEY_MATERIAL"}
        listed = client.list_key_rotations(**request, Limit=1000)["Rotations"]
        assert len(listed) == len(family.history)
        for material, entry in zip(family.history, listed, strict=True):
            learn(material, entry["KeyMaterialId"])
            assert entry["KeyMaterialState"] == _state_of(material, family)
            assert entry.get("RotationDate") == material.date
            assert entry.get("RotationType") == material.kind
            if family.is_external:
                is_here = material.name in key.holds
                assert entry["ImportState"] == ("IMPORTED" if is_here else "PENDING_IMPORT")
                assert entry.get("ValidTo") == key.holds.get(material.name)
        assert len({material.id for material in family.history}) == len(family.history)

    def _compare_rotation(self, key: Key, client: Any) -> None:
        self.world.look(key, "GetKeyRotationStatus")
        shown = client.get_key_rotation_status(KeyId=key.key_id)
        schedule = None if key.state == "PendingDeletion" else key.family.schedule
        assert shown["KeyRotationEnabled"] is (schedule is not None)
        assert shown.get("RotationPeriodInDays") == (schedule and schedule.days)
        assert shown.get("NextRotationDate") == (schedule and schedule.next)
        assert shown.get("OnDemandRotationStartDate") == key.family.on_demand

    def _compare_aliases(self) -> None:
        for region in REGIONS:
            expected = {
                name: (alias.key.key_id, alias.created, alias.updated)
                for (where, name), alias in self.world.aliases.items()
                if where == region
            }
            listed = {
                alias["AliasName"]: (
                    alias["TargetKeyId"],
                    alias["CreationDate"],
                    alias["LastUpdatedDate"],
                )
                for alias in self.client(region).list_aliases()["Aliases"]
                if "TargetKeyId" in alias
            }
            assert listed == expected

    def _compare_grants(self) -> None:
        for key in self.world.live:
            grants = self.client(key.region).list_grants(KeyId=key.key_id)["Grants"]
            expected_ids = {i for i, g in self.world.grants.items() if g.key is key}
            assert {grant["GrantId"] for grant in grants} == expected_ids


def is_symmetric(key: Key) -> bool:
    return key.family.is_symmetric and key.state in USABLE


def is_settled(key: Key) -> bool:
    return key.state in ("Enabled", "Disabled")


def is_scheduled(key: Key) -> bool:
    return is_symmetric(key) and not key.family.is_external and not key.is_replica


def is_rotatable(key: Key) -> bool:
    return is_scheduled(key) or (key.family.pending is not None and not key.is_replica)


def is_importable(key: Key) -> bool:
    return key.family.is_external and key.state not in PENDING_DELETION


def is_multi_region_primary(key: Key) -> bool:
    return key.family.is_multi_region and not key.is_replica and key.state in USABLE


def _state_of(material: Material, family: Family) -> str:
    if material.state != "PENDING":
        return material.state
    if all(material.name in member.holds for member in family.members.values()):
        return "PENDING_ROTATION"
    return "PENDING_MULTI_REGION_IMPORT_AND_ROTATION"


_MODEL = ServiceModel(Loader().load_service_model("kms", "service-2"))
pytestmark = pytest.mark.skipif(
    "RotationPeriodInDays" not in _MODEL.shape_for("EnableKeyRotationRequest").members
    or "ImportType" not in _MODEL.shape_for("ImportKeyMaterialRequest").members,
    reason="the installed botocore does not know rotation and import as they are now",
)
TestLifeCycle = LifeCycle.TestCase
if settings.default != settings.get_profile("nightly"):
    TestLifeCycle.settings = examples(8, stateful_step_count=50)
