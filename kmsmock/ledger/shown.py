"""What CloudTrail shows of each operation: members of the request and of the answer.

Plaintexts, ciphertexts, messages, signatures, tokens and secrets are in none of the rows, so that
no record holds them. Source: AWS KMS Developer Guide, "Logging AWS KMS API calls with CloudTrail".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

#: Stands, among the elements of an answer, for the key that the call changed.
KEY = "KeyId"


@dataclass(frozen=True, slots=True)
class Shown:
    """What is shown of one operation, by the names of the API.

    request: members of the request, in the order in which they are shown. is_read_only: whether it
    changes nothing. response: members of the answer that are kept. elements: what is shown of the
    answer, in this order: some of the members of response, and `KEY`. defaults: what is shown of
    members that were not given.
    """

    request: tuple[str, ...]
    is_read_only: bool = True
    response: tuple[str, ...] = ()
    elements: tuple[str, ...] = ()
    defaults: Mapping[str, Any] = field(default_factory=dict)


_PAGE = ("Limit", "Marker")
_ALGORITHM = {"EncryptionAlgorithm": "SYMMETRIC_DEFAULT"}
_ENCRYPTED = ("KeyId", "EncryptionContext", "EncryptionAlgorithm", "DryRun")
_DECRYPTED = ("EncryptionContext", "EncryptionAlgorithm", "KeyId", "DryRun", "DryRunModifiers")
_DATA_KEY = ("KeyId", "KeySpec", "NumberOfBytes", "EncryptionContext", "DryRun")
_PAIR = ("KeyId", "KeyPairSpec", "EncryptionContext", "DryRun")
_MAC = ("KeyId", "MacAlgorithm", "DryRun")
_SIGNED = ("KeyId", "SigningAlgorithm", "MessageType", "DryRun")
_ENCAPSULATED = ("KeyId", "EncapsulationAlgorithm", "DryRun")
_PROXY = (
    *("XksProxyUriEndpoint", "XksProxyUriPath", "XksProxyVpcEndpointServiceName"),
    *("XksProxyVpcEndpointServiceOwner", "XksProxyConnectivity"),
)


def _reads(*request: str, **defaults: Any) -> Shown:
    return Shown(request, defaults=defaults)


def _writes(*request: str, shows: tuple[str, ...] = (KEY,), **defaults: Any) -> Shown:
    """Give the row of an operation that changes something; most show nothing but the key."""
    kept = tuple(member for member in shows if member != KEY)
    return Shown(request, is_read_only=False, response=kept, elements=shows, defaults=defaults)


SHOWN: dict[str, Shown] = {
    "CancelKeyDeletion": _writes("KeyId"),
    "ConnectCustomKeyStore": _writes("CustomKeyStoreId", shows=()),
    "CreateAlias": _writes("AliasName", "TargetKeyId"),
    "CreateCustomKeyStore": _writes(
        *("CustomKeyStoreName", "CloudHsmClusterId", "CustomKeyStoreType", *_PROXY),
        shows=("CustomKeyStoreId",),
    ),
    "CreateGrant": _writes(
        *("KeyId", "GranteePrincipal", "GranteeServicePrincipal", "RetiringPrincipal"),
        *("RetiringServicePrincipal", "Operations", "Constraints", "Name", "DryRun"),
        shows=("GrantId", KEY),
    ),
    "CreateKey": _writes(
        *("Description", "KeyUsage", "Origin", "KeySpec", "CustomerMasterKeySpec", "MultiRegion"),
        *("Policy", "BypassPolicyLockoutSafetyCheck", "Tags", "CustomKeyStoreId", "XksKeyId"),
        shows=("KeyMetadata",),
        BypassPolicyLockoutSafetyCheck=False,
        KeyUsage="ENCRYPT_DECRYPT",
        Origin="AWS_KMS",
        KeySpec="SYMMETRIC_DEFAULT",
        CustomerMasterKeySpec="SYMMETRIC_DEFAULT",
    ),
    "Decapsulate": _reads(*_ENCAPSULATED),
    "Decrypt": _reads(*_DECRYPTED, **_ALGORITHM),
    "DeleteAlias": _writes("AliasName"),
    "DeleteCustomKeyStore": _writes("CustomKeyStoreId", shows=()),
    "DeleteImportedKeyMaterial": _writes("KeyId", "KeyMaterialId", shows=(KEY, "KeyMaterialId")),
    "DeriveSharedSecret": _reads("KeyId", "KeyAgreementAlgorithm", "DryRun"),
    "DescribeCustomKeyStores": _reads("CustomKeyStoreId", "CustomKeyStoreName", *_PAGE),
    "DescribeKey": _reads("KeyId"),
    "DisableKey": _writes("KeyId"),
    "DisableKeyRotation": _writes("KeyId"),
    "DisconnectCustomKeyStore": _writes("CustomKeyStoreId", shows=()),
    "EnableKey": _writes("KeyId"),
    "EnableKeyRotation": _writes("KeyId", "RotationPeriodInDays"),
    "Encapsulate": _reads(*_ENCAPSULATED),
    "Encrypt": _reads(*_ENCRYPTED, **_ALGORITHM),
    "GenerateDataKey": _reads(*_DATA_KEY),
    "GenerateDataKeyPair": _reads(*_PAIR),
    "GenerateDataKeyPairWithoutPlaintext": _reads(*_PAIR),
    "GenerateDataKeyWithoutPlaintext": _reads(*_DATA_KEY),
    "GenerateMac": _reads(*_MAC),
    "GenerateRandom": _reads("CustomKeyStoreId"),
    "GetKeyLastUsage": _reads("KeyId"),
    "GetKeyPolicy": _reads("KeyId", "PolicyName"),
    "GetKeyRotationStatus": _reads("KeyId"),
    "GetParametersForImport": _reads("KeyId", "WrappingAlgorithm", "WrappingKeySpec"),
    "GetPublicKey": _reads("KeyId"),
    "ImportKeyMaterial": _writes(
        *("KeyId", "ValidTo", "ExpirationModel", "ImportType", "KeyMaterialDescription"),
        "KeyMaterialId",
        shows=(KEY, "KeyMaterialId"),
    ),
    "ListAliases": _reads("KeyId", *_PAGE),
    "ListGrants": _reads("KeyId", *_PAGE, "GrantId", "GranteePrincipal", "GranteeServicePrincipal"),
    "ListKeyPolicies": _reads("KeyId", *_PAGE),
    "ListKeyRotations": _reads("KeyId", "IncludeKeyMaterial", *_PAGE),
    "ListKeys": _reads("ResourceOwners", *_PAGE),
    "ListResourceTags": _reads("KeyId", *_PAGE),
    "ListRetirableGrants": _reads("RetiringPrincipal", "RetiringServicePrincipal", *_PAGE),
    "PutKeyPolicy": _writes(
        *("KeyId", "PolicyName", "Policy", "BypassPolicyLockoutSafetyCheck"),
        BypassPolicyLockoutSafetyCheck=False,
        PolicyName="default",
    ),
    "ReEncrypt": _reads(
        *("SourceKeyId", "SourceEncryptionContext", "SourceEncryptionAlgorithm"),
        *("DestinationKeyId", "DestinationEncryptionContext", "DestinationEncryptionAlgorithm"),
        *("DryRun", "DryRunModifiers"),
        SourceEncryptionAlgorithm="SYMMETRIC_DEFAULT",
        DestinationEncryptionAlgorithm="SYMMETRIC_DEFAULT",
    ),
    "ReplicateKey": _writes(
        *("KeyId", "ReplicaRegion", "Policy", "Description", "BypassPolicyLockoutSafetyCheck"),
        "Tags",
        shows=("ReplicaKeyMetadata", "ReplicaPolicy", "ReplicaTags"),
        BypassPolicyLockoutSafetyCheck=False,
    ),
    "RetireGrant": _writes("KeyId", "GrantId", "DryRun"),
    "RevokeGrant": _writes("KeyId", "GrantId", "DryRun"),
    "RotateKeyOnDemand": _writes("KeyId"),
    "ScheduleKeyDeletion": _writes(
        "KeyId",
        "PendingWindowInDays",
        shows=(KEY, "DeletionDate", "KeyState", "PendingWindowInDays"),
    ),
    "Sign": _reads(*_SIGNED, MessageType="RAW"),
    "TagResource": _writes("KeyId", "Tags"),
    "UntagResource": _writes("KeyId", "TagKeys"),
    "UpdateAlias": _writes("AliasName", "TargetKeyId"),
    "UpdateCustomKeyStore": _writes(
        *("CustomKeyStoreId", "NewCustomKeyStoreName", "CloudHsmClusterId", *_PROXY),
        shows=(),
    ),
    "UpdateKeyDescription": _writes("KeyId", "Description"),
    "UpdatePrimaryRegion": _writes("KeyId", "PrimaryRegion"),
    "Verify": _reads(*_SIGNED, MessageType="RAW"),
    "VerifyMac": _reads(*_MAC),
}
