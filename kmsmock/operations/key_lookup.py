"""Find the key that a request names: by key id, key ARN, alias name, alias ARN or ciphertext.

Source: AWS KMS Developer Guide, "Key identifiers"; API Reference, KeyId of each operation.
"""

from __future__ import annotations

import contextlib
from uuid import UUID

from kmsmock.access.denial import THIS_CIPHERTEXT, THIS_RESOURCE, make_hidden_error
from kmsmock.aws import arns, errors
from kmsmock.aws.operations import KeyNaming
from kmsmock.crypto import ciphertext
from kmsmock.crypto.errors import DecryptionFailed, UnknownFraming
from kmsmock.keys.key import Key
from kmsmock.keys.region import Alias, KmsRegion
from kmsmock.operations.aws_managed_keys import new_aws_managed_key
from kmsmock.operations.identifier_hints import (
    describe_maker,
    explain_absent_alias,
    explain_absent_key,
    explain_arn,
    explain_foreign,
    explain_identifier,
    explain_missing_key,
    explain_region_of_arn,
    explain_unreadable,
    explain_unsupported_alias,
)
from kmsmock.operations.registry import Call, Locator

SYMMETRIC = "SYMMETRIC_DEFAULT"


def by_any_identifier(member: str) -> Locator:
    """Return a locator for a parameter that takes all four key identifiers, of any account.

    member: the parameter's name, such as ``KeyId``.
    """

    def locate(call: Call) -> Key:
        reference: str = call.parameters[member]
        # By far the most frequent case: the key id of a key in the caller's account and Region.
        key = call.region.keys.get(reference)
        if key is not None:
            return key
        return find_key(call, reference)

    return Locator(locate, KeyNaming.ANY_IDENTIFIER, member, cross_account=True)


def by_id_or_arn(member: str, *, cross_account: bool = False) -> Locator:
    """Return a locator for a parameter that takes a key id or key ARN, but no alias.

    member: the parameter's name. cross_account: whether keys of other accounts are allowed.
    """

    def locate(call: Call) -> Key:
        return find_key_by_id_or_arn(call, call.parameters[member], cross_account=cross_account)

    return Locator(locate, KeyNaming.ID_OR_ARN, member, cross_account)


def by_ciphertext(
    key_member: str = "KeyId", algorithm_member: str = "EncryptionAlgorithm"
) -> Locator:
    """Return a locator for the key of a ciphertext, which a symmetric ciphertext identifies.

    key_member, algorithm_member: the parameters that name the key and the encryption algorithm.
    """

    def locate(call: Call) -> Key:
        parameters = call.parameters
        if "CiphertextBlob" not in parameters or "DryRunModifiers" in parameters:
            _require_ciphertext(call)
        reference: str | None = parameters.get(key_member)
        is_symmetric = parameters.get(algorithm_member, SYMMETRIC) == SYMMETRIC
        if not is_symmetric or ("DryRunModifiers" in parameters and ignores_ciphertext(call)):
            if reference is None:
                raise errors.ValidationException(
                    "KeyId must not be null",
                    explanation="Only a symmetric ciphertext identifies its key.",
                )
            return find_key(call, reference)
        return _find_by_blob(call, reference)

    return Locator(locate, KeyNaming.CIPHERTEXT, key_member, cross_account=True)


def _require_ciphertext(call: Call) -> None:
    """Refuse a request without ciphertext, except a dry run with IGNORE_CIPHERTEXT."""
    if call.parameters.get("DryRunModifiers") and not call.dry_run:
        raise errors.ValidationException(
            "DryRunModifiers can only be specified when DryRun is true"
        )
    if "CiphertextBlob" not in call.parameters and not ignores_ciphertext(call):
        raise errors.ValidationException(
            "1 validation error detected: Value null at 'ciphertextBlob' failed to satisfy "
            "constraint: Member must not be null"
        )


def ignores_ciphertext(call: Call) -> bool:
    """Return whether the request has the dry run modifier IGNORE_CIPHERTEXT."""
    return "IGNORE_CIPHERTEXT" in call.parameters.get("DryRunModifiers", ())


