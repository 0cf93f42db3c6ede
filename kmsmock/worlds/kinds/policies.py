"""Kinds of values that are policies."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kmsmock.authorization.policy import PolicyKind, parse
from kmsmock.worlds.errors import At, WorldError
from kmsmock.worlds.kinds.containers import ListOf, MapOf
from kmsmock.worlds.kinds.values import Kind, Text

_NAME = Text("the name of a policy", r"[\w+=,.@ -]+", 128)


@dataclass(frozen=True)
class Document(Kind):
    """A policy: JSON text, kept to the letter, or an object. most_bytes: of the text."""

    kind: PolicyKind
    most_bytes: int | None = None
    words: str = "a policy: an object, or its JSON text"

    def read(self, value: Any) -> str:
        """Give the text of the policy."""
        if not isinstance(value, (str, Mapping)):
            raise self.refuse(value)
        with At():
            try:
                text = value if isinstance(value, str) else json.dumps(value)
            except (TypeError, ValueError, RecursionError):
                raise WorldError("the policy has something that JSON cannot have") from None
            if self.most_bytes is not None and len(text) > self.most_bytes // 4:
                self._require_size(text)
            parse(text, self.kind)
        return text

    def _require_size(self, text: str) -> None:
        size = len(text.encode(errors="surrogatepass"))
        if self.most_bytes is not None and size > self.most_bytes:
            raise WorldError(f"the policy has {size} bytes; it can have {self.most_bytes}")

    def write(self, value: str) -> Any:
        """Write an object, if that means the same text again."""
        document = json.loads(value)
        return document if json.dumps(document) == value else value

    def schema(self) -> dict[str, Any]:
        """Describe object and text."""
        return {"type": ["object", "string"]}


@dataclass(frozen=True)
class Named(Kind):
    """Policies by name: an object, or a list of policies that are numbered then."""

    item: Document

    @property
    def words(self) -> str:  # type: ignore[override]
        """Name both forms."""
        return "a list of policies, or an object: name -> policy"

    def read(self, value: Any) -> dict[str, str]:
        """Give them by name."""
        if isinstance(value, (list, tuple)):
            documents = ListOf(self.item).read(value)
            return {f"policy {place}": text for place, text in enumerate(documents, 1)}
        if not isinstance(value, Mapping):
            raise self.refuse(value)
        return MapOf(_NAME, self.item).read(value)

    def write(self, value: Mapping[str, str]) -> Any:
        """Write a list, if their names are but numbers."""
        numbered = [f"policy {place}" for place in range(1, len(value) + 1)]
        if list(value) == numbered:
            return ListOf(self.item).write(value.values())
        return MapOf(_NAME, self.item).write(value)

    def schema(self) -> dict[str, Any]:
        """Describe both forms."""
        forms = (ListOf(self.item), MapOf(_NAME, self.item))
        return {"anyOf": [form.schema() for form in forms]}
