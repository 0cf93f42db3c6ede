"""Files of worlds: JSON, or YAML with the extra ``yaml``."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kmsmock.aws.secret_values import SecretBytes, hide_secrets, reveal_secrets
from kmsmock.misuse.input_files import BadFileError, parse_json, read_bytes
from kmsmock.misuse.nesting import NestingError, require_bounded
from kmsmock.worlds.errors import WorldError
from kmsmock.worlds.local_kms import from_local_kms, is_local_kms
from kmsmock.worlds.yaml_files import parse_yaml

_YAML = (".yaml", ".yml")
#: The largest file of a world: that of 100,000 keys with aliases and grants has about half of it.
_MOST_BYTES = 256 * 2**20


def read_document(world: str | os.PathLike[str] | Mapping[str, Any]) -> Mapping[str, Any]:
    """Read a document from a file, or copy a mapping; its secrets become secret values.

    Raises WorldError, OSError.
    """
    document: Any = world
    if not isinstance(world, Mapping):
        path = Path(world)
        try:
            document = _require_bounded(_parse(path))
        except WorldError as problem:
            problem.source = str(path)
            raise
        except FileNotFoundError as problem:
            looked = "" if path.is_absolute() else f", looked for from {Path.cwd()}"
            problem.strerror = f"{problem.strerror}: the world of a mock (world=){looked}"
            raise
    else:
        _require_bounded(document)
    document = hide_secrets(document)
    if is_local_kms(document):
        document = hide_secrets(from_local_kms(document))
    read: Mapping[str, Any] = document
    return read


def write_document(document: Mapping[str, Any], path: str | os.PathLike[str]) -> None:
    """Write a document to a file that only its owner can read, as it can have secrets.

    An existing file is replaced; after an error it is as before. Raises OSError.
    """
    target, document = Path(path), reveal_secrets(document)
    if target.suffix in _YAML:
        yaml = _yaml(target)
        dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
        text = yaml.dump(document, Dumper=dumper, sort_keys=False, allow_unicode=True)
    else:
        text = json.dumps(document, indent=2, ensure_ascii=False) + "\n"
    # With mode 0600, whatever the mode of the replaced file.
    descriptor, temporary = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", errors="surrogatepass") as file:
            file.write(text)
        Path(temporary).replace(target)
    finally:
        Path(temporary).unlink(missing_ok=True)


def _parse(path: Path) -> Any:
    yaml = _yaml(path) if path.suffix in _YAML else None
    try:
        data = SecretBytes(read_bytes(path, _MOST_BYTES))
    except FileNotFoundError:
        raise
    except (OSError, BadFileError) as problem:
        reason = problem.strerror if isinstance(problem, OSError) else None
        raise WorldError(f"this file cannot be read: {reason or problem}") from None
    if yaml is not None:
        return parse_yaml(data, yaml)
    try:
        return parse_json(data)
    except BadFileError as problem:
        raise WorldError(f"this is not JSON: {problem}") from None


def _require_bounded(document: Any) -> Any:
    try:
        require_bounded(document)
    except NestingError as problem:
        raise WorldError(problem.reason, *problem.steps) from None
    return document


def _yaml(path: Path) -> Any:
    try:
        import yaml  # type: ignore[import-untyped] # which has no types
    except ImportError:
        raise WorldError(
            f"{path.name} is YAML, which needs another package: pip install 'kmsmock[yaml]'; "
            "JSON needs none"
        ) from None
    return yaml
