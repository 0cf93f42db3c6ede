"""The limits of policies in worlds are those of calls."""

from __future__ import annotations

import json

import pytest

from kmsmock import WorldError, mock_kms
from tests.policies_of_size import ACCOUNT, CONTROL, IDENTITY, KEY, TRUST, policy


def in_organization(**levels):
    return {"organizations": {ACCOUNT: {"id": "o-a", **levels}}}


def in_role(**members):
    return {"roles": [{"name": "App", **members}]}


WORLDS = {
    "roles[0].policies": (10_240, IDENTITY, lambda each: in_role(policies=[each])),
    "users[0].policies": (
        2048,
        IDENTITY,
        lambda each: {"users": [{"name": "ann", "policies": {"p": each}}]},
    ),
    "groups[0].policies": (
        5120,
        IDENTITY,
        lambda each: {"groups": [{"name": "team", "policies": [each]}]},
    ),
    "roles[0].boundary": (6144, IDENTITY, lambda each: in_role(boundary=each)),
    "roles[0].trust": (2048, TRUST, lambda each: in_role(trust=each)),
    "policies[0].document": (
        6144,
        IDENTITY,
        lambda each: {"policies": [{"name": "p", "document": each}]},
    ),
    "policies[0].versions.v1.document": (
        6144,
        IDENTITY,
        lambda each: {"policies": [{"name": "p", "versions": {"v1": {"document": each}}}]},
    ),
    "keys[0].policy": (32_768, KEY, lambda each: {"keys": [{"policy": each}]}),
    f"organizations.{ACCOUNT}.service_control[0]": (
        10_240,
        IDENTITY,
        lambda each: in_organization(service_control=[[each]]),
    ),
    f"organizations.{ACCOUNT}.resource_control[0]": (
        5120,
        CONTROL,
        lambda each: in_organization(resource_control=[[each]]),
    ),
}


@pytest.mark.parametrize("place", WORLDS)
@pytest.mark.parametrize("read", [str, json.loads], ids=["text", "object"])
def test_a_world_with_a_policy_beyond_the_limit_is_refused(kms, place, read):
    limit, elements, world = WORLDS[place]
    kms.load(world(read(policy(limit, elements))))
    kms.reset()
    with pytest.raises(WorldError, match=f"limit of .* is {limit:,} .*{limit + 1:,}") as caught:
        kms.load(world(read(policy(limit + 1, elements))))
    assert caught.value.place == place


MANY = {
    "roles[0].attached": (10, lambda n: in_role(attached=managed(n)) | policies(n)),
    "policies[0]": (
        5,
        lambda n: {
            "policies": [
                {
                    "name": "p",
                    "versions": {f"v{each + 1}": {"document": policy(110)} for each in range(n)},
                }
            ]
        },
    ),
    "users[0].groups": (
        10,
        lambda n: {
            "groups": [f"g{each}" for each in range(n)],
            "users": [{"name": "ann", "groups": [f"g{each}" for each in range(n)]}],
        },
    ),
    "users[0].access_keys": (
        2,
        lambda n: {
            "users": [
                {"name": "ann", "access_keys": [{"id": f"AKIA{each:016}"} for each in range(n)]}
            ]
        },
    ),
    "roles[0].tags": (50, lambda n: in_role(tags={f"t{each}": "" for each in range(n)})),
    "keys[0].tags": (
        50,
        lambda n: {"keys": [{"tags": {f"t{each}": "" for each in range(n)}}]},
    ),
    f"organizations.{ACCOUNT}.service_control[0]": (
        10,
        lambda n: in_organization(service_control=[[policy(200 + each) for each in range(n)]]),
    ),
    f"organizations.{ACCOUNT}": (
        7,
        lambda n: in_organization(service_control=[[policy(200)]] * n),
    ),
}


def managed(number):
    return [f"arn:aws:iam::{ACCOUNT}:policy/p{each}" for each in range(number)]


def policies(number):
    return {"policies": [{"name": f"p{each}", "document": policy(110)} for each in range(number)]}


@pytest.mark.parametrize("place", MANY)
def test_a_world_with_too_many_is_refused(kms, place):
    limit, world = MANY[place]
    kms.load(world(limit))
    kms.reset()
    with pytest.raises(WorldError, match=rf"\b{limit}\b.*\b{limit + 1}\b") as caught:
        kms.load(world(limit + 1))
    assert caught.value.place.removesuffix(".versions") == place


def test_the_largest_key_policy_can_be_exported_and_loaded(kms, tmp_path):
    principals = [ACCOUNT, *(f"{number:012}" for number in range(2140))]
    text = policy(32_768, {**KEY, "Principal": {"AWS": principals}})
    with mock_kms(isolated=True, authorization="off") as lax:
        arn = lax.client().create_key(Policy=text)["KeyMetadata"]["Arn"]
        stored = lax.client().get_key_policy(KeyId=arn)["Policy"]
        lax.export(tmp_path / "world.json")
    assert len(stored) > 32_768

    kms.load(tmp_path / "world.json")
    assert kms.client().get_key_policy(KeyId=arn)["Policy"] == stored
