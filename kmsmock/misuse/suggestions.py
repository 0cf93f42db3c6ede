"""The name that somebody meant who has misspelt it."""

from __future__ import annotations

import re
from collections.abc import Iterable

#: Where a name has words: ``key_id``, ``KeyId``, ``kms:KeyId``.
_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z0-9]+")
#: The similarity, from 0 to 1, below which a name is not suggested.
_CUTOFF = 0.6
#: Texts that are longer, in characters, are no misspelt names; it would take long to compare them.
_LONGEST = 500
#: How many further names are compared, since several can be equally similar.
_TIES = 5
#: The similarity from which on a whole name comes before one that is a part of the misspelt one.
_ALMOST_EQUAL = 0.85


def get_nearest(name: object, known: Iterable[str], cutoff: float = _CUTOFF) -> str | None:
    """Return the known name that is most similar to a misspelt one; None if none is similar.

    Case and separators do not count. A known name that is a word of the misspelt one is similar,
    too, ``id`` to ``key_id``, and the other way round. cutoff: the least similarity, from 0 to 1.
    """
    names = list(known)
    misspelt = str(name)
    if len(misspelt) > _LONGEST:
        return None
    parts = [candidate for candidate in names if _letters(candidate) in _words(misspelt)]
    wholes = [candidate for candidate in names if _letters(misspelt) in _words(candidate)]
    candidates = (
        *list_similar(name, names, 1, _ALMOST_EQUAL),
        *sorted(parts, key=len, reverse=True),
        *list_similar(name, names, 1, cutoff),
        *sorted(wholes, key=len),
    )
    return next(iter(candidates), None)


def list_similar(
    name: object, known: Iterable[str], most: int, cutoff: float = _CUTOFF
) -> list[str]:
    """Return the known names that are similar to a misspelt one, the most similar first.

    most: how many at most. cutoff: the least similarity, from 0 to 1.
    """
    from difflib import SequenceMatcher, get_close_matches

    if len(str(name)) > _LONGEST:
        return []
    by_letters: dict[str, str] = {}
    for candidate in known:
        by_letters.setdefault(_letters(candidate), candidate)
    misspelt = _letters(str(name))
    close = get_close_matches(misspelt, by_letters, most + _TIES, cutoff)
    # Of equally similar names, the first of the known ones.
    order = list(by_letters)
    close.sort(key=order.index)
    close.sort(key=lambda letters: -SequenceMatcher(None, letters, misspelt).ratio())
    return [by_letters[letters] for letters in close[:most]]


def did_you_mean(name: object, known: Iterable[str]) -> str:
    """Return ``; did you mean 'known'?`` for the end of an error; empty if no name is similar."""
    nearest = get_nearest(name, known)
    return "" if nearest is None else f"; did you mean {nearest!r}?"


def suggest(name: object, known: Iterable[str], otherwise: str = "known are") -> str:
    """Return the nearest name, for the end of an error; all known names if none is similar.

    otherwise: the words before all names, such as ``it has``.
    """
    names = list(known)
    return did_you_mean(name, names) or f"; {otherwise} {', '.join(names) or 'none'}"


def end_sentence(text: str) -> str:
    """Return a sentence with a full stop, unless it ends with a question or has one."""
    return text if text.endswith((".", "?")) else f"{text}."


def _words(name: str) -> list[str]:
    return [word.lower() for word in _WORDS.findall(name)]


def _letters(name: str) -> str:
    return name.replace("_", "").replace("-", "").lower()
