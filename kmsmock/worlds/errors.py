"""Errors in worlds, with their location in the document."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Union

from kmsmock.authorization.policy_document import MalformedPolicyError
from kmsmock.aws.errors import ServiceError
from kmsmock.aws.policy_limits import PolicyLimitError
from kmsmock.aws.secret_values import SecretInt, SecretText
from kmsmock.misuse.values import quote

_PLAIN = re.compile(r"[\w$-]+")
_HUGE = 10**18
_LONGEST = 1000

Step = str | int
Problem = Union["WorldError", ServiceError, MalformedPolicyError, PolicyLimitError]


class WorldError(ValueError):
    """A world that cannot be read, or that conflicts with the state of the mock.

    reason: what is wrong, and what would be right. place: the location, such as
    ``keys[0].spec``; empty for the whole document. source: the path, if it is a file.
    """

    def __init__(self, reason: str, *steps: Step) -> None:
        super().__init__(reason)
        self.reason = reason
        self.source = ""
        self._steps = list(steps)

    def within(self, *steps: Step) -> WorldError:
        """Prepend steps to the location; return the error itself."""
        self._steps[:0] = steps
        return self

    @property
    def place(self) -> str:
        """The location in the document."""
        return "".join(map(_format_step, self._steps)).removeprefix(".")

    def __str__(self) -> str:
        return ": ".join(part for part in (self.source, self.place, self.reason) if part)


class Within:
    """A context manager that adds a location to errors raised in its block.

    Errors of KMS and malformed policies become a `WorldError` too.
    """

    __slots__ = ("_steps",)

    def __init__(self, *steps: Step) -> None:
        self._steps = steps

    def __enter__(self) -> None:
        """Do nothing."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if isinstance(error, PROBLEMS):
            raise add_location(error, *self._steps) from None


def add_location(error: Problem, *steps: Step) -> WorldError:
    """Return an error as a `WorldError` with a location."""
    if isinstance(error, WorldError):
        return error.within(*steps)
    if isinstance(error, MalformedPolicyError):
        return WorldError(f"the policy is malformed: {error}", *steps)
    if isinstance(error, PolicyLimitError):
        return WorldError(str(error), *steps)
    texts = (error.message, error.explanation)
    reason = " ".join(text for text in texts if text) or error.code
    # Messages of KMS can list all values of a request.
    return WorldError(reason if len(reason) <= _LONGEST else f"{reason[:_LONGEST]}…", *steps)


#: The errors that reading a member can raise.
PROBLEMS = (WorldError, ServiceError, MalformedPolicyError, PolicyLimitError)


#: Types whose values error messages do not contain -> what they say instead.
_KINDS = (
    (type(None), "null"),
    (bytes, "bytes"),
    (Mapping, "an object"),
    ((list, tuple), "a list"),
)


def describe_value(value: Any) -> str:
    """Describe a wrong value in an error message, which must not contain a secret."""
    if isinstance(value, (SecretText, SecretInt)):
        return "a secret text" if isinstance(value, SecretText) else "a number"
    if isinstance(value, str):
        return f"the text {quote(value)}"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (int, float)):
        return f"the number {value}" if abs(value) < _HUGE else "a huge number"
    return next(
        (words for kind, words in _KINDS if isinstance(value, kind)), f"a {type(value).__name__}"
    )


def _format_step(step: Step) -> str:
    if isinstance(step, int):
        return f"[{step}]"
    quoted = quote(step)
    return f".{step}" if _PLAIN.fullmatch(step) and quoted[0] != "<" else f"[{quoted}]"
