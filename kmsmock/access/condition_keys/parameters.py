"""Condition keys about the parameters of a request."""

from __future__ import annotations

from collections.abc import Mapping

from kmsmock.access.condition_keys.registry import declare, only, parameter
from kmsmock.access.facts import Facts
from kmsmock.aws.arns import alias_arn
from kmsmock.aws.condition_keys import ValueType
from kmsmock.aws.operations import find_permission

_SYMMETRIC = "SYMMETRIC_DEFAULT"
_TAGGING = frozenset({"kms:CreateKey", "kms:TagResource", "kms:UntagResource"})
_with_recipient = only(
    *("Decrypt", "DeriveSharedSecret", "GenerateDataKey", "GenerateDataKeyPair", "GenerateRandom")
)


def _has_encryption_context(action: str) -> bool:
    return find_permission(action).context_member is not None


def _has_pairs(action: str) -> bool:
    return find_permission(action).context_from_grant_constraints or _has_encryption_context(action)


def _has_tags(action: str) -> bool:
    return not action.startswith("kms:") or action in _TAGGING


def _read_pairs(facts: Facts) -> Mapping[str, str]:
    return facts.encryption_context or {}


def _read_request_tags(facts: Facts) -> Mapping[str, str]:
    tags = facts.parameter("Tags") or ()
    # KMS names the members of a tag TagKey and TagValue, other services Key and Value.
    return {
        tag.get("TagKey", tag.get("Key", "")): tag.get("TagValue", tag.get("Value", ""))
        for tag in tags
    }


def _read_tag_keys(facts: Facts) -> list[str] | None:
    return [*(facts.parameter("TagKeys") or ()), *_read_request_tags(facts)] or None


def _is_on_same_key(facts: Facts) -> bool | None:
    """Return whether source and destination of ReEncrypt are the same key; None if unknown.

    While the source is authorized, the destination key is not located yet.
    """
    key = facts.key
    if key is None:
        return None
    if facts.other_key is not None:
        return key is facts.other_key
    is_source = facts.action == "kms:ReEncryptFrom"
    named = facts.parameter("DestinationKeyId" if is_source else "SourceKeyId")
    if named is None:
        return None
    arns = (alias_arn(key.region_name, key.account, alias) for alias in key.aliases)
    return named in (key.key_id, key.arn, *key.aliases, *arns)


def _read_measurements(facts: Facts) -> Mapping[str, str]:
    """Return the measurements in the attestation document of the request.

    Source: AWS KMS Developer Guide, "Condition keys for AWS Nitro Enclaves".
    """
    attested = facts.attestation() if facts.attestation is not None else None
    if attested is None:
        return {}
    register = "NitroTPMPCR" if attested.is_tpm else "PCR"
    measured = {f"{register}{index}": value.hex() for index, value in attested.pcrs.items()}
    if not attested.is_tpm and 0 in attested.pcrs:
        measured["ImageSha384"] = attested.pcrs[0].hex()
    return measured


_ALGORITHM_MEMBERS = {
    "kms:ReEncryptFrom": "SourceEncryptionAlgorithm",
    "kms:ReEncryptTo": "DestinationEncryptionAlgorithm",
}
declare(
    "kms:EncryptionAlgorithm",
    lambda facts: facts.parameter(
        _ALGORITHM_MEMBERS.get(facts.action, "EncryptionAlgorithm"), _SYMMETRIC
    ),
    _has_encryption_context,
)
declare("kms:EncryptionContext:", _read_pairs, _has_pairs)
declare(
    "kms:EncryptionContextKeys",
    lambda facts: list(_read_pairs(facts)) or None,
    _has_pairs,
    is_multivalued=True,
)
declare(
    "kms:DataKeyPairSpec",
    parameter("KeyPairSpec"),
    only("GenerateDataKeyPair", "GenerateDataKeyPairWithoutPlaintext"),
)
declare("kms:SigningAlgorithm", parameter("SigningAlgorithm"), only("Sign", "Verify"))
declare("kms:MessageType", parameter("MessageType", "RAW"), only("Sign", "Verify"))
declare("kms:MacAlgorithm", parameter("MacAlgorithm"), only("GenerateMac", "VerifyMac"))
declare("kms:KeyAgreementAlgorithm", parameter("KeyAgreementAlgorithm"), only("DeriveSharedSecret"))
declare(
    "kms:ReEncryptOnSameKey", _is_on_same_key, only("ReEncryptFrom", "ReEncryptTo"), ValueType.BOOL
)
declare("kms:RecipientAttestation:", _read_measurements, _with_recipient)
declare(
    "kms:BypassPolicyLockoutSafetyCheck",
    parameter("BypassPolicyLockoutSafetyCheck"),
    only("CreateKey", "PutKeyPolicy"),
    ValueType.BOOL,
)
declare("kms:PolicyName", parameter("PolicyName", "default"), only("PutKeyPolicy", "GetKeyPolicy"))
declare(
    "kms:RotationPeriodInDays",
    parameter("RotationPeriodInDays", 365),
    only("EnableKeyRotation"),
    ValueType.NUMERIC,
)
declare(
    "kms:ScheduleKeyDeletionPendingWindowInDays",
    parameter("PendingWindowInDays", 30),
    only("ScheduleKeyDeletion"),
    ValueType.NUMERIC,
)
declare("kms:WrappingAlgorithm", parameter("WrappingAlgorithm"), only("GetParametersForImport"))
declare("kms:WrappingKeySpec", parameter("WrappingKeySpec"), only("GetParametersForImport"))
declare("kms:ExpirationModel", parameter("ExpirationModel"), only("ImportKeyMaterial"))
declare("kms:ValidTo", parameter("ValidTo"), only("ImportKeyMaterial"), ValueType.DATE)
declare("kms:ReplicaRegion", parameter("ReplicaRegion"), only("ReplicateKey"))
declare("kms:PrimaryRegion", parameter("PrimaryRegion"), only("UpdatePrimaryRegion"))
declare("aws:RequestTag/", _read_request_tags, _has_tags)
declare("aws:TagKeys", _read_tag_keys, _has_tags, is_multivalued=True)
