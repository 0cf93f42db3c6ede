"""Repeating here what another mock has done, so that both know the same principals."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from kmsmock.aws.arns import Arn
from kmsmock.aws.errors import ServiceError
from kmsmock.services.beside import BesideHandler, Steps
from kmsmock.services.registry import ServiceCall

Answer = Mapping[str, Any]
#: Does here what the other mock has done. It is given the call, and the answer of the other mock.
Repeat = Callable[[ServiceCall, Answer], None]


def repeating(operation: str, repeat: Repeat) -> BesideHandler:
    """Make the handler of an operation that lets the other mock answer and does the same here.

    It warns when that is not possible.
    """

    def steps(call: ServiceCall) -> Steps:
        answer = yield
        try:
            repeat(_as_answered(call, answer), answer)
        except (ServiceError, ValueError) as defect:
            warnings.warn(
                f"{operation} was answered by another mock, but kmsmock cannot take it up: "
                f"{defect}",
                stacklevel=2,
            )

    return steps


def _as_answered(call: ServiceCall, answer: Answer) -> ServiceCall:
    """Give the call as the other mock has understood it.

    Where it has made something in another account, the caller is the root user of that account.
    """
    account = _account_in(answer)
    principal = call.principal
    if account not in (None, principal.account):
        principal = call.identities.root(account)
    plain = json.loads(json.dumps(call.parameters, default=str))
    return replace(call, principal=principal, parameters=plain, is_answered=True)


def _account_in(answer: Answer) -> str | None:
    """Find the account of what was made, by its ARN."""
    for made in answer.values():
        if isinstance(made, Mapping) and "Arn" in made:
            arn = Arn.parse(made["Arn"])
            return arn.account if arn is not None else None
    return None
