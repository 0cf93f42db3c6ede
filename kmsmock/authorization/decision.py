"""The answer to a request: allowed or not, and why."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from kmsmock.authorization.grants import Grant
from kmsmock.authorization.policy import Policy, Statement
from kmsmock.authorization.policy_document import PolicyKind
from kmsmock.authorization.request import AppliedPolicies, Outcome, Request
from kmsmock.misuse.public_object import PublicObject

if TYPE_CHECKING:
    from kmsmock.authorization.explanation import Step
    from kmsmock.authorization.missing import Missing


@dataclass(frozen=True, slots=True)
class Decision(
    PublicObject, internal=("cause", "is_hidden", "outcome", "policies", "request", "with_request")
):
    """The answer; truthy when allowed."""

    outcome: Outcome
    #: The reason, in one sentence.
    reason: str
    #: The kind of policy that denied, or that lacks a permission.
    cause: PolicyKind | None = None
    #: Whether the message must not reveal if the key of another account exists.
    is_hidden: bool = False
    #: The policy that decided, if one did.
    policy: Policy | None = None
    #: The statement that decided, if one did.
    statement: Statement | None = None
    #: The grant that allowed the request, if one did.
    grant: Grant | None = None
    #: The request, if it was denied.
    request: Request | None = None
    #: The policies that applied, if the request was denied.
    policies: AppliedPolicies | None = None

    @property
    def allowed(self) -> bool:
        """Whether the request may go on."""
        return self.outcome is Outcome.ALLOW

    def with_request(self, request: Request, policies: AppliedPolicies) -> Decision:
        """Return the decision with what it is about, which its explanation needs."""
        reason = None
        if self.outcome is Outcome.IMPLICIT_DENY:
            from kmsmock.authorization.near_misses import explain_missed_grant

            reason = explain_missed_grant(request, policies, self.cause)
        return replace(self, request=request, policies=policies, reason=reason or self.reason)

    def __bool__(self) -> bool:
        return self.allowed

    @property
    def steps(self) -> tuple[Step, ...]:
        """Each policy statement and grant that was consulted, and what in it did not match."""
        from kmsmock.authorization.explanation import steps

        if self.request is None or self.policies is None:
            return ()
        return tuple(steps(self.request, self.policies))

    @property
    def missing(self) -> tuple[Missing, ...]:
        """The smallest statements that would have to be added, for want of which it was denied.

        They keep the conditions of statements that nearly apply.
        """
        from kmsmock.authorization.missing import list_missing

        if self.outcome is not Outcome.IMPLICIT_DENY or not self.request or not self.policies:
            return ()
        return list_missing(self.request, self.policies, self.cause)

    @property
    def fixes(self) -> tuple[str, ...]:
        """What would make conditions hold, and constraints of grants be met, as sentences."""
        from kmsmock.authorization.fixes import list_fixes

        if self.allowed or self.request is None or self.policies is None:
            return ()
        return list_fixes(self.request, self.policies, self.cause, self.statement)

    @property
    def odd(self) -> tuple[str, ...]:
        """Likely mistakes in the statements about the action that do not apply."""
        from kmsmock.authorization.explanation import odd

        if self.request is None or self.policies is None:
            return ()
        return tuple(odd(self.request, self.policies))

    def __str__(self) -> str:
        from kmsmock.authorization.explanation import text

        is_fixed = self.policies is not None and self.policies.is_fixed
        verdict = f"{'Allowed' if self.allowed else 'Denied'}: {self.reason}."
        if self.allowed:
            return text(verdict, self.steps)
        return text(verdict, self.steps, self.odd, self.missing, self.fixes, is_fixed=is_fixed)
