"""Many patterns that are matched at the same time, since a list in a policy can have thousands."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from kmsmock.authorization.wildcards import Pattern, Token, Wildcard, tokens_of, units
from kmsmock.authorization.word_tries import Prefixes, Substrings

#: Up to how many patterns are matched one after the other.
_FEW = 16
#: The memory of what an automaton remembers, in bytes.
_REMEMBERED = 16_000_000
#: About what one entry takes beside its places, in bytes.
_ENTRY = 400


class PatternSet:
    """Patterns of which one has to match, with regard to case."""

    __slots__ = ("_exact", "_many", "_wild", "matches_all")

    def __init__(self, patterns: Iterable[Sequence[Token]]) -> None:
        exact: set[str] = set()
        wild: list[Sequence[Token]] = []
        for tokens in patterns:
            if any(isinstance(token, Wildcard) for token in tokens):
                wild.append(tokens)
            else:
                exact.add("".join(token for token in tokens if isinstance(token, str)))
        self._exact = exact
        self._wild = [Pattern(tokens) for tokens in wild] if len(wild) <= _FEW else []
        self._many = None if len(wild) <= _FEW else _ManyPatterns(wild)
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
        for pattern in self._wild:
            if pattern.matches(text):
                return True
        return self._many is not None and self._many.matches(text)


class _ManyPatterns:
    """Patterns by their form; prepared when they are first compared."""

    __slots__ = ("_automaton", "_parts", "_patterns", "_prefixes", "_suffixes")

    def __init__(self, patterns: Iterable[Sequence[Token]]) -> None:
        self._patterns: Iterable[Sequence[Token]] | None = patterns
        self._prefixes, self._suffixes = Prefixes(()), Prefixes(())
        self._parts: Substrings | None = None
        self._automaton: Automaton | None = None

    def matches(self, text: str) -> bool:
        """Return whether the whole text fits one of the patterns."""
        if self._patterns is not None:
            self._prepare(self._patterns)
        return (
            self._prefixes.begin(text)
            or self._suffixes.begin(text[::-1])
            or (self._parts is not None and self._parts.occur(text))
            or (self._automaton is not None and self._automaton.matches(text))
        )

    def _prepare(self, patterns: Iterable[Sequence[Token]]) -> None:
        any_text = Wildcard.ANY
        prefixes: list[str] = []
        suffixes: list[str] = []
        parts: list[str] = []
        others: list[Sequence[Token]] = []
        for tokens in patterns:
            pieces = [token for token in tokens if isinstance(token, str)]
            word = "".join(pieces)
            form = [token if isinstance(token, Wildcard) else None for token in tokens]
            if form == [None, any_text]:
                prefixes.append(word)
            elif form == [any_text, None]:
                suffixes.append(word[::-1])
            elif form == [any_text, None, any_text]:
                parts.append(word)
            else:
                others.append(tokens)
        self._prefixes, self._suffixes = Prefixes(prefixes), Prefixes(suffixes)
        self._parts = Substrings(parts) if parts else None
        self._automaton = Automaton(others) if others else None
        self._patterns = None


class _State:
    """The places in the patterns that some text has reached."""

    __slots__ = ("following", "matches", "places", "settled")

    def __init__(self, places: int, last: int, sure: int) -> None:
        #: A bit for each place.
        self.places = places
        #: Character -> the state behind it.
        self.following: dict[str, _State] = {}
        #: Whether text that ends here matches.
        self.matches = places & last != 0
        #: Whether all longer text matches, or none does; None if that depends on the text.
        self.settled = True if places & sure else None if places else False


class Automaton:
    """Patterns, matched at the same time: a bit for each place in each of them.

    A character costs a few operations with all bits, and after that a look into a table. The
    memory is bounded. Source of the method: G. Navarro and M. Raffinot, "Flexible Pattern Matching
    in Strings" (2002), section 4.2.
    """

    __slots__ = (
        *("_at_colons", "_elsewhere", "_fitting", "_known", "_last"),
        *("_places_of", "_room", "_size", "_start", "_sure"),
    )

    def __init__(self, patterns: Iterable[Sequence[Token]]) -> None:
        #: Character -> the places that are reached with it.
        self._places_of: dict[str, list[int]] = {}
        starts: list[int] = []
        last: list[int] = []
        places: dict[Wildcard, list[int]] = {wildcard: [] for wildcard in Wildcard}
        place = 0
        for tokens in patterns:
            starts.append(place)
            for token in tokens:
                if not isinstance(token, Wildcard):
                    for character in units(token):
                        place += 1
                        self._places_of.setdefault(character, []).append(place)
                    continue
                if token in (Wildcard.ONE, Wildcard.ONE_IN_PART):
                    place += 1
                places[token].append(place)
            last.append(place)
            place += 1
        self._size = place // 8 + 1
        self._last = self._bits(last)
        loops, holes = self._bits(places[Wildcard.ANY]), self._bits(places[Wildcard.ONE])
        #: The places that a character does not leave, and those that any character reaches.
        self._at_colons = loops, holes
        self._elsewhere = (
            loops | self._bits(places[Wildcard.ANY_IN_PART]),
            holes | self._bits(places[Wildcard.ONE_IN_PART]),
        )
        self._sure = self._last & loops
        self._fitting: dict[str, int] = {}
        self._known: dict[int, _State] = {}
        self._room = _REMEMBERED
        self._start = self._state(self._bits(starts))

    def matches(self, text: str) -> bool:
        """Return whether the whole text fits one of the patterns."""
        state = self._start
        for character in units(text):
            if state.settled is not None:
                return state.settled
            state = state.following.get(character) or self._follow(state, character)
        return state.matches

    def _follow(self, state: _State, character: str) -> _State:
        """Return the state behind a character, and remember it."""
        if self._room < 0:
            for known_state in self._known.values():
                known_state.following = {}  # states follow each other in circles
            self._room = _REMEMBERED
            self._known, self._fitting = {}, {}
            self._start = self._state(self._start.places)
        loops, fitting = self._at_colons if character == ":" else self._elsewhere
        places = self._places_of.get(character)
        if places is not None:
            known = self._fitting.get(character)
            if known is None:
                known = self._fitting[character] = self._bits(places)
                self._room -= self._size
            fitting |= known
        following = self._state(state.places << 1 & fitting | state.places & loops)
        state.following[character] = following
        return following

    def _state(self, places: int) -> _State:
        state = self._known.get(places)
        self._room -= _ENTRY
        if state is None:
            state = self._known[places] = _State(places, self._last, self._sure)
            self._room -= self._size
        return state

    def _bits(self, places: Iterable[int]) -> int:
        buffer = bytearray(self._size)
        for place in places:
            buffer[place >> 3] |= 1 << (place & 7)
        return int.from_bytes(buffer, "little")
