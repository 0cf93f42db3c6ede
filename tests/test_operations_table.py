"""The table of operations against AWS's own tables."""

from __future__ import annotations

import ast
import json
from pathlib import Path
from typing import Any

import pytest

import kmsmock.operations
from kmsmock.aws.operations import OPERATION_FACTS, QuotaGroup

KNOWN = json.loads((Path(__file__).parent / "data" / "kms_model.json").read_text())

#: Requests a second, for each account and Region.
#: Source: AWS KMS Developer Guide, "Request quotas" (2026).
OWN_QUOTAS = {
    **dict.fromkeys(
        (
            *("CancelKeyDeletion", "ConnectCustomKeyStore", "CreateAlias", "CreateCustomKeyStore"),
            *("CreateKey", "DeleteCustomKeyStore", "DescribeCustomKeyStores", "DisableKey"),
            *("DisableKeyRotation", "DisconnectCustomKeyStore", "EnableKey", "GetKeyLastUsage"),
            *("ReplicateKey", "RotateKeyOnDemand", "UntagResource", "UpdateAlias"),
            *("UpdateCustomKeyStore", "UpdateKeyDescription", "UpdatePrimaryRegion"),
        ),
        5,
    ),
    **dict.fromkeys(
        (
            *("DeleteAlias", "DeleteImportedKeyMaterial", "EnableKeyRotation"),
            *("ImportKeyMaterial", "PutKeyPolicy", "ScheduleKeyDeletion"),
        ),
        15,
    ),
    **dict.fromkeys(("CreateGrant", "RetireGrant", "RevokeGrant"), 50),
    **dict.fromkeys(
        ("ListGrants", "ListKeyPolicies", "ListKeyRotations", "ListRetirableGrants"), 100
    ),
    **dict.fromkeys(("ListAliases", "ListKeys"), 500),
    **dict.fromkeys(("GetKeyPolicy", "GetKeyRotationStatus"), 1_000),
    **dict.fromkeys(("DescribeKey", "GetPublicKey", "ListResourceTags"), 2_000),
    "GetParametersForImport": 1,
    "TagResource": 10,
}
SHARED_QUOTAS = {
    QuotaGroup.CRYPTOGRAPHIC: {
        *("Decrypt", "Encrypt", "GenerateDataKey", "GenerateDataKeyWithoutPlaintext"),
        *("GenerateMac", "GenerateRandom", "ReEncrypt", "VerifyMac", "Sign", "Verify"),
        *("DeriveSharedSecret", "Encapsulate", "Decapsulate"),
    },
    QuotaGroup.DATA_KEY_PAIR: {"GenerateDataKeyPair", "GenerateDataKeyPairWithoutPlaintext"},
}


def test_each_operation_with_a_request_quota_of_its_own_has_that_of_the_sheet() -> None:
    own = {
        name: facts.quota.per_second
        for name, facts in OPERATION_FACTS.items()
        if facts.quota.group is QuotaGroup.OWN
    }

    assert own == OWN_QUOTAS


@pytest.mark.parametrize("group", SHARED_QUOTAS, ids=lambda group: group.name)
def test_the_operations_that_share_request_quotas_are_those_of_the_sheet(group: QuotaGroup) -> None:
    sharing = {name for name, facts in OPERATION_FACTS.items() if facts.quota.group is group}

    assert sharing == SHARED_QUOTAS[group]


def test_requests_that_count_in_another_region_are_those_of_the_sheet() -> None:
    elsewhere = {
        name: (facts.quota.region_member, dict(facts.quota.counted_there))
        for name, facts in OPERATION_FACTS.items()
        if facts.quota.counted_there
    }

    assert elsewhere == {
        "ReplicateKey": ("ReplicaRegion", {"CreateKey": 2}),
        "UpdatePrimaryRegion": ("PrimaryRegion", {"UpdatePrimaryRegion": 1}),
    }


#: The actions that grants can allow, in the order of AWS's messages about them.
OF_GRANTS = (
    *("CreateGrant", "RetireGrant", "DescribeKey", "GetPublicKey", "Decrypt", "Encrypt"),
    *("GenerateDataKey", "GenerateDataKeyWithoutPlaintext", "ReEncryptFrom", "ReEncryptTo"),
    *("GenerateDataKeyPair", "GenerateDataKeyPairWithoutPlaintext", "Sign", "Verify"),
    *("GenerateMac", "VerifyMac", "DeriveSharedSecret", "Encapsulate", "Decapsulate"),
)
#: Operations that require several actions, or an action on several resources.
#: Source: AWS KMS Developer Guide, "AWS KMS permissions".
WITH_SEVERAL_ACTIONS = {
    "CreateAlias": ["CreateAlias"] * 2,
    "CreateKey": ["CreateKey", "TagResource"],
    "DeleteAlias": ["DeleteAlias"] * 2,
    "ReEncrypt": ["ReEncryptFrom", "ReEncryptTo"],
    "ReplicateKey": ["ReplicateKey", "CreateKey", "TagResource"],
    "UpdateAlias": ["UpdateAlias"] * 3,
    "UpdatePrimaryRegion": ["UpdatePrimaryRegion"] * 2,
}


def test_grants_allow_the_actions_of_the_sheet_in_its_order() -> None:
    orders = {
        permission.grant_order: permission.action.removeprefix("kms:")
        for facts in OPERATION_FACTS.values()
        for permission in facts.permissions
        if permission.grant_order is not None
    }

    assert tuple(orders[order] for order in sorted(orders)) == OF_GRANTS


