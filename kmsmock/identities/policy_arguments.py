"""Policies as tests pass them: documents, or the ARNs of managed policies, one or several."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from kmsmock.authorization.misspelt import warn_of_misspelt
from kmsmock.authorization.policy import Policy, parse
from kmsmock.authorization.policy_document import PolicyKind
from kmsmock.aws import policy_limits
from kmsmock.aws.arns import looks_like_arn
from kmsmock.aws.managed_policies import FULL_ACCESS, RESOURCE_FULL_ACCESS
from kmsmock.identities.entities import Document, ManagedPolicy
from kmsmock.identities.iam_names import VALID_NAME
from kmsmock.identities.managed import ManagedPolicies
from kmsmock.misuse.values import describe

#: A policy document or the ARN of a managed policy, or several.
Policies = Document | Iterable[Document]


class ParsedPolicies(NamedTuple):
    """Policies that were read."""

    #: Documents by the name that messages use.
    inline: dict[str, Policy]
    #: Managed policies by ARN.
    attached: dict[str, ManagedPolicy]

    def list_for_session(self) -> tuple[Policy, ...]:
        """Return all of them as session policies."""
        managed = self.attached.items()
        texts = {arn: parse(policy.policy.text, PolicyKind.SESSION, arn) for arn, policy in managed}
        return (*self.inline.values(), *texts.values())


def list_documents(policies: object, name: str) -> list[Document]:
    """Return one or several documents as a list.

    policies: a dict, JSON text or ARN, or an iterable of these. name: of the argument. Raises
    TypeError for other values.
    """
    if isinstance(policies, (str, Mapping, bytes, bytearray, os.PathLike)):
        return [policies]  # type: ignore[list-item] # of a wrong type, which `parse` tells
    if not isinstance(policies, Iterable):
        raise TypeError(
            f"{name} must be a policy document, as a dict or JSON text, the ARN of a managed "
            f"policy, or a list of these, not {describe(policies)}"
        )
    return list(policies)


def read_policies(
    policies: object, kind: PolicyKind, managed: ManagedPolicies, name: str = "policies"
) -> ParsedPolicies:
    """Read the policies of a user, role or session.

    policies: as for `list_documents`. managed: those that an ARN can mean. name: of the argument.
    Raises MalformedPolicyError, ValueError for the ARN of no managed policy, TypeError.
    """
    parsed = ParsedPolicies({}, {})
    for document in list_documents(policies, name):
        if isinstance(document, str) and looks_like_arn(document):
            parsed.attached[document] = managed.find(document)
        elif isinstance(document, str) and VALID_NAME.fullmatch(document):
            raise ValueError(
                f"{name} takes documents and the ARNs of managed policies, such as "
                f"'arn:aws:iam::aws:policy/{document}', not the name {document!r}"
            )
        else:
            title = f"policy {len(parsed.inline) + 1}"
            policy = parse(document, kind, "" if kind is PolicyKind.SESSION else title)
            warn_of_misspelt(policy, title)
            parsed.inline[title] = policy
    return parsed


def read_identity_policies(policies: object, word: str, managed: ManagedPolicies) -> ParsedPolicies:
    """Read the policies of a user or role. word: ``user`` or ``role``.

    Raises the errors of `read_policies`, and PolicyLimitError.
    """
    parsed = read_policies(policies, PolicyKind.IDENTITY, managed)
    policy_limits.INLINE_POLICIES[word].require(*(one.text for one in parsed.inline.values()))
    policy_limits.ATTACHED_POLICIES[word].require(len(parsed.attached))
    return parsed


def read_session_policies(policies: object, managed: ManagedPolicies) -> tuple[Policy, ...]:
    """Read the session policies of a session.

    Raises the errors of `read_policies`, and PolicyLimitError.
    """
    documents = list_documents(policies, "session policies")
    parsed = read_policies(documents, PolicyKind.SESSION, managed, "session policies")
    policy_limits.SESSION_POLICIES.require(*documents)
    policy_limits.SESSION_POLICY_ARNS.require(len(parsed.attached))
    return parsed.list_for_session()


def read_boundary(document: Document, managed: ManagedPolicies) -> Policy | ManagedPolicy:
    """Read a permissions boundary: a document, or the ARN of a managed policy.

    Raises the errors of `read_policies`, and PolicyLimitError.
    """
    if isinstance(document, str) and looks_like_arn(document):
        return managed.find(document)
    boundary = parse(document, PolicyKind.BOUNDARY, "the permissions boundary")
    policy_limits.BOUNDARY.require(boundary.text)
    warn_of_misspelt(boundary, boundary.name)
    return boundary


def read_levels(levels: object, kind: PolicyKind, name: str) -> tuple[tuple[Policy, ...], ...]:
    """Read the policies of an organization: for each level, one or several documents.

    name: of the argument. Raises MalformedPolicyError, PolicyLimitError, TypeError.
    """
    if isinstance(levels, (str, Mapping)) or not isinstance(levels, Iterable):
        raise TypeError(
            f"service_control and resource_control take a list of policies per level, "
            f"not {describe(levels)}"
        )
    documents = [list_documents(level, f"a level of {name}") for level in levels]
    parsed = tuple(tuple(parse(document, kind) for document in level) for level in documents)
    for level in documents:
        require_level(level, kind)
    policy_limits.ORGANIZATION_LEVELS.require(len(parsed))
    return parsed


def require_level(documents: Sequence[Document], kind: PolicyKind) -> None:
    """Require that the policies of a level of an organization are within their limits.

    documents: valid policies. kind: service or resource control policies. Raises PolicyLimitError.
    """
    is_service_control = kind is PolicyKind.SERVICE_CONTROL
    size = (
        policy_limits.SERVICE_CONTROL_POLICY
        if is_service_control
        else policy_limits.RESOURCE_CONTROL_POLICY
    )
    for document in documents:
        size.require(document)
    if is_service_control:
        policy_limits.ATTACHED_SERVICE_CONTROL.require(len(documents))
    else:
        own = [one for one in documents if not is_full_access(parse(one, kind))]
        policy_limits.ATTACHED_RESOURCE_CONTROL.require(len(own))


def is_full_access(policy: Policy) -> bool:
    """Return whether a policy of an organization is FullAWSAccess or RCPFullAWSAccess."""
    is_service_control = policy.kind is PolicyKind.SERVICE_CONTROL
    full_access = FULL_ACCESS if is_service_control else RESOURCE_FULL_ACCESS
    return [dict(statement.source) for statement in policy.statements] == full_access["Statement"]
