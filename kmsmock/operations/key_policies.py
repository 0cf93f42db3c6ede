"""The key policy operations, and the checks of a new key policy.

Source: AWS KMS Developer Guide, "Key policies in AWS KMS".
"""

from __future__ import annotations

import re
from operator import attrgetter
from typing import NamedTuple

from kmsmock.access.policies import KEY_POLICY
from kmsmock.authorization import policy as policy_language
from kmsmock.authorization.misspelt import warn_of_misspelt
from kmsmock.authorization.policy import Effect, Policy
from kmsmock.authorization.policy_document import Defect, MalformedPolicyError, PolicyKind
from kmsmock.aws import errors, policy_limits
from kmsmock.aws.arns import looks_like_arn
from kmsmock.aws.operations import PageSizes, per_second, read_event, write_event
from kmsmock.identities.names import CREATE_PRINCIPALS
from kmsmock.keys import policies
from kmsmock.keys.key import Key
from kmsmock.misuse.suggestions import end_sentence
from kmsmock.operations.key_lookup import by_id_or_arn
from kmsmock.operations.registry import Call, Response, Target, operation
from kmsmock.operations.response_members import build_page

_POLICY_NAME = "default"
_SERVICE = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)+")
_NO_PRINCIPAL = "Policy contains a statement with no principal."
_SINGLE_VALUED = {
    "kms:encryptioncontext:": ("EncryptionContext", "encryption context"),
    "aws:requesttag/": ("RequestTag", "tag"),
}


@operation(
    "GetKeyPolicy",
    Target("kms:GetKeyPolicy", by_id_or_arn("KeyId")),
    trail=read_event("KeyId", "PolicyName"),
    quota=per_second(1000),
)
def get_key_policy(call: Call, key: Key) -> Response:
    """Return the text of the key policy, with unique ids in place of deleted principals."""
    if call.parameters.get("PolicyName", _POLICY_NAME) != _POLICY_NAME:
        raise errors.NotFoundException("No such policy exists")
    names = call.backend.identities.names
    text = key.policy
    if any(names.displayed(name, key.policy_ids) != name for name in key.policy_ids or ()):
        text = policies.replace_principals(text, lambda name: names.displayed(name, key.policy_ids))
    return {"Policy": text, "PolicyName": _POLICY_NAME}


class _PolicyName(NamedTuple):
    sequence: int
    text: str


@operation(
    "ListKeyPolicies",
    Target("kms:ListKeyPolicies", by_id_or_arn("KeyId")),
    trail=read_event("KeyId", "Limit", "Marker"),
    quota=per_second(100),
    pages=PageSizes(100, 1000),
)
def list_key_policies(call: Call, key: Key) -> Response:
    """List the names of a key's policies, which is always just ``default``."""
    return build_page(call, "PolicyNames", [_PolicyName(1, _POLICY_NAME)], attrgetter("text"))


def _require_policy_name(call: Call, key: Key) -> None:
    name = call.parameters.get("PolicyName", _POLICY_NAME)
    if name == "AWS_RAM":
        raise errors.ValidationException(
            "The AWS_RAM policy can only be managed by the RAM service"
        )
    if name != _POLICY_NAME:
        raise errors.ValidationException.in_own_words(
            f"PolicyName {name} is not supported. The only valid value is {_POLICY_NAME}."
        )


@operation(
    "PutKeyPolicy",
    Target("kms:PutKeyPolicy", by_id_or_arn("KeyId")),
    precheck=_require_policy_name,
    trail=write_event(
        *("KeyId", "PolicyName", "Policy", "BypassPolicyLockoutSafetyCheck"),
        defaults={"BypassPolicyLockoutSafetyCheck": False, "PolicyName": _POLICY_NAME},
    ),
    quota=per_second(15),
    puts_policy=True,
)
def put_key_policy(call: Call, key: Key) -> None:
    """Replace the key policy."""
    policy = read_policy(call)
    key.policy, key.policy_ids = policy, get_policy_ids(call, policy)


