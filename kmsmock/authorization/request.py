"""The question: a request, and all that has a say in it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from enum import Enum
from typing import Any, NamedTuple

from kmsmock.authorization.conditions import Condition
from kmsmock.authorization.grants import EndedGrant, Grant, GrantTerms
from kmsmock.authorization.policy import Policy
from kmsmock.authorization.variables import Context
from kmsmock.aws.condition_keys import get_condition_key
from kmsmock.aws.principals import Principal


class _SeenByKeyPolicies(Mapping[str, "str | list[str]"]):
    """The condition keys of a request, without those that key policies cannot see.

    Source: AWS KMS Developer Guide, "ABAC for AWS KMS".
    """

    __slots__ = ("_context",)

    def __init__(self, context: Context) -> None:
        self._context = context

    def get(self, key: str, default: Any = None) -> Any:
        """Return the value of a condition key; the default when key policies see none."""
        return default if _is_hidden(key) else self._context.get(key, default)

    def __getitem__(self, key: str) -> str | list[str]:
        if _is_hidden(key):
            raise KeyError(key)
        return self._context[key]

    def __iter__(self) -> Iterator[str]:
        return (key for key in self._context if not _is_hidden(key))

    def __len__(self) -> int:
        return sum(1 for _ in self)


def _is_hidden(key: str) -> bool:
    declared = get_condition_key(key)
    return declared is not None and declared.is_hidden_from_key_policies


class Request:
    """One question: whether a principal may perform an action on a resource.

    - action: such as ``kms:Decrypt``.
    - resource: a key ARN, an alias ARN, or ``*``.
    - owner: the account of the key; None if no key policy applies, as for account-level actions,
      and for the permission on the alias of alias operations.
    - context_source: returns the condition keys of the request, in lower case; only called if a
      policy or grant has conditions.
    - encryption_context: the encryption context that grant constraints are compared with.
    - child: the terms of the grant that CreateGrant creates.
    """

    # A plain class, since each call makes one.
    __slots__ = (
        *("_context", "_context_source", "_key_policy_context", "action", "child"),
        *("encryption_context", "failed", "lower_action", "owner", "principal", "resource"),
    )

    def __init__(
        self,
        principal: Principal,
        action: str,
        resource: str,
        owner: str | None,
        context_source: Callable[[], Context],
        *,
        encryption_context: Mapping[str, str] | None = None,
        child: GrantTerms | None = None,
    ) -> None:
        self.principal = principal
        self.action = action
        self.lower_action = action.lower()
        self.resource = resource
        self.owner = owner
        self.encryption_context = encryption_context
        self.child = child
        self._context_source = context_source
        #: The id of a statement -> its conditions that do not hold, as far as explanations asked.
        self.failed: dict[int, tuple[Condition, ...]] = {}
        self._context: Context | None = None
        self._key_policy_context: Context | None = None

    @property
    def context(self) -> Context:
        """The condition keys of the request, in lower case."""
        if self._context is None:
            self._context = self._context_source()
        return self._context

    @property
    def key_policy_context(self) -> Context:
        """The condition keys that a key policy sees."""
        if self._key_policy_context is None:
            self._key_policy_context = _SeenByKeyPolicies(self.context)
        return self._key_policy_context

    def source_arn(self) -> str | None:
        """Return ``aws:SourceArn``: the resource for which a service makes the request."""
        value = self.context.get("aws:sourcearn")
        return value if isinstance(value, str) else None


class AppliedPolicies(NamedTuple):
    """All that has a say in one request."""

    #: The key policy; None where there is none.
    resource: Policy | None = None
    identity: tuple[Policy, ...] = ()
    boundary: Policy | None = None
    #: The session policies; None for a principal that has none. The empty tuple of a federated user
    #: without session policies allows nothing.
    session: tuple[Policy, ...] | None = None
    #: Service control policies: a tuple of policies for each level of the organization.
    service_control: tuple[tuple[Policy, ...], ...] = ()
    #: Resource control policies, in the same form.
    resource_control: tuple[tuple[Policy, ...], ...] = ()
    grants: Iterable[Grant] = ()
    #: The last grants on the key that have ended.
    ended_grants: tuple[EndedGrant, ...] = ()
    #: ARN -> unique id, for users and roles that the key policy names.
    unique_ids: Mapping[str, str] | None = None
    #: Returns whether a name in the key policy is that of an existing principal.
    exists: Callable[[str], bool] | None = None
    #: Whether nobody can change the key policy, since it belongs to an AWS managed key.
    is_fixed: bool = False
    #: Why the caller may have no identity policies.
    remark: str = ""


class Outcome(Enum):
    """How a decision came about, in the words of IAM's policy simulator."""

    ALLOW = "allow"
    EXPLICIT_DENY = "explicitDeny"
    IMPLICIT_DENY = "implicitDeny"
