"""What policies and grants call principals: ARNs, bound to the unique ids of users and roles.

Source: IAM User Guide, "IAM identifiers", on unique identifiers.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Protocol

from kmsmock.authorization.policy import Policy
from kmsmock.aws.arns import Arn, is_account_id, read_account_principal, session_arn
from kmsmock.aws.principals import PrincipalKind
from kmsmock.identities.entities import Entity

_SESSION = re.compile(r"assumed-role/([^/]+)/[\w+=,.@-]+", re.ASCII)
_FEDERATED = re.compile(r"federated-user/[\w+=,.@-]+", re.ASCII)


class Directory(Protocol):
    """The users and roles that names can mean."""

    #: By ARN.
    entities: dict[str, Entity]

    def named(self, kind: PrincipalKind, account: str, name: str, partition: str) -> Entity | None:
        """Find a user or role by its name."""
        ...


class PrincipalNames:
    """The names of principals of one mock, and whom they mean."""

    def __init__(self, identities: Directory) -> None:
        self._identities = identities

    def arn_of_id(self, unique_id: str) -> str | None:
        """Give the ARN behind a unique id, ``AROA…:session`` being a session; None for the dead."""
        entity_id, _, session = unique_id.partition(":")
        for entity in self._identities.entities.values():
            if entity.unique_id == entity_id:
                if not session:
                    return entity.arn
                arn = Arn.of(entity.arn)
                return session_arn(arn.partition, arn.account, entity.name, session)
        return None

    def unique_id_behind(self, name: str) -> str | None:
        """Give the unique id of the user or role that a policy or grant names; None for others."""
        entity = self._identities.entities.get(name) or self._identities.entities.get(
            self._role_of_session(name) or ""
        )
        return entity.unique_id if entity is not None else None

    def ids_named_by(self, policy: Policy) -> dict[str, str]:
        """Give the unique ids of the users and roles that a policy names, by ARN."""
        elements = (statement.principals for statement in policy.statements)
        names = (name for element in elements if element is not None for name in element.names)
        return {name: found for name in names if (found := self.unique_id_behind(name)) is not None}

    def shown(self, name: str, unique_ids: Mapping[str, str] | None) -> str:
        """Give a name as AWS shows it: the unique id of a user or role that is gone.

        unique_ids: ARN -> id at the time when the name was given.
        """
        bound = (unique_ids or {}).get(name)
        if bound is None or self.unique_id_behind(name) == bound:
            return name
        arn = Arn.of(name)
        return f"{bound}:{arn.name}" if arn.resource_type == "assumed-role" else bound

    def is_valid_principal(self, name: str, partition: str | None = None) -> bool:
        """Tell whether a policy or grant may name a principal: users and roles must exist.

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
        return self.unique_id_behind(name) is not None

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
