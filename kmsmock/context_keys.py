"""The condition keys of one call, as policies see them.

Source: AWS KMS Developer Guide, "Condition keys for AWS KMS"; IAM User Guide, "AWS global
condition context keys".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from kmsmock.arns import Arn, alias_arn
from kmsmock.authorization.grants import GrantConstraints
from kmsmock.aws.operations import permission_of
from kmsmock.aws.services import calling_service
from kmsmock.identities.directory import Identities
from kmsmock.identities.entities import Organization
from kmsmock.keys.key import Key
from kmsmock.operations import recipient
from kmsmock.operations.grant_terms import grant_terms
from kmsmock.operations.registry import Call, Target
from kmsmock.principals import Principal, PrincipalKind

ContextKeys = dict[str, "str | list[str]"]

_SYMMETRIC = "SYMMETRIC_DEFAULT"
_PRINCIPAL_TYPES = {
    PrincipalKind.ROOT: "Account",
    PrincipalKind.USER: "User",
    PrincipalKind.ASSUMED_ROLE: "AssumedRole",
    PrincipalKind.FEDERATED_USER: "FederatedUser",
    PrincipalKind.SERVICE: "Service",
}
_TEMPORARY = (PrincipalKind.ASSUMED_ROLE, PrincipalKind.FEDERATED_USER)
#: kms:ResourceAliases means nothing for a key with more aliases than the quota.
_MOST_ALIASES = 50

#: Operation of IAM -> condition key -> request parameter, and the value when it is left out.
_Parameters = dict[str, tuple[str, Any]]
_ENCRYPTION: _Parameters = {"kms:EncryptionAlgorithm": ("EncryptionAlgorithm", _SYMMETRIC)}
_PAIR: _Parameters = {**_ENCRYPTION, "kms:DataKeyPairSpec": ("KeyPairSpec", None)}
_SIGNING: _Parameters = {
    "kms:SigningAlgorithm": ("SigningAlgorithm", None),
    "kms:MessageType": ("MessageType", "RAW"),
}
_MAC: _Parameters = {"kms:MacAlgorithm": ("MacAlgorithm", None)}
_BYPASS: _Parameters = {
    "kms:BypassPolicyLockoutSafetyCheck": ("BypassPolicyLockoutSafetyCheck", None)
}
_FROM_PARAMETERS: dict[str, _Parameters] = {
    "kms:Encrypt": _ENCRYPTION,
    "kms:Decrypt": _ENCRYPTION,
    "kms:GenerateDataKey": _ENCRYPTION,
    "kms:GenerateDataKeyWithoutPlaintext": _ENCRYPTION,
    "kms:GenerateDataKeyPair": _PAIR,
    "kms:GenerateDataKeyPairWithoutPlaintext": _PAIR,
    "kms:ReEncryptFrom": {"kms:EncryptionAlgorithm": ("SourceEncryptionAlgorithm", _SYMMETRIC)},
    "kms:ReEncryptTo": {"kms:EncryptionAlgorithm": ("DestinationEncryptionAlgorithm", _SYMMETRIC)},
    "kms:Sign": _SIGNING,
    "kms:Verify": _SIGNING,
    "kms:GenerateMac": _MAC,
    "kms:VerifyMac": _MAC,
    "kms:DeriveSharedSecret": {"kms:KeyAgreementAlgorithm": ("KeyAgreementAlgorithm", None)},
    "kms:CreateGrant": {
        "kms:GranteePrincipal": ("GranteePrincipal", None),
        "kms:GranteeServicePrincipal": ("GranteeServicePrincipal", None),
        "kms:RetiringPrincipal": ("RetiringPrincipal", None),
        "kms:RetiringServicePrincipal": ("RetiringServicePrincipal", None),
        "kms:GrantOperations": ("Operations", None),
    },
    "kms:CreateKey": _BYPASS,
    "kms:PutKeyPolicy": {**_BYPASS, "kms:PolicyName": ("PolicyName", "default")},
    "kms:GetKeyPolicy": {"kms:PolicyName": ("PolicyName", "default")},
    "kms:EnableKeyRotation": {"kms:RotationPeriodInDays": ("RotationPeriodInDays", 365)},
    "kms:ScheduleKeyDeletion": {
        "kms:ScheduleKeyDeletionPendingWindowInDays": ("PendingWindowInDays", 30)
    },
    "kms:GetParametersForImport": {
        "kms:WrappingAlgorithm": ("WrappingAlgorithm", None),
        "kms:WrappingKeySpec": ("WrappingKeySpec", None),
    },
    "kms:ImportKeyMaterial": {
        "kms:ExpirationModel": ("ExpirationModel", None),
        "kms:ValidTo": ("ValidTo", None),
    },
    "kms:ReplicateKey": {"kms:ReplicaRegion": ("ReplicaRegion", None)},
    "kms:UpdatePrimaryRegion": {"kms:PrimaryRegion": ("PrimaryRegion", None)},
}
_ABOUT_CONSTRAINTS = ("kms:CreateGrant", "kms:RetireGrant")
_ABOUT_GRANTS = ("kms:CreateGrant", "kms:ListGrants", "kms:RevokeGrant")
#: Actions on a key that may not exist yet; PutKeyPolicy is in the lockout safety check.
_ON_NEW_KEYS = ("kms:CreateKey", "kms:PutKeyPolicy")
_ABOUT_TAGS = ("kms:CreateKey", "kms:TagResource", "kms:UntagResource")
_ABOUT_IDLE_TIME = ("kms:DisableKey", "kms:ScheduleKeyDeletion")
_WITH_RECIPIENT = (
    *("kms:Decrypt", "kms:DeriveSharedSecret", "kms:GenerateDataKey"),
    *("kms:GenerateDataKeyPair", "kms:GenerateRandom"),
)
_WITH_CALLER_ACCOUNT = (
    *(*_ON_NEW_KEYS, "kms:TagResource", "kms:ConnectCustomKeyStore", "kms:CreateCustomKeyStore"),
    *("kms:DeleteCustomKeyStore", "kms:DescribeCustomKeyStores"),
    *("kms:DisconnectCustomKeyStore", "kms:UpdateCustomKeyStore"),
)
#: Condition key -> what it tells of the key.
_FROM_KEY: dict[str, Callable[[Key], Any]] = {
    "kms:KeySpec": lambda key: key.spec.name,
    "kms:CustomerMasterKeySpec": lambda key: key.spec.name,
    "kms:KeyUsage": lambda key: key.usage.value,
    "kms:CustomerMasterKeyUsage": lambda key: key.usage.value,
    "kms:KeyOrigin": lambda key: key.origin.value,
    "kms:MultiRegion": lambda key: key.multi_region is not None,
    "aws:ResourceAccount": lambda key: key.account,
}


def encryption_context_of(call: Call, action: str) -> Mapping[str, str] | None:
    """Give the encryption context that an action of a call has; None without one."""
    parameters = call.parameters
    pairs: Mapping[str, str] | None
    if action in _ABOUT_CONSTRAINTS:
        constraints = _constraints(call, action)
        pairs = None if constraints is None else constraints.equals or constraints.subset
    else:
        member = permission_of(action).context_member
        pairs = None if member is None else parameters.get(member)
    return pairs


def context_keys(call: Call, target: Target, key: Key | None, alias: str | None) -> ContextKeys:
    """Collect the condition keys: a text, or a list of texts for multivalued keys.

    alias: the name that the call used for this key.
    """
    action, parameters = target.action, call.parameters
    region = call.region.name
    if target.region_from is not None:
        region = parameters.get(target.region_from, region)
    identities = call.backend.identities
    context = context_of_request(call.now, region)
    context.update(context_of_principal(identities, call.principal, region))
    if call.user_agent is not None:
        context["aws:UserAgent"] = call.user_agent
    if key is not None:
        context.update(context_of_key(identities, key, call.now, action))
    elif action in _ON_NEW_KEYS:
        context.update(context_of_new_key(parameters, call.keys[0] if call.keys else None))
    context.update(context_of_action(call.principal, action, key, alias, parameters))
    _add_measurements(context, call, action)
    _add_constraints(context, call, action)
    if action in ("kms:ReEncryptFrom", "kms:ReEncryptTo"):
        context["kms:ReEncryptOnSameKey"] = _text(_is_on_same_key(call))
    add_encryption_context(context, encryption_context_of(call, action))
    if action in _ABOUT_TAGS:
        _add_request_tags(context, parameters)
    context.update(call.backend.request_context)
    return context


def context_of_action(
    principal: Principal,
    action: str,
    key: Key | None,
    alias: str | None,
    parameters: Mapping[str, Any],
) -> ContextKeys:
    """Give what an action tells of caller and parameters, which may be left out.

    alias: the name that the request has for the key.
    """
    context: ContextKeys = {}
    if alias is not None and permission_of(action).takes_alias:
        context["kms:RequestAlias"] = alias
    # A service that calls in its own name has no account.
    if principal.account and (key is not None or action in _WITH_CALLER_ACCOUNT):
        context["kms:CallerAccount"] = principal.account
    for name, (member, default) in _FROM_PARAMETERS.get(action, {}).items():
        value = parameters.get(member, default)
        if value is not None:
            context[name] = _text(value)
    if action in _ABOUT_GRANTS:
        context["kms:GrantIsForAWSResource"] = _text(principal.via is not None)
    return context


def context_of_request(now: datetime, region: str) -> ContextKeys:
    """Give what any request has, whoever makes it."""
    return {
        "aws:CurrentTime": f"{now:%Y-%m-%dT%H:%M:%SZ}",
        "aws:EpochTime": str(int(now.timestamp())),
        "aws:RequestedRegion": region,
        "aws:SecureTransport": "true",
        "aws:ViaAWSService": "false",
    }


def context_of_principal(identities: Identities, principal: Principal, region: str) -> ContextKeys:
    """Give what is known of who makes a request. region: where it is made."""
    is_service = principal.kind is PrincipalKind.SERVICE
    context: ContextKeys = {
        "aws:PrincipalArn": principal.own_arn,
        "aws:PrincipalIsAWSService": _text(is_service),
        "aws:PrincipalType": _PRINCIPAL_TYPES[principal.kind],
        "aws:userid": principal.unique_id,
    }
    _add_service(context, identities, principal, region)
    if is_service:
        context["aws:PrincipalServiceName"] = principal.arn
        context["aws:PrincipalServiceNamesList"] = [principal.arn]
        return context
    context["aws:PrincipalAccount"] = principal.account
    if principal.kind is PrincipalKind.USER:
        context["aws:username"] = Arn.of(principal.arn).name
    if principal.kind in _TEMPORARY:
        context["aws:MultiFactorAuthPresent"] = "false"
        if principal.issued is not None:
            context["aws:TokenIssueTime"] = f"{principal.issued:%Y-%m-%dT%H:%M:%SZ}"
    _add_organization(context, "Principal", identities.organization_of(principal.account))
    entity = identities.entity_of(principal)
    session = identities.session_of(principal)
    if session.source_identity is not None:
        context["aws:SourceIdentity"] = session.source_identity
    tags = {**(entity.tags if entity is not None else {}), **session.tags}
    context.update((f"aws:PrincipalTag/{name}", value) for name, value in tags.items())
    return context


def _add_service(
    context: ContextKeys, identities: Identities, principal: Principal, region: str
) -> None:
    """Add what a request has that a service makes, for a principal or in its own name."""
    via = principal.via_service(region)
    if via is not None:
        context["kms:ViaService"] = via
        context["aws:ViaAWSService"] = "true"
        if calling_service(principal.via).shows_called_via:
            called_via = f"{principal.via}.amazonaws.com"
            context["aws:CalledVia"] = [called_via]
            context["aws:CalledViaFirst"] = context["aws:CalledViaLast"] = called_via
    source = Arn.parse(principal.source_arn or "")
    if principal.source_arn is not None and source is not None:
        context["aws:SourceArn"] = principal.source_arn
        account = source.account or principal.source_account
        if account:
            context["aws:SourceAccount"] = account
            _add_organization(context, "Source", identities.organization_of(account))


def _add_organization(context: ContextKeys, whose: str, organization: Organization) -> None:
    if organization.organization_id is None:
        return
    context[f"aws:{whose}OrgID"] = organization.organization_id
    if organization.path is not None:
        context[f"aws:{whose}OrgPaths"] = [organization.path]


def context_of_key(identities: Identities, key: Key, now: datetime, action: str) -> ContextKeys:
    """Give what is known of the key; tags and aliases are hidden from key policies later."""
    context: ContextKeys = {name: _text(value(key)) for name, value in _FROM_KEY.items()}
    _add_organization(context, "Resource", identities.organization_of(key.account))
    if key.multi_region is not None:
        context["kms:MultiRegionKeyType"] = "REPLICA" if key.is_replica else "PRIMARY"
    if 0 < len(key.aliases) <= _MOST_ALIASES:
        context["kms:ResourceAliases"] = list(key.aliases)
    context.update((f"aws:ResourceTag/{name}", value) for name, value in key.tags.items())
    if action in _ABOUT_IDLE_TIME:
        used = key.last_usage.at if key.last_usage is not None else key.creation_date
        context["kms:TrailingDaysWithoutKeyUsage"] = str((now - used).days)
    return context


def context_of_new_key(parameters: Mapping[str, Any], primary: Key | None) -> ContextKeys:
    """Give what is known of a key that is to be made. primary: what it is to be a replica of."""
    if primary is not None:
        spec, usage, origin = primary.spec.name, primary.usage.value, primary.origin.value
    else:
        spec = parameters.get("KeySpec") or parameters.get("CustomerMasterKeySpec", _SYMMETRIC)
        usage = parameters.get("KeyUsage", "ENCRYPT_DECRYPT")
        origin = parameters.get("Origin", "AWS_KMS")
    is_multi_region = primary is not None or parameters.get("MultiRegion", False)
    context: ContextKeys = {
        **dict.fromkeys(("kms:KeySpec", "kms:CustomerMasterKeySpec"), spec),
        **dict.fromkeys(("kms:KeyUsage", "kms:CustomerMasterKeyUsage"), usage),
        "kms:KeyOrigin": origin,
        "kms:MultiRegion": _text(is_multi_region),
    }
    if is_multi_region:
        context["kms:MultiRegionKeyType"] = "PRIMARY" if primary is None else "REPLICA"
    return context


def _text(value: Any) -> str | list[str]:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return str(value.timestamp())
    if isinstance(value, list):
        return [str(item) for item in value]
    return str(value)


def _constraints(call: Call, action: str) -> GrantConstraints | None:
    """Give the constraints of the grant that is to be made, or to be retired."""
    if action == "kms:CreateGrant":
        return grant_terms(call).constraints
    grant_id = call.grant_id or call.parameters.get("GrantId", "")
    grant = call.keys[-1].grants.get(grant_id) if call.keys else None
    return None if grant is None else grant.terms.constraints


def _add_constraints(context: ContextKeys, call: Call, action: str) -> None:
    constraints = _constraints(call, action) if action in _ABOUT_CONSTRAINTS else None
    if constraints is None:
        return
    if constraints.equals is not None:
        context["kms:GrantConstraintType"] = "EncryptionContextEquals"
    if constraints.subset is not None:
        context["kms:GrantConstraintType"] = "EncryptionContextSubset"
    if constraints.source_arn is not None and action == "kms:CreateGrant":
        context["kms:GrantConstraintSourceArn"] = constraints.source_arn


def add_encryption_context(context: ContextKeys, pairs: Mapping[str, str] | None) -> None:
    """Add the condition keys of an encryption context."""
    if pairs:
        context["kms:EncryptionContextKeys"] = list(pairs)
        context.update((f"kms:EncryptionContext:{name}", value) for name, value in pairs.items())


def _add_request_tags(context: ContextKeys, parameters: dict[str, Any]) -> None:
    names = list(parameters.get("TagKeys", ()))
    for tag in parameters.get("Tags", ()):
        names.append(tag["TagKey"])
        context[f"aws:RequestTag/{tag['TagKey']}"] = tag["TagValue"]
    if names:
        context["aws:TagKeys"] = names


def _add_measurements(context: ContextKeys, call: Call, action: str) -> None:
    """Add what the attestation document of the request attests.

    Source: AWS KMS Developer Guide, "Condition keys for AWS Nitro Enclaves".
    """
    attested = recipient.attested(call) if action in _WITH_RECIPIENT else None
    if attested is None:
        return
    register = "NitroTPMPCR" if attested.is_tpm else "PCR"
    for index, measurement in attested.pcrs.items():
        context[f"kms:RecipientAttestation:{register}{index}"] = measurement.hex()
    if not attested.is_tpm and 0 in attested.pcrs:
        context["kms:RecipientAttestation:ImageSha384"] = attested.pcrs[0].hex()


def _is_on_same_key(call: Call) -> bool:
    """Tell whether ReEncrypt's two sides are one key; the second is not located yet at first."""
    if len(call.keys) > 1:
        return call.keys[0] is call.keys[1]
    destination = call.parameters.get("DestinationKeyId", "")
    key = call.keys[0] if call.keys else None
    return key is not None and (
        destination in (key.key_id, key.arn)
        or destination in key.aliases
        or any(destination == alias_arn(key.region_name, key.account, a) for a in key.aliases)
    )
