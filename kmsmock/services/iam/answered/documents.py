"""Policy documents in requests of IAM: parsed, or refused with IAM's error messages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from kmsmock.authorization.misspelt import warn_of_misspelt
from kmsmock.authorization.policy import Policy, parse
from kmsmock.authorization.policy_document import Defect, MalformedPolicyError, PolicyKind
from kmsmock.aws.arns import Arn
from kmsmock.misuse.suggestions import end_sentence
from kmsmock.services.errors import MalformedPolicyDocument
from kmsmock.services.iam.answered.policy_quotas import require_trust_size
from kmsmock.services.registry import ServiceCall

_SYNTAX = "Syntax errors in policy."
_TEXTS = {
    Defect.PRINCIPAL: "Policy document should not specify a principal.",
    Defect.NO_PRINCIPAL: "Missing required field Principal",
    Defect.NO_ACTION: "Policy statement must contain actions.",
    Defect.ACTION: "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.",
    Defect.NO_RESOURCE: "Policy statement must contain resources.",
    Defect.RESOURCE: "Has prohibited field Resource",
    Defect.TRUST_ACTION: "AssumeRole policy may only specify STS AssumeRole actions.",
    Defect.UNKNOWN_PRINCIPAL: 'Invalid principal in policy: "AWS":"{subject}"',
}


def read_policy(text: str, kind: PolicyKind, name: str = "") -> Policy:
    """Parse a policy document.

    name: of the policy, for explanations. Raises MalformedPolicyDocument.
    """
    try:
        policy = parse(text, kind, name)
    except MalformedPolicyError as defect:
        raise _refused(defect) from None
    if kind is PolicyKind.IDENTITY:
        _require_arns(policy)
    warn_of_misspelt(policy, name or f"the {kind.value}")
    return policy


def _refused(defect: MalformedPolicyError) -> MalformedPolicyDocument:
    message = _TEXTS.get(defect.defect, _SYNTAX).replace("{subject}", defect.subject or "")
    return MalformedPolicyDocument(message, explanation=end_sentence(f"The policy: {defect}"))


def read_trust_policy(call: ServiceCall, text: str) -> Policy:
    """Parse the trust policy of a role, whose principals must exist.

    Raises MalformedPolicyDocument, LimitExceeded.
    """
    policy = read_policy(text, PolicyKind.TRUST, "the trust policy")
    require_trust_size(call, policy)
    try:
        call.identities.names.require_trust(policy, knows_all=not call.is_answered)
    except MalformedPolicyError as defect:
        raise _refused(defect) from None
    return policy


def _require_arns(policy: Policy) -> None:
    for statement in policy.statements:
        for member in ("Resource", "NotResource"):
            for resource in _texts(statement.source, member):
                if resource != "*" and Arn.parse(resource) is None and "*" not in resource[:4]:
                    raise MalformedPolicyDocument(
                        f'Resource {resource} must be in ARN format or "*".'
                    )


def _texts(element: Mapping[str, Any], member: str) -> Iterator[str]:
    """Return the texts of a member, which may be one text or a list."""
    value = element.get(member, [])
    yield from value if isinstance(value, list) else [value]