def locate_key(call: Call, locator: Locator) -> tuple[Key | None, str | None]:
    """Find the key of a target and the alias that named it, if any; add the key to the call."""
    before, call.alias = call.alias, None
    key = locator.find(call)
    alias, call.alias = call.alias, before or call.alias
    if key is not None:
        call.keys.append(key)
    return key, alias


def find_named_keys(call: Call) -> tuple[list[Key], str | None]:
    """Return the keys that a request names, and the alias that it names one by, without checks.

    A ciphertext names its key, too. Keys that do not exist are left out, whatever the call answers;
    the call itself stays as it is.
    """
    scout = Call(
        call.operation, call.principal, call.region, call.backend, call.request_id, call.now
    )
    scout.parameters = call.parameters
    if not scout.parameters:  # as those of a request that could not be parsed
        return [], None
    for target in call.operation.targets:
        is_needed = target.when is None or target.when(scout)
        if target.locate is not None and is_needed:
            with contextlib.suppress(errors.ServiceError):
                locate_key(scout, target.locate)
    return scout.keys, scout.alias


def find_key_by_id_or_arn(call: Call, reference: str, *, cross_account: bool = False) -> Key:
    """Find a key by id or key ARN; raises InvalidArnException for an alias."""
    key = call.region.keys.get(reference)
    if key is not None:
        return key
    if arns.resource_of(reference).startswith(arns.ALIAS_PREFIX):
        raise errors.InvalidArnException(
            "Key Aliases are not supported for this operation.",
            explanation=explain_unsupported_alias(call, reference),
        )
    return find_key(call, reference, cross_account=cross_account)


def find_key(call: Call, reference: str, *, cross_account: bool = True) -> Key:
    """Find a key by any of the four key identifiers.

    Raises NotFoundException, or AccessDeniedException for a key of another account that does not
    exist or cannot be used from here.
    """
    if arns.looks_like_arn(reference):
        return _find_by_arn(call, reference, cross_account=cross_account)
    region = call.region
    if reference.startswith(arns.ALIAS_PREFIX):
        return _find_by_alias(call, region, reference)
    key = region.keys.get(reference)
    if key is not None:
        return key
    if not arns.is_key_id(reference):
        raise errors.NotFoundException(
            f"Invalid keyId '{reference}'",
            explanation=explain_identifier(region, reference),
        )
    raise _make_key_not_found(call, region, reference)


def find_alias(call: Call, name: str) -> Alias:
    """Find an alias of the caller's account and Region; raises NotFoundException."""
    alias = call.region.aliases.get(name)
    if alias is None:
        raise _make_alias_not_found(call, call.region, name)
    return alias


def _find_by_arn(call: Call, reference: str, *, cross_account: bool) -> Key:
    arn = arns.Arn.parse(reference)
    name = arn.key_or_alias if arn is not None else None
    if arn is None or name is None:
        raise errors.NotFoundException(
            f"Invalid arn {reference}", explanation=explain_arn(reference, call.region)
        )
    if arn.region != call.region.name or arn.partition != call.region.partition:
        raise errors.NotFoundException(
            f"Invalid arn {arn.region}", explanation=explain_region_of_arn(call, arn)
        )
    if arn.account != call.region.account:
        return _find_in_other_account(call, arn, name, cross_account=cross_account)
    if name.startswith(arns.ALIAS_PREFIX):
        return _find_by_alias(call, call.region, name)
    key = call.region.keys.get(name)
    if key is not None:
        return key
    if not arns.is_key_id(name):
        raise errors.NotFoundException(
            f"Invalid keyId {name}", explanation=explain_identifier(call.region, name)
        )
    raise _make_key_not_found(call, call.region, name)


def _find_in_other_account(call: Call, arn: arns.Arn, name: str, *, cross_account: bool) -> Key:
    """Find a key of another account; the error is the same whether or not the key exists."""
    region = call.backend.regions.get((arn.account, arn.region))
    key = region.get(name) if region is not None else None
    if key is not None and cross_account:
        call.alias = next((alias for alias in key.aliases if alias == name), None)
        return key
    # Each earlier target of the operation has added its key to call.keys.
    action = call.operation.targets[len(call.keys)].action
    explanation = (
        explain_foreign(call, arn, name)
        if key is None
        else f"{call.operation.name} does not work on keys of other accounts."
    )
    raise make_hidden_error(call.principal, action, THIS_RESOURCE, explanation)


