"""Many patterns that are matched at the same time, since a list in a policy can have thousands."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol, TypeAlias

from kmsmock.authorization.joined_texts import NEAR, SHORT, JoinedTexts, join_text
from kmsmock.authorization.request_values import Forms
from kmsmock.authorization.variables import LONG, measure
from kmsmock.authorization.wildcards import Pattern, Token, Wildcard, tokens_of, units

#: Up to how many patterns are matched one after the other.
_FEW = 16
#: From how many tokens on a pattern is not compared with a long text together with others.
_MANY_TOKENS = 200
#: Up to how many characters of a literal text are compared one by one.
_LONGEST_LITERAL = 64

#: A pattern: characters, long literal texts, wildcards, and None for its end.
_Tokens: TypeAlias = "list[Token | None]"


class OnePattern(Protocol):
    """A pattern, ready to be matched with one text."""

    def matches(self, text: str) -> bool:
        """Return whether the whole text fits."""
        ...


class PatternSet:
    """Patterns of which one has to match, with regard to case."""

    __slots__ = ("_exact", "_many", "_single", "_wild", "matches_all")

    def __init__(self, patterns: Iterable[Sequence[Token]]) -> None:
        exact: set[str] = set()
        wild: list[Sequence[Token]] = []
        for tokens in patterns:
            pieces = [token for token in tokens if isinstance(token, str)]
            if len(pieces) < len(tokens) or (len(pieces) > 1 and measure(tokens) > LONG):
                wild.append(tokens)
            else:
                exact.add("".join(pieces))
        self._exact = exact
        self._wild = wild
        self._single: list[tuple[OnePattern, bool]] | None = None
        self._many: PatternTree | None = None
        #: Whether one of them is ``*``, which needs no look at the text.
        self.matches_all = any(list(tokens) == [Wildcard.ANY] for tokens in wild)

    @classmethod
    def of(cls, texts: Iterable[str]) -> PatternSet:
        """Read patterns."""
        return cls(tokens_of(text) for text in texts)

    def matches(self, text: str) -> bool:
        """Return whether the whole text fits one of the patterns."""
        if self.matches_all or text in self._exact:
            return True
        if len(self._wild) > _FEW or len(text) > SHORT:
            return self._match_many(text)
        for pattern, _ in self._single or self._read_single():  # noqa: SIM110 - any() is slower
            if pattern.matches(text):
                return True
        return False

    def match_any(self, forms: Forms) -> bool:
        """Return whether one of several texts fits one of the patterns."""
        if self.matches_all or not self._exact.isdisjoint(forms.distinct):
            return True
        if self._are_few(forms):
            return any(map(self.matches, forms.distinct))
        return bool(self._wild) and self._tree().match_any(forms.joined)

    def match_all(self, forms: Forms) -> bool:
        """Return whether each of several texts fits one of the patterns."""
        if self.matches_all or forms.distinct <= self._exact:
            return True
        if self._are_few(forms):
            return all(map(self.matches, forms.distinct))
        if not self._wild:
            return False
        joined, equal = forms.joined, self._exact & forms.distinct
        return self._tree().match_all(joined, joined.ends_of(equal) if equal else 0)

    def _match_many(self, text: str) -> bool:
        long = [pattern for pattern, is_long in self._single or self._read_single() if is_long]
        if any(pattern.matches(text) for pattern in long):
            return True
        return len(long) < len(self._wild) and self._tree().match_any(join_text(text))

    def _read_single(self) -> list[tuple[OnePattern, bool]]:
        """Return what is compared one after the other, and whether it is long.

        These are all patterns if they are few, and those whose many parts are sooner found so.
        """
        if self._single is None:
            self._single = [
                (self._read(tokens), len(tokens) > _MANY_TOKENS)
                for tokens in self._wild
                if len(self._wild) <= _FEW or len(tokens) > _MANY_TOKENS
            ]
        return self._single

    def _are_few(self, forms: Forms) -> bool:
        return len(self._wild) <= _FEW and forms.size <= SHORT

    def _tree(self) -> PatternTree:
        if self._many is None:
            self._many = PatternTree(self._wild)
        return self._many

    @staticmethod
    def _read(tokens: Sequence[Token]) -> OnePattern:
        """Return a pattern, ready to be matched with one text."""
        return Pattern(tokens)


class PatternTree:
    """Patterns by their beginnings, which are compared once for all patterns that have them."""

    __slots__ = ("_root",)

    def __init__(self, patterns: Iterable[Sequence[Token]]) -> None:
        self._root = _Node([_split(tokens) for tokens in patterns], 0)

    def match_any(self, texts: JoinedTexts) -> bool:
        """Return whether one of the texts fits one of the patterns."""
        return any(True for _ in self._reach(texts))

    def match_all(self, texts: JoinedTexts, matched: int = 0) -> bool:
        """Return whether each text fits one of the patterns. matched: the ends of those that do."""
        unlimited = 0
        for places, is_unlimited in self._reach(texts):
            if is_unlimited:
                unlimited |= places
            else:
                matched |= places
                if matched == texts.ends:
                    return True
        matched |= texts.fill(unlimited) & texts.ends
        return matched == texts.ends

    def _reach(self, texts: JoinedTexts) -> Iterator[tuple[int, bool]]:
        """Yield the ends of texts that fit.

        Yields True and a place in each of the texts that fit, whatever follows, instead.
        """
        stack = [(self._root, texts.starts, 0)]
        while stack:
            # The beginnings of patterns reach a number of places ahead of these.
            node, places, ahead = stack.pop()
            for token, following in node.following.items():
                if token is None:
                    reached = places & texts.places_of(None, ahead)
                    if reached:
                        yield reached << ahead, False
                elif token is Wildcard.ANY and following.is_end:
                    yield places, True
                else:
                    reached, further = _follow(token, following, texts, places, ahead)
                    if reached:
                        stack.append((following, reached, further))


def _follow(
    token: Token, following: _Node, texts: JoinedTexts, places: int, ahead: int
) -> tuple[int, int]:
    """Return what the beginning of a pattern reaches with one token more.

    places, ahead: what it reaches without the token; the result has the same form.
    """
    if token is Wildcard.ANY or token is Wildcard.ANY_IN_PART:
        return texts.skip(following.beginning, places, ahead), 0
    if isinstance(token, str) and len(token) > 1:
        return (places << ahead & texts.places_of_literal(token)) << len(token), 0
    reached, further = places & texts.places_of(token, ahead), ahead + 1
    return (reached << NEAR, 0) if further == NEAR else (reached, further)


class _Node:
    """Patterns with the same beginning. length: of the beginning, in tokens."""

    __slots__ = ("_following", "_length", "_patterns")

    def __init__(self, patterns: list[_Tokens], length: int) -> None:
        self._patterns = patterns
        self._length = length
        self._following: dict[Token | None, _Node] | None = None

    @property
    def beginning(self) -> tuple[Token | None, ...]:
        """What all of them begin with."""
        return tuple(self._patterns[0][: self._length])

    @property
    def is_end(self) -> bool:
        """Whether one of the patterns has no more tokens."""
        return any(pattern[self._length] is None for pattern in self._patterns)

    @property
    def following(self) -> dict[Token | None, _Node]:
        """The next token -> the patterns that have it; found when texts reach this place."""
        if self._following is None and len(self._patterns) == 1:
            length = self._length + 1
            self._following = {self._patterns[0][length - 1]: _Node(self._patterns, length)}
        if self._following is None:
            groups: dict[Token | None, list[_Tokens]] = {}
            for pattern in self._patterns:
                groups.setdefault(pattern[self._length], []).append(pattern)
            length = self._length + 1
            self._following = {token: _Node(group, length) for token, group in groups.items()}
        return self._following


def _split(tokens: Sequence[Token]) -> _Tokens:
    """Return wildcards, the characters of short literal texts, and long ones; None is the end."""
    found: list[Token | None] = []
    for token in tokens:
        if isinstance(token, Wildcard):
            found.append(token)
            continue
        literal = units(token)
        if len(literal) > _LONGEST_LITERAL and "\0" not in literal:
            found.append(literal)
        else:
            found += literal
    found.append(None)
    return found
