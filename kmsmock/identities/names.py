"""How policies and grants name principals: by ARNs, bound to unique ids of users and roles.

Source: IAM User Guide, "IAM identifiers", on unique identifiers.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Protocol

from kmsmock.authorization.policy import Policy
from kmsmock.authorization.policy_document import Defect, MalformedPolicyError, as_list
from kmsmock.aws.arns import Arn, is_account_id, read_account_principal, session_arn
from kmsmock.aws.principals import PrincipalKind
from kmsmock.identities.entities import Entity
from kmsmock.misuse.suggestions import did_you_mean

#: For explanations that a user or role does not exist.
CREATE_PRINCIPALS = (
    "Create users and roles first: kms.account(...).role(name), or with the operations of IAM, "
    "such as CreateRole."
)
_SESSION = re.compile(r"assumed-role/([^/]+)/[\w+=,.@-]+", re.ASCII)
_FEDERATED = re.compile(r"federated-user/[\w+=,.@-]+", re.ASCII)


class Directory(Protocol):
    """The users and roles that can be named."""

    #: By ARN.
    entities: dict[str, Entity]

    def named(self, kind: PrincipalKind, account: str, name: str, partition: str) -> Entity | None:
        """Find a user or role by its name."""
        ...


class PrincipalNames:
    """The names of the principals of one mock."""

    def __init__(self, identities: Directory) -> None:
        self._identities = identities

    def get_arn(self, unique_id: str) -> str | None:
        """Return the ARN of a unique id, of a session for ``AROA…:session``; None if deleted."""
        entity_id, _, session = unique_id.partition(":")
        for entity in self._identities.entities.values():
            if entity.unique_id == entity_id:
                if not session:
                    return entity.arn
                arn = Arn.of(entity.arn)
                return session_arn(arn.partition, arn.account, entity.name, session)
        return None

    def get_unique_id(self, name: str) -> str | None:
        """Return the unique id of the user or role with this name; None for others."""
        entity = self._identities.entities.get(name) or self._identities.entities.get(
            self._role_of_session(name) or ""
        )
        return entity.unique_id if entity is not None else None

    def find_ids(self, policy: Policy) -> dict[str, str]:
        """Return the unique ids of the users and roles that a policy names, by ARN."""
        elements = (statement.principals for statement in policy.statements)
        names = (name for element in elements if element is not None for name in element.names)
        return {name: known for name in names if (known := self.get_unique_id(name)) is not None}

    def displayed(self, name: str, unique_ids: Mapping[str, str] | None) -> str:
        """Return a name as AWS displays it: the unique id if the user or role was deleted.

        unique_ids: ARN -> id when the policy was put or the grant created.
        """
        bound = (unique_ids or {}).get(name)
        if bound is None or self.get_unique_id(name) == bound:
            return name
        arn = Arn.of(name)
        return f"{bound}:{arn.name}" if arn.resource_type == "assumed-role" else bound

    def is_valid_principal(self, name: str, partition: str | None = None) -> bool:
        """Return whether a policy or grant may name a principal: users and roles must exist.

        partition: which ARNs must be of, if that matters.
        """
        arn = Arn.parse(name)
        if arn is not None and partition not in (None, arn.partition):
            return False
        if read_account_principal(name) is not None:
            return True
        if arn is None or not is_account_id(arn.account):
            return False
        if arn.service == "sts" and _FEDERATED.fullmatch(arn.resource):
            return True
        return self.get_unique_id(name) is not None

    def require_trust(self, trust: Policy, *, knows_all: bool = True) -> None:
        """Require what IAM requires of a trust policy beside its grammar.

        Its actions are of STS, and the users and roles that it names exist. knows_all: whether all
        principals are known here. Raises MalformedPolicyError.
        """
        for statement in trust.statements:
            actions = as_list(statement.source.get("Action", []))
            if any(not action.lower().startswith("sts:") for action in actions if action != "*"):
                raise MalformedPolicyError(
                    f"{statement.name} has actions of other services than STS, such as "
                    f"{actions[0]!r}; a role is assumed with sts:AssumeRole",
                    Defect.TRUST_ACTION,
                )
            principal = statement.source.get("Principal", statement.source.get("NotPrincipal"))
            if knows_all and isinstance(principal, Mapping):
                self._require_existing(as_list(principal.get("AWS", [])))

    def _require_existing(self, names: list[str]) -> None:
        for name in names:
            if name != "*" and not self.is_valid_principal(name):
                raise MalformedPolicyError(
                    f'Invalid principal in policy: "AWS":"{name}"; a user or role must exist to be '
                    f"trusted: create it first{did_you_mean(name, self._identities.entities)}",
                    Defect.UNKNOWN_PRINCIPAL,
                    name,
                )

    def _role_of_session(self, name: str) -> str | None:
        arn = Arn.parse(name)
        if arn is None or arn.service != "sts":
            return None
        session = _SESSION.fullmatch(arn.resource)
        if session is None:
            return None
        role = self._identities.named(
            PrincipalKind.ASSUMED_ROLE, arn.account, session.group(1), arn.partition
        )
        return None if role is None else role.arn