def _find_by_alias(call: Call, region: KmsRegion, name: str) -> Key:
    alias = region.aliases.get(name)
    key: Key | None = None
    if alias is not None:
        key, name = alias.key, alias.name  # the same string object in all events
    elif call.operation.name == "DescribeKey" or call.principal.via is not None:
        # AWS managed keys are created when a service uses them, or when DescribeKey names them.
        key = new_aws_managed_key(call.backend, region, name, call.now)
    if key is None:
        raise _make_alias_not_found(call, region, name)
    call.alias = name
    return key


def _require_made_by_aws(call: Call, reference: str | None, reason: DecryptionFailed) -> None:
    """Refuse a ciphertext that cannot be read, but for one that AWS KMS itself has made.

    reference: the key that the request names. Raises InvalidCiphertextException.
    """
    if isinstance(reason, UnknownFraming) and not _is_of_this_mock(call, reason):
        return
    named = None if reference is None else _get_named_key(call, reference)
    raise errors.InvalidCiphertextException(
        explanation=explain_unreadable(call.parameters["CiphertextBlob"], reason, named)
    ) from None


def _is_of_this_mock(call: Call, damaged: UnknownFraming) -> bool:
    """Return whether a key of this mock has made a ciphertext that is damaged."""
    backend = call.backend
    uuid = str(UUID(hex=damaged.key_id))
    return damaged.material_id in backend.deleted_materials or any(
        damaged.material_id in region.materials
        or uuid in region.keys
        or f"mrk-{damaged.key_id}" in region.keys
        for region in backend.regions.values()
    )


def _find_by_blob(call: Call, reference: str | None) -> Key:
    blob: ciphertext.Blob | None = None
    try:
        blob = ciphertext.parse(call.parameters["CiphertextBlob"])
    except DecryptionFailed as reason:
        _require_made_by_aws(call, reference, reason)
    call.blob = blob
    key = named = None if blob is None else call.region.materials.get(blob.material_id)
    # For a key of another account, Decrypt also accepts its key id, which elsewhere needs the ARN.
    if reference is not None and (key is None or reference != key.key_id):
        named = _get_named_key(call, reference)
    if named is not key:
        if named is not None and named.account == call.region.account:
            call.keys.append(named)  # CloudTrail shows the key that the request named
        raise errors.IncorrectKeyException(
            "The key ID in the request does not identify a CMK that can perform this operation.",
            explanation=f"The ciphertext was made by {describe_maker(blob)}, not by {reference}.",
        )
    if key is None:
        action = call.operation.targets[0].action
        raise make_hidden_error(
            call.principal, action, THIS_CIPHERTEXT, explain_missing_key(call, blob)
        )
    return key


def _get_named_key(call: Call, reference: str) -> Key | None:
    """Find the key that a request with a ciphertext names.

    Returns None, and raises nothing, for the ARN of a related multi-Region key in another Region.
    """
    arn = arns.Arn.parse(reference)
    if arn is not None and arn.region != call.region.name:
        key_id = arn.key_or_alias or ""
        if key_id.startswith("mrk-") and key_id in call.region.keys:
            return None
    return find_key(call, reference)


def _make_key_not_found(call: Call, region: KmsRegion, key_id: str) -> errors.NotFoundException:
    return errors.NotFoundException(
        f"Key '{arns.key_arn(region.name, region.account, key_id)}' does not exist",
        explanation=explain_absent_key(call, region, key_id),
    )


def _make_alias_not_found(call: Call, region: KmsRegion, name: str) -> errors.NotFoundException:
    return errors.NotFoundException(
        f"Alias {arns.alias_arn(region.name, region.account, name)} is not found.",
        explanation=explain_absent_alias(call, region, name),
    )
