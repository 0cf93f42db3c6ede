"""What a server does for methods that a connected process carries out itself, such as on files."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from kmsmock.accounts import Account, Principal
from kmsmock.aws.secret_values import reveal_secrets
from kmsmock.control import KMSMock
from kmsmock.identities.credentials import Credentials
from kmsmock.ledger.secrets import Secrets
from kmsmock.misuse.values import require_type
from kmsmock.trail.trail import Trail


def _find_client_terms(
    source: KMSMock | Account | Principal, region: str | None, *, is_strict: bool
) -> tuple[Credentials | None, str | None]:
    """Return with what a client signs, and its Region.

    No credentials are those of the default principal, no Region is that of the mock.
    """
    if isinstance(source, KMSMock):
        identities = source.backend.identities
        own = identities.credentials.of(identities.defaults[-1]) if is_strict else None
        return own, region
    principal = source.administrator if isinstance(source, Account) else source
    chosen = principal._require_region(region)  # noqa: SLF001 - both are parts of a mock
    return principal.credentials, chosen


def _list_secrets(secrets: Secrets) -> list[tuple[str, Any, bytes]]:
    """Return name, call and plaintext of each secret, for a search in another process."""
    return [(secret.name, secret.call, secret.reveal()) for secret in secrets]


def _write_world(kms: KMSMock, *, material: bool) -> Mapping[str, Any]:
    from kmsmock.worlds.world import write_world

    world: Mapping[str, Any] = reveal_secrets(write_world(kms.backend, secrets=material))
    return world


def _load_world(kms: KMSMock, world: Mapping[str, Any]) -> None:
    require_type(world, Mapping, "world", "a dict")  # the path of a file would be one here
    kms.load(world)


def _list_log_files(trail: Trail, name: str | None) -> list[tuple[str, bytes]]:
    """Return path in the bucket and content of each log file of a trail."""
    with TemporaryDirectory() as folder:
        paths = trail.write_files(folder, trail=name)
        return [(path.relative_to(folder).as_posix(), path.read_bytes()) for path in paths]


def _write_records(trail: Trail) -> bytes:
    """Return what `Trail.write_jsonl` writes."""
    with TemporaryDirectory() as folder:
        path = Path(folder, "records")
        trail.write_jsonl(path)
        return path.read_bytes()


#: Name in messages -> the function.
SERVER_PARTS: dict[str, Callable[..., Any]] = {
    "@client_terms": _find_client_terms,
    "@list_secrets": _list_secrets,
    "@load_world": _load_world,
    "@write_world": _write_world,
    "@list_log_files": _list_log_files,
    "@write_records": _write_records,
}
