"""Tries of literal words, which find one of thousands in a text in a single pass."""

from __future__ import annotations

from collections.abc import Iterable

#: How many transitions are remembered beside those of the words, so that memory is bounded.
_REMEMBERED = 100_000


class _Node:
    """A beginning of words. fallback: that of its longest end which is a beginning of words."""

    __slots__ = ("fallback", "following", "is_end")

    def __init__(self) -> None:
        self.following: dict[str, _Node] = {}
        self.fallback: _Node | None = None
        self.is_end = False


class _Trie:
    """Words as a tree of their characters."""

    __slots__ = ("_root",)

    def __init__(self, words: Iterable[str]) -> None:
        self._root = _Node()
        for word in words:
            node = self._root
            for character in word:
                node = node.following.setdefault(character, _Node())
            node.is_end = True


class Prefixes(_Trie):
    """Words of which a text may begin with one."""

    __slots__ = ()

    def begin(self, text: str) -> bool:
        """Return whether the text begins with one of the words."""
        node = self._root
        for character in text:
            following = node.following.get(character)
            if following is None:
                return False
            if following.is_end:
                return True
            node = following
        return False


class Substrings(_Trie):
    """Words of which a text may have one.

    Source of the method: A. Aho and M. Corasick, "Efficient String Matching: An Aid to
    Bibliographic Search", Communications of the ACM 18 (1975).
    """

    __slots__ = ("_room",)

    def __init__(self, words: Iterable[str]) -> None:
        super().__init__(words)
        self._room = _REMEMBERED
        root, level = self._root, [self._root]
        while level:
            following = []
            for node in level:
                for character, child in node.following.items():
                    fallback = root if node is root else self._find(node.fallback, character)
                    child.fallback = fallback
                    child.is_end |= fallback.is_end
                    following.append(child)
            level = following

    def occur(self, text: str) -> bool:
        """Return whether the text has one of the words."""
        root = node = self._root
        for character in text:
            following = node.following.get(character)
            if following is None:
                if node is root:
                    continue
                following = self._find(node.fallback, character)
                if following is not root and self._room > 0:
                    self._room -= 1
                    node.following[character] = following
            if following.is_end:
                return True
            node = following
        return False

    def _find(self, node: _Node | None, character: str) -> _Node:
        """Return the longest end of a node, with a further character, that begins a word."""
        while node is not None:
            following = node.following.get(character)
            if following is not None:
                return following
            node = node.fallback
        return self._root
