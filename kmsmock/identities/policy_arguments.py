"""Policies as tests pass them: documents, or the ARNs of managed policies, one or several."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from kmsmock.authorization.linting import warn_of_misspelt
from kmsmock.authorization.policy import Policy, parse
from kmsmock.authorization.policy_document import PolicyKind
from kmsmock.aws.arns import looks_like_arn
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


def read_boundary(document: Document, managed: ManagedPolicies) -> Policy | ManagedPolicy:
    """Read a permissions boundary: a document, or the ARN of a managed policy.

    Raises the errors of `read_policies`.
    """
    if isinstance(document, str) and looks_like_arn(document):
        return managed.find(document)
    boundary = parse(document, PolicyKind.BOUNDARY, "the permissions boundary")
    warn_of_misspelt(boundary, boundary.name)
    return boundary


def read_levels(levels: object, kind: PolicyKind, name: str) -> tuple[tuple[Policy, ...], ...]:
    """Read the policies of an organization: for each level, one or several documents.

    name: of the argument. Raises MalformedPolicyError, TypeError.
    """
    if isinstance(levels, (str, Mapping)) or not isinstance(levels, Iterable):
        raise TypeError(
            f"service_control and resource_control take a list of policies per level, "
            f"not {describe(levels)}"
        )
    return tuple(
        tuple(parse(document, kind) for document in list_documents(level, f"a level of {name}"))
        for level in levels
    )
