"""Documents of worlds in files: JSON, or YAML with the extra ``yaml``."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kmsmock.worlds.errors import WorldError
from kmsmock.worlds.local_kms import from_local_kms, is_of_local_kms

_YAML = (".yaml", ".yml")


def read_document(world: str | os.PathLike[str] | Mapping[str, Any]) -> Mapping[str, Any]:
    """Read a document, from a file or from what it means. Raises WorldError, OSError."""
    document: Any = world
    if not isinstance(world, Mapping):
        document = _parsed(Path(world))
    return from_local_kms(document) if is_of_local_kms(document) else document


def write_document(document: Mapping[str, Any], path: str | os.PathLike[str]) -> None:
    """Write a document to a file, which is there as a whole or not at all. Raises OSError."""
    target = Path(path)
    if target.suffix in _YAML:
        text = _yaml(target).safe_dump(document, sort_keys=False, allow_unicode=True)
    else:
        text = json.dumps(document, indent=2, ensure_ascii=False) + "\n"
    beside = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        beside.write_text(text, encoding="utf-8")
        beside.replace(target)
    finally:
        beside.unlink(missing_ok=True)


def _parsed(path: Path) -> Any:
    text = path.read_text(encoding="utf-8")
    if path.suffix in _YAML:
        yaml = _yaml(path)
        try:
            return yaml.safe_load(text)
        except yaml.YAMLError as problem:
            raise WorldError(f"this is not YAML: {problem}") from None
    try:
        return json.loads(text)
    except ValueError as problem:
        raise WorldError(f"this is not JSON: {problem}") from None


def _yaml(path: Path) -> Any:
    try:
        import yaml  # type: ignore[import-untyped] # which has no types
    except ImportError:
        raise WorldError(
            f"{path.name} is YAML, which needs another package: pip install 'kmsmock[yaml]'; "
            "JSON needs none"
        ) from None
    return yaml
