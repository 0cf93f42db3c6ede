"""Mirror changes that another mock has made to IAM or STS: both know the same principals then."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from kmsmock.aws.arns import Arn
from kmsmock.aws.errors import ServiceError
from kmsmock.process.repeated_warnings import warn_once
from kmsmock.services.beside import BesideHandler, Steps
from kmsmock.services.members import as_members
from kmsmock.services.registry import ServiceCall

Answer = Mapping[str, Any]
#: Makes the change of the other mock in this one, from the call and the answer of the other mock.
MirrorChange = Callable[[ServiceCall, Answer], None]


def mirror(operation: str, mirror_change: MirrorChange) -> BesideHandler:
    """Return a handler that lets the other mock answer, and then makes the same change here.

    It warns when the change cannot be made.
    """

    def steps(call: ServiceCall) -> Steps:
        answer = yield
        try:
            mirror_change(_as_answered(call, answer), answer)
        except (ServiceError, ValueError) as defect:
            warn_once(
                f"{operation} was answered by another mock, but kmsmock cannot make the same "
                f"change: {defect}"
            )

    return steps


def _as_answered(call: ServiceCall, answer: Answer) -> ServiceCall:
    """Return the call as the other mock has understood it.

    Where that mock has created something in another account, the caller is the root user of that
    account.
    """
    account = _account_in(answer)
    principal = call.principal
    if account not in (None, principal.account):
        principal = call.identities.root(account)
    plain = json.loads(json.dumps(call.parameters, default=str))
    return replace(call, principal=principal, parameters=as_members(plain), is_answered=True)


def _account_in(answer: Answer) -> str | None:
    """Return the account in the ARN of what was created, if the answer has one."""
    for member in answer.values():
        if isinstance(member, Mapping) and "Arn" in member:
            arn = Arn.parse(member["Arn"])
            return arn.account if arn is not None else None
    return None
