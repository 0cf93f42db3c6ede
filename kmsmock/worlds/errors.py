"""What is wrong with a world, and where."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Union

from kmsmock.authorization.policy import MalformedPolicyError
from kmsmock.aws.errors import ServiceError

_PLAIN = re.compile(r"[\w$-]+")
_LONGEST = 60
_HUGE = 10**18

Step = str | int
Problem = Union["WorldError", ServiceError, MalformedPolicyError]


class WorldError(ValueError):
    """A world that cannot be read, or that does not fit to what is there.

    reason: what is wrong, and what would be right. place: where, such as
    ``accounts.111122223333.regions.us-east-1.keys[0].spec``; empty for the whole. source: the
    file, if it is one.
    """

    def __init__(self, reason: str, *steps: Step) -> None:
        super().__init__(reason)
        self.reason = reason
        self.source = ""
        self._steps = list(steps)

    def within(self, *steps: Step) -> WorldError:
        """Tell from farther outside where it is; gives itself."""
        self._steps[:0] = steps
        return self

    @property
    def place(self) -> str:
        """Where it is."""
        return "".join(map(_shown_step, self._steps)).removeprefix(".")

    def __str__(self) -> str:
        return ": ".join(part for part in (self.source, self.place, self.reason) if part)


class At:
    """A block about one place of a world: what is raised inside names it.

    What KMS would refuse, and policies that are none, become a `WorldError` too.
    """

    __slots__ = ("_steps",)

    def __init__(self, *steps: Step) -> None:
        self._steps = steps

    def __enter__(self) -> None:
        """Begin."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if isinstance(error, PROBLEMS):
            raise located(error, *self._steps) from None


def located(error: Problem, *steps: Step) -> WorldError:
    """Give an error as one that names a place."""
    if isinstance(error, WorldError):
        return error.within(*steps)
    if isinstance(error, MalformedPolicyError):
        return WorldError(f"the policy is malformed: {error}", *steps)
    texts = (error.message, error.explanation)
    return WorldError(" ".join(text for text in texts if text) or error.code, *steps)


#: What may be wrong with what a document says.
PROBLEMS = (WorldError, ServiceError, MalformedPolicyError)


#: Types whose values tell nothing, or too much, with how an error speaks of them.
_KINDS = (
    (type(None), "null"),
    (bytes, "bytes"),
    (Mapping, "an object"),
    ((list, tuple), "a list"),
)


def shown(value: Any) -> str:
    """Describe a value that is not the right one."""
    if isinstance(value, str):
        return f"the text {value if len(value) <= _LONGEST else value[:_LONGEST] + '…'!r}"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (int, float)):
        return f"the number {value}" if abs(value) < _HUGE else "a huge number"
    return next(
        (words for kind, words in _KINDS if isinstance(value, kind)), f"a {type(value).__name__}"
    )


def _shown_step(step: Step) -> str:
    if isinstance(step, int):
        return f"[{step}]"
    return f".{step}" if _PLAIN.fullmatch(step) else f"[{step!r}]"
