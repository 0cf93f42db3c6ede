"""The quotas of policies in requests of IAM, with the texts of its errors.

What another mock has answered is not refused: a warning says that AWS refuses it.

Source: the texts are those of public reports, such as kubeflow/dashboard 29, HumanCellAtlas
data-store 1963 and docker/docs 4685.
"""

from __future__ import annotations

from kmsmock.authorization.policy import Policy
from kmsmock.aws import policy_limits
from kmsmock.identities.entities import Identity
from kmsmock.process.repeated_warnings import warn_once
from kmsmock.services.errors import LimitExceeded
from kmsmock.services.registry import ServiceCall


def require_inline_size(call: ServiceCall, identity: Identity, name: str, text: str) -> None:
    """Require that the inline policies stay small enough with a new one. Raises LimitExceeded.

    name, text: of the new policy, which replaces another of the name.
    """
    limit = policy_limits.INLINE_POLICIES[identity.word]
    others = (inline.text for other, inline in identity.inline.items() if other != name)
    size = limit.measure(text, *others)
    if size > limit.most:
        _refuse(
            call,
            f"Maximum policy size of {limit.most} bytes exceeded for {identity.word} "
            f"{identity.name}",
            limit.describe(size),
        )


def require_attachable(call: ServiceCall, identity: Identity) -> None:
    """Require that one more managed policy can be attached. Raises LimitExceeded."""
    limit, number = policy_limits.ATTACHED_POLICIES[identity.word], len(identity.attached) + 1
    if number > limit.most:
        quota = f"PoliciesPer{identity.word.capitalize()}: {limit.most}"
        _refuse(call, f"Cannot exceed quota for {quota}", limit.describe(number))


def require_managed_size(call: ServiceCall, text: str) -> None:
    """Require that a managed policy is not too large. Raises LimitExceeded."""
    _require_size(call, policy_limits.MANAGED_POLICY, text, "PolicySize")


def require_trust_size(call: ServiceCall, policy: Policy) -> None:
    """Require that the trust policy of a role is not too large. Raises LimitExceeded."""
    _require_size(call, policy_limits.TRUST_POLICY, policy.text, "ACLSizePerRole")


def _require_size(call: ServiceCall, limit: policy_limits.SizeLimit, text: str, quota: str) -> None:
    size = limit.measure(text)
    if size > limit.most:
        _refuse(call, f"Cannot exceed quota for {quota}: {limit.most}", limit.describe(size))


def _refuse(call: ServiceCall, text: str, explanation: str) -> None:
    if call.is_answered:
        warn_once(f"AWS refuses what another mock has accepted: {text} ({explanation})")
        return
    raise LimitExceeded(text, explanation=f"{explanation[0].upper()}{explanation[1:]}.")
