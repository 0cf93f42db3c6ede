"""Patterns of ARNs, whose wildcards stay inside of one of the six parts."""

from __future__ import annotations

from collections.abc import Sequence

from kmsmock.authorization.pattern_sets import PatternSet
from kmsmock.authorization.wildcards import Pattern, Token, Wildcard

_PARTS = 6
_IN_PART = {Wildcard.ANY: Wildcard.ANY_IN_PART, Wildcard.ONE: Wildcard.ONE_IN_PART}
_AS_PART = {in_part: wildcard for wildcard, in_part in _IN_PART.items()}


def read_arn_pattern(tokens: Sequence[Token]) -> Sequence[Token] | None:
    """Return a pattern with wildcards that stay inside of one part; None when it has fewer parts.

    Wildcards of the last part can stand for colons.
    """
    if not "".join(str(token) for token in tokens[:_PARTS]).startswith("arn:"):
        return None
    colons, read = 0, list(tokens)
    for place, token in enumerate(tokens):
        if isinstance(token, str):
            colons += token.count(":")
        else:
            read[place] = _IN_PART[token]
        if colons >= _PARTS - 1:
            return read
    return None


class _ArnPattern:
    """A pattern, ready to be matched with ARNs."""

    __slots__ = ("_parts",)

    def __init__(self, tokens: Sequence[Token]) -> None:
        parts: list[list[Token]] = [[]]
        for token in tokens:
            if not isinstance(token, str):
                parts[-1].append(_AS_PART.get(token, token))
                continue
            first, *others = token.split(":", _PARTS - len(parts))
            parts[-1].append(first)
            for other in others:
                parts.append([other])  # noqa: PERF401 - a list of tokens, not of texts
        self._parts = [Pattern(part) for part in parts]

    def matches(self, text: str) -> bool:
        """Return whether an ARN fits."""
        parts = text.split(":", _PARTS - 1)
        return all(pattern.matches(part) for pattern, part in zip(self._parts, parts, strict=True))


class ArnPatternSet(PatternSet):
    """Patterns of ARNs, as `read_arn_pattern` returns them, of which one has to match."""

    __slots__ = ()

    @staticmethod
    def _read(tokens: Sequence[Token]) -> _ArnPattern:
        return _ArnPattern(tokens)