def read_policy(call: Call) -> str:
    """Return the text that KMS stores for the request's key policy, or the default key policy.

    Unique ids of users and roles are replaced by ARNs, as AWS does. Raises
    MalformedPolicyDocumentException, or LimitExceededException above 32 KiB.
    """
    text: str | None = call.parameters.get("Policy")
    if text is None:
        return call.backend.default_policy(call.region)
    size = policy_limits.KEY_POLICY.measure(text)
    if size > policy_limits.KEY_POLICY.most:
        raise errors.LimitExceededException.in_own_words(
            f"Key policy size quota is {policy_limits.KEY_POLICY.most} bytes, current size is "
            f"{size}."
        )
    try:
        policy = policy_language.parse(text, PolicyKind.RESOURCE, KEY_POLICY)
    except MalformedPolicyError as defect:
        message = _NO_PRINCIPAL if defect.defect is Defect.NO_PRINCIPAL else ""
        raise errors.MalformedPolicyDocumentException(
            message, explanation=end_sentence(f"The key policy is malformed: {defect}")
        ) from None
    stored = _name_by_arn(call, policies.normalize(policy, call.region.partition))
    policy = policy_language.parse(stored, PolicyKind.RESOURCE, KEY_POLICY)
    _require_valid_principals(call, policy)
    _require_strict_conditions(policy)
    return stored


def check_policy(call: Call) -> str:
    """Read the request's key policy, as `read_policy` does, and warn of misspelt names in it."""
    text = read_policy(call)
    if "Policy" in call.parameters:
        warn_of_misspelt(policy_language.parse(text, PolicyKind.RESOURCE, KEY_POLICY), KEY_POLICY)
    return text


def _name_by_arn(call: Call, stored: str) -> str:
    """Replace unique ids of users, roles and sessions by their ARNs."""
    names = call.backend.identities.names
    policy = policy_language.parse(stored, PolicyKind.RESOURCE, KEY_POLICY)
    arns = {
        name: arn
        for statement in policy.statements
        if statement.principals is not None
        for name in statement.principals.arns
        if not looks_like_arn(name) and (arn := names.get_arn(name)) is not None
    }
    return (
        policies.replace_principals(stored, lambda name: arns.get(name, name)) if arns else stored
    )


def _require_valid_principals(call: Call, policy: Policy) -> None:
    for statement in policy.statements:
        principals = statement.principals
        assert principals is not None  # a statement of a key policy has them
        unknown = [name for name in principals.names if not _is_valid(call, name)]
        unknown += [name for name in principals.services if not _SERVICE.fullmatch(name)]
        if unknown:
            raise errors.MalformedPolicyDocumentException(
                "Policy contains a statement with one or more invalid principals.",
                explanation=f"{statement.name} names {unknown[0]}, which does not exist. "
                f"{CREATE_PRINCIPALS} Services have names such as sns.amazonaws.com.",
            )


def _require_strict_conditions(policy: Policy) -> None:
    """Refuse ForAllValues with single-valued condition keys (MalformedPolicyDocumentException).

    Source: AWS KMS Developer Guide, "kms:EncryptionContext:context-key".
    """
    for statement in policy.statements:
        for condition in statement.conditions if statement.effect is Effect.ALLOW else ():
            for prefix, (name, words) in _SINGLE_VALUED.items():
                if condition.operator.startswith("ForAllValues:") and (
                    condition.lower_key.startswith(prefix)
                ):
                    raise errors.MalformedPolicyDocumentException(
                        f"OverlyPermissiveCondition:{name}: Using the ForAllValues set operator "
                        "with a single-valued condition key matches requests without the "
                        f"specified {words} or with an unspecified {words}. To fix, remove "
                        "ForAllValues.",
                        explanation=f"{statement.name} has {condition.operator} {condition.key}.",
                    )


def _is_valid(call: Call, name: str) -> bool:
    if name == "*" or not call.backend.enforces_policies:
        return True
    return call.backend.identities.names.is_valid_principal(name, call.region.partition)


def get_policy_ids(call: Call, policy: str) -> dict[str, str] | None:
    """Return the unique ids of the users and roles that a new key policy names, by ARN.

    policy: the text that `read_policy` has returned. None if there are none.
    """
    if "Policy" not in call.parameters:
        return None  # the default policy names the account only
    parsed = policy_language.parse(policy, PolicyKind.RESOURCE, KEY_POLICY)
    return call.backend.identities.names.find_ids(parsed) or None
