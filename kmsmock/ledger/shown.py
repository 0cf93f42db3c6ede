"""What CloudTrail shows of each operation: members of the request and of the answer.

Plaintexts, ciphertexts, messages, signatures, tokens and secrets are in none of the rows, so that
no record holds them. Source: AWS KMS Developer Guide, "Logging AWS KMS API calls with CloudTrail".
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Shown:
    """What is shown of one operation, by the names of the API.

    request: members of the request. is_read_only: whether it changes nothing. response: members
    of the answer; reading operations show none.
    """

    request: tuple[str, ...]
    is_read_only: bool = True
    response: tuple[str, ...] = ()


_PAGE = ("Limit", "Marker")
_ENCRYPTED = ("KeyId", "EncryptionContext", "EncryptionAlgorithm", "DryRun")
_DATA_KEY = ("KeyId", "KeySpec", "NumberOfBytes", "EncryptionContext", "DryRun")
_PAIR = ("KeyId", "KeyPairSpec", "EncryptionContext", "DryRun")
_MAC = ("KeyId", "MacAlgorithm", "DryRun")
_SIGNED = ("KeyId", "SigningAlgorithm", "MessageType", "DryRun")
_ENCAPSULATED = ("KeyId", "EncapsulationAlgorithm", "DryRun")
_STORE = (
    *("CustomKeyStoreName", "CloudHsmClusterId", "CustomKeyStoreType", "XksProxyUriEndpoint"),
    *("XksProxyUriPath", "XksProxyVpcEndpointServiceName", "XksProxyVpcEndpointServiceOwner"),
    "XksProxyConnectivity",
)


def _reads(*request: str) -> Shown:
    return Shown(request)


def _writes(*request: str, shows: tuple[str, ...] = ()) -> Shown:
    return Shown(request, is_read_only=False, response=shows)


SHOWN: dict[str, Shown] = {
    "CancelKeyDeletion": _writes("KeyId"),
    "ConnectCustomKeyStore": _writes("CustomKeyStoreId"),
    "CreateAlias": _writes("AliasName", "TargetKeyId"),
    "CreateCustomKeyStore": _writes(*_STORE, shows=("CustomKeyStoreId",)),
    "CreateGrant": _writes(
        *("KeyId", "GranteePrincipal", "GranteeServicePrincipal", "RetiringPrincipal"),
        *("RetiringServicePrincipal", "Operations", "Constraints", "Name", "DryRun"),
        shows=("GrantId",),
    ),
    "CreateKey": _writes(
        *("Description", "KeyUsage", "Origin", "KeySpec", "CustomerMasterKeySpec", "MultiRegion"),
        *("Policy", "BypassPolicyLockoutSafetyCheck", "Tags", "CustomKeyStoreId", "XksKeyId"),
        shows=("KeyMetadata",),
    ),
    "Decapsulate": _reads(*_ENCAPSULATED),
    "Decrypt": _reads(*_ENCRYPTED, "DryRunModifiers"),
    "DeleteAlias": _writes("AliasName"),
    "DeleteCustomKeyStore": _writes("CustomKeyStoreId"),
    "DeleteImportedKeyMaterial": _writes("KeyId", "KeyMaterialId", shows=("KeyMaterialId",)),
    "DeriveSharedSecret": _reads("KeyId", "KeyAgreementAlgorithm", "DryRun"),
    "DescribeCustomKeyStores": _reads("CustomKeyStoreId", "CustomKeyStoreName", *_PAGE),
    "DescribeKey": _reads("KeyId"),
    "DisableKey": _writes("KeyId"),
    "DisableKeyRotation": _writes("KeyId"),
    "DisconnectCustomKeyStore": _writes("CustomKeyStoreId"),
    "EnableKey": _writes("KeyId"),
    "EnableKeyRotation": _writes("KeyId", "RotationPeriodInDays"),
    "Encapsulate": _reads(*_ENCAPSULATED),
    "Encrypt": _reads(*_ENCRYPTED),
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
        shows=("KeyMaterialId",),
    ),
    "ListAliases": _reads("KeyId", *_PAGE),
    "ListGrants": _reads("KeyId", *_PAGE, "GrantId", "GranteePrincipal", "GranteeServicePrincipal"),
    "ListKeyPolicies": _reads("KeyId", *_PAGE),
    "ListKeyRotations": _reads("KeyId", "IncludeKeyMaterial", *_PAGE),
    "ListKeys": _reads("ResourceOwners", *_PAGE),
    "ListResourceTags": _reads("KeyId", *_PAGE),
    "ListRetirableGrants": _reads("RetiringPrincipal", "RetiringServicePrincipal", *_PAGE),
    "PutKeyPolicy": _writes("KeyId", "PolicyName", "Policy", "BypassPolicyLockoutSafetyCheck"),
    "ReEncrypt": _reads(
        *("SourceKeyId", "SourceEncryptionContext", "SourceEncryptionAlgorithm"),
        *("DestinationKeyId", "DestinationEncryptionContext", "DestinationEncryptionAlgorithm"),
        *("DryRun", "DryRunModifiers"),
    ),
    "ReplicateKey": _writes(
        *("KeyId", "ReplicaRegion", "Policy", "Description", "BypassPolicyLockoutSafetyCheck"),
        "Tags",
        shows=("ReplicaKeyMetadata", "ReplicaPolicy", "ReplicaTags"),
    ),
    "RetireGrant": _writes("KeyId", "GrantId", "DryRun"),
    "RevokeGrant": _writes("KeyId", "GrantId", "DryRun"),
    "RotateKeyOnDemand": _writes("KeyId"),
    "ScheduleKeyDeletion": _writes(
        "KeyId",
        "PendingWindowInDays",
        shows=("DeletionDate", "KeyState", "PendingWindowInDays"),
    ),
    "Sign": _reads(*_SIGNED),
    "TagResource": _writes("KeyId", "Tags"),
    "UntagResource": _writes("KeyId", "TagKeys"),
    "UpdateAlias": _writes("AliasName", "TargetKeyId"),
    "UpdateCustomKeyStore": _writes("CustomKeyStoreId", "NewCustomKeyStoreName", *_STORE[1:]),
    "UpdateKeyDescription": _writes("KeyId", "Description"),
    "UpdatePrimaryRegion": _writes("KeyId", "PrimaryRegion"),
    "Verify": _reads(*_SIGNED),
    "VerifyMac": _reads(*_MAC),
}
