"""Policy variables: ``${aws:PrincipalTag/team}`` and the like inside the values of a policy.

Source: IAM User Guide, "IAM policy elements: Variables and tags".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from kmsmock.authorization.wildcards import Token, Wildcard, tokens_of

#: Condition key, in lower case -> its value, or the values of a multivalued key.
Context = Mapping[str, "str | list[str]"]

#: From how many characters on a text with policy variables is not written as a whole, but for a
#: comparison: a policy can have thousands of them.
LONG = 1_000
_VARIABLE = re.compile(r"\$\{([^${}]*)\}|\$\{\$\}")
_WITH_DEFAULT = re.compile(r"([^,]*?)\s*,\s*'([^']*)'\s*")
_LITERALS = {"*": "*", "?": "?"}


@dataclass(frozen=True, slots=True)
class Variable:
    """A reference to a condition key, with what to take when the request does not have it."""

    key: str
    default: str | None

    def value(self, context: Context) -> str | None:
        """Return the value; None when it cannot be resolved, as with multivalued keys."""
        found = context.get(self.key, self.default)
        return None if isinstance(found, list) else found


class Template:
    """A value of a policy: literal text, wildcards, and variables.

    is_fixed: whether it has no variables. Substituted text is always literal. source: the value
    as it was written.
    """

    __slots__ = ("_fixed", "_tokens", "is_fixed", "source")

    def __init__(self, text: str, *, substitutes_variables: bool) -> None:
        self.source = text
        self._tokens: list[Token | Variable] = (
            list(_tokens(text)) if substitutes_variables and "${" in text else list(tokens_of(text))
        )
        fixed = [token for token in self._tokens if not isinstance(token, Variable)]
        self.is_fixed = len(fixed) == len(self._tokens)
        self._fixed = fixed if self.is_fixed else None

    def tokens(self, context: Context) -> list[Token] | None:
        """Return literal pieces and wildcards, variables replaced; None when one is unresolved."""
        if self._fixed is not None:
            return self._fixed
        resolved: list[Token] = []
        for token in self._tokens:
            piece = token.value(context) if isinstance(token, Variable) else token
            if piece is None:
                return None
            resolved.append(piece)
        return resolved

    def text(self, context: Context) -> str | None:
        """Return the value as plain text, wildcards standing for themselves."""
        tokens = self.tokens(context)
        return None if tokens is None else write(tokens)


def write(tokens: Iterable[Token]) -> str:
    """Return the text of tokens, wildcards standing for themselves."""
    return "".join(t.value if isinstance(t, Wildcard) else t for t in tokens)


def measure(tokens: Iterable[Token]) -> int:
    """Return the length of the text of tokens, in characters."""
    return sum(1 if isinstance(t, Wildcard) else len(t) for t in tokens)


def _tokens(text: str) -> list[Token | Variable]:
    found: list[Token | Variable] = []
    start = 0
    for match in _VARIABLE.finditer(text):
        found += tokens_of(text[start : match.start()])
        name = match.group(1)
        if name is None:
            found.append("$")
        elif name in _LITERALS:
            found.append(name)
        else:
            with_default = _WITH_DEFAULT.fullmatch(name)
            key, default = with_default.groups() if with_default else (name, None)
            found.append(Variable(key.strip().lower(), default))
        start = match.end()
    found += tokens_of(text[start:])
    return found