@pytest.mark.parametrize("name", sorted(OPERATION_FACTS))
def test_an_operation_requires_the_actions_of_the_sheet(name: str) -> None:
    actions = [f"kms:{action}" for action in WITH_SEVERAL_ACTIONS.get(name, [name])]

    assert [permission.action for permission in OPERATION_FACTS[name].permissions] == actions


def test_the_actions_that_work_across_accounts_are_those_of_the_sheet() -> None:
    across = {
        permission.action.removeprefix("kms:")
        for facts in OPERATION_FACTS.values()
        for permission in facts.permissions
        if permission.works_across_accounts
    }

    assert across == {*OF_GRANTS, "GetKeyRotationStatus", "ListGrants", "RevokeGrant"}


@pytest.mark.parametrize("name", sorted(OPERATION_FACTS))
def test_a_declaration_names_only_members_that_the_operation_has(name: str) -> None:
    facts, known = OPERATION_FACTS[name], KNOWN["operations"][name]
    requested = {*facts.trail.request, *facts.trail.defaults, *facts.trail.synonyms}
    requested |= {p.key_member for p in facts.permissions if p.key_member is not None}
    requested |= {p.context_member for p in facts.permissions if p.context_member is not None}

    assert requested - set(known["input"]) == set()
    assert {*facts.trail.response} - set(known["output"]) == set()


@pytest.mark.parametrize("name", sorted(OPERATION_FACTS))
def test_an_operation_that_takes_an_encryption_context_says_so(name: str) -> None:
    members = {m for m in KNOWN["operations"][name]["input"] if m.endswith("EncryptionContext")}

    assert {p.context_member for p in OPERATION_FACTS[name].permissions} - {None} == members


@pytest.mark.parametrize("name", sorted(OPERATION_FACTS))
def test_an_operation_that_gives_pages_says_how_long_they_are(name: str) -> None:
    takes_limit = "Limit" in KNOWN["operations"][name]["input"]

    assert (OPERATION_FACTS[name].pages is not None) is takes_limit


def test_the_operations_that_put_key_policies_are_those_with_a_policy() -> None:
    putting = {name for name, facts in OPERATION_FACTS.items() if facts.puts_policy}

    assert putting == {n for n, known in KNOWN["operations"].items() if "Policy" in known["input"]}


def test_what_operations_hand_out_are_plaintexts_and_secrets() -> None:
    handed_out = {n: facts.hands_out for n, facts in OPERATION_FACTS.items() if facts.hands_out}

    assert handed_out == {
        **dict.fromkeys(("Decrypt", "GenerateDataKey", "GenerateRandom"), "Plaintext"),
        **dict.fromkeys(("Decapsulate", "DeriveSharedSecret", "Encapsulate"), "SharedSecret"),
        "GenerateDataKeyPair": "PrivateKeyPlaintext",
    }


def test_pages_are_as_long_as_the_reference_says() -> None:
    """Of DescribeCustomKeyStores it tells only the largest page; the default is ours."""
    pages = {
        name: (facts.pages.default, facts.pages.maximum)
        for name, facts in OPERATION_FACTS.items()
        if facts.pages is not None
    }

    assert pages == {
        "DescribeCustomKeyStores": (1000, 1000),
        **dict.fromkeys(("ListAliases", "ListGrants", "ListRetirableGrants"), (50, 100)),
        **dict.fromkeys(("ListKeys", "ListKeyPolicies", "ListKeyRotations"), (100, 1000)),
        "ListResourceTags": (50, 50),
    }


# --- no other list --------------------------------------------------------------------------

#: Modules that name several operations, and what they are about instead.
ABOUT_SOMETHING_ELSE = {
    "keys/aws_managed_policies.py": "the texts of the key policies of AWS managed keys",
    "aws/managed_policies.py": "the texts of AWS's managed policies",
    "reports/permissions.py": "what a report asks of each principal, a choice for its reader",
}
#: Packages whose modules declare operations, declare condition keys, or call operations of KMS.
NAMING_THEM = ("operations", "access", "services")


def names_listed_in(path: Path) -> set[str]:
    """Give the operations that one literal of a module lists, where it lists several."""
    known = {name.lower(): name for name in OPERATION_FACTS}
    listed: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        parts: list[Any] = []
        if isinstance(node, (ast.Tuple, ast.List, ast.Set)):
            parts = [part.value if isinstance(part, ast.Starred) else part for part in node.elts]
        elif isinstance(node, ast.Dict):
            parts = [part for part in node.keys if part is not None]
        texts = {str(part.value) for part in parts if isinstance(part, ast.Constant)}
        texts = {text.removeprefix("kms:").lower() for text in texts}
        found = {known[text] for text in texts & known.keys()}
        if len(found) > 1:
            listed |= found
    return listed


def test_no_module_beside_the_declarations_lists_operations() -> None:
    package = Path(kmsmock.__file__).parent
    modules = {path.relative_to(package).as_posix(): path for path in package.rglob("*.py")}
    looked_at = modules.keys() - ABOUT_SOMETHING_ELSE.keys()

    listing = {
        name: listed
        for name in sorted(looked_at)
        if not name.startswith(NAMING_THEM) and (listed := names_listed_in(modules[name]))
    }

    assert listing == {}
