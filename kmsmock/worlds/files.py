"""Files of worlds: JSON, or YAML with the extra ``yaml``."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kmsmock.worlds.errors import WorldError
from kmsmock.worlds.local_kms import from_local_kms, is_local_kms

_YAML = (".yaml", ".yml")


def read_document(world: str | os.PathLike[str] | Mapping[str, Any]) -> Mapping[str, Any]:
    """Read a document from a file, or take a mapping. Raises WorldError, OSError."""
    document: Any = world
    if not isinstance(world, Mapping):
        path = Path(world)
        try:
            document = _parse(path)
        except WorldError as problem:
            problem.source = str(path)
            raise
        except FileNotFoundError as problem:
            looked = "" if path.is_absolute() else f", looked for from {Path.cwd()}"
            problem.strerror = f"{problem.strerror}: the world of a mock (world=){looked}"
            raise
    return from_local_kms(document) if is_local_kms(document) else document


def write_document(document: Mapping[str, Any], path: str | os.PathLike[str]) -> None:
    """Write a document to a file; after an error there is no partial file. Raises OSError."""
    target = Path(path)
    if target.suffix in _YAML:
        yaml = _yaml(target)
        dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
        text = yaml.dump(document, Dumper=dumper, sort_keys=False, allow_unicode=True)
    else:
        text = json.dumps(document, indent=2, ensure_ascii=False) + "\n"
    temporary = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        temporary.write_text(text, encoding="utf-8")
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)


def _parse(path: Path) -> Any:
    data = path.read_bytes()
    if path.suffix in _YAML:
        yaml = _yaml(path)
        try:
            return yaml.load(data, getattr(yaml, "CSafeLoader", yaml.SafeLoader))
        except yaml.YAMLError as problem:
            raise WorldError(f"this is not YAML: {problem}") from None
    try:
        return json.loads(data, object_pairs_hook=_object)
    except (ValueError, RecursionError) as problem:
        raise WorldError(f"this is not JSON: {problem}") from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        twice = next(name for name in members if [n for n, _ in pairs].count(name) > 1)
        raise ValueError(f"the member {twice!r} is there twice")
    return members


def _yaml(path: Path) -> Any:
    try:
        import yaml  # type: ignore[import-untyped] # which has no types
    except ImportError:
        raise WorldError(
            f"{path.name} is YAML, which needs another package: pip install 'kmsmock[yaml]'; "
            "JSON needs none"
        ) from None
    return yaml
