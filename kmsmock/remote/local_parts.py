"""Connected objects with methods that work with files, clients and texts of this process."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from kmsmock.accounts import Account, Principal
from kmsmock.aws.secret_values import SecretBytes, hide, hide_secrets, reveal_secrets
from kmsmock.control import KMSMock
from kmsmock.ledger.secrets import Search, Secrets
from kmsmock.remote.connection import LINK, Connection
from kmsmock.trail.trail import Trail

if TYPE_CHECKING:
    import boto3


def _connection_of(thing: object) -> Connection:
    connection: Connection = getattr(thing, LINK).connection
    return connection


def _ask(thing: object, name: str, *arguments: Any, **keywords: Any) -> Any:
    __tracebackhide__ = True
    try:
        return _connection_of(thing).call(thing, name, arguments, keywords)
    finally:
        del arguments, keywords  # which can be secrets


def _make_client(source: Any, service: str, region: str | None) -> Any:
    connection = _connection_of(source)
    credentials, chosen = _ask(source, "@client_terms", region, is_strict=connection.is_strict)
    return connection.clients.get(service, chosen or connection.region, credentials)


class ConnectedKMSMock(KMSMock):
    """The control object of a mock in another process, such as `kmsmock serve`.

    It is used like any other; at the end of a `with` statement it is closed.
    """

    def close(self) -> None:
        """End the connection; its objects can no longer be used, its clients can."""
        _connection_of(self).close()

    def __enter__(self) -> ConnectedKMSMock:  # noqa: PYI034 - Python 3.10 has no Self
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _client(self, service: str, region: str | None) -> Any:
        return _make_client(self, service, region)

    def reset(self) -> None:
        """Restore the initial state: without records, with the keys and principals of the world."""
        _connection_of(self).clients.clear()
        _ask(self, "reset")

    def load(self, world: str | os.PathLike[str] | Mapping[str, Any]) -> None:
        """Add the keys, principals and other items of a world; all of them, or nothing.

        world: the path of a file here, or a mapping with the same content. The rest is as for
        `KMSMock.load`.
        """
        from kmsmock.worlds.errors import WorldError
        from kmsmock.worlds.files import read_document

        __tracebackhide__ = True
        world = hide_secrets(world)  # also in the frames of a traceback
        document = read_document(world)
        try:
            _ask(self, "@load_world", reveal_secrets(document))
        except WorldError as error:
            if not isinstance(world, Mapping):
                error.source = os.fspath(world)
            raise

    def export(self, path: str | os.PathLike[str], *, material: bool = True) -> None:
        """Write the state, without records, to a file here that `load` and ``world=`` read.

        The rest is as for `KMSMock.export`.
        """
        from kmsmock.worlds.files import write_document

        write_document(hide_secrets(_ask(self, "@write_world", material=material)), path)

    def import_material(
        self, key: Any, material: bytes | bytearray | memoryview, **parameters: Any
    ) -> Any:
        """Import key material into a key with origin EXTERNAL; return ImportKeyMaterial's response.

        The rest is as for `KMSMock.import_material`.
        """
        from botocore.exceptions import ClientError

        __tracebackhide__ = True
        material = hide(material)  # also in the frames of a traceback
        try:
            return _ask(self, "import_material", key, material, **parameters)
        except ClientError as error:
            # The class that the clients of this process raise.
            kind: Any = self.client().exceptions.from_code(error.response["Error"]["Code"])
            raised = kind(error.response, error.operation_name)
            vars(raised).update(vars(error))
            raise raised from None


class ConnectedAccount(Account):
    """An account of a mock in another process."""

    def _client(self, service: str, region: str | None) -> Any:
        return _make_client(self, service, region)


class ConnectedPrincipal(Principal):
    """A principal of a mock in another process."""

    def _client(self, service: str, region: str | None) -> Any:
        return _make_client(self, service, region)

    def session(self, region: str | None = None) -> boto3.Session:
        """Return a boto3 session that signs as this principal. region: its default Region."""
        connection = _connection_of(self)
        credentials, chosen = _ask(self, "@client_terms", region, is_strict=connection.is_strict)
        return connection.clients.make_session(chosen or connection.region, credentials)


class ConnectedSecrets(Secrets):
    """The plaintexts that a mock in another process has returned; they are searched for here."""

    def search(self, targets: Iterable[tuple[Any, str | None]]) -> Search:
        """Find plaintexts in targets. targets: pairs of a target and its name, or None."""
        found = Secrets()
        for name, call, value in _ask(self, "@list_secrets"):
            found.note({name: SecretBytes(value)}, call)
        search = found.search(targets)
        dropped = self.dropped
        if not dropped:
            return search
        note = f"{dropped} older plaintexts were not searched for: no longer kept"
        return Search(search.findings, (*search.skipped, note), search.unsearched)


class ConnectedTrail(Trail):
    """The CloudTrail records of a mock in another process."""

    def write_jsonl(self, path: str | Path) -> None:
        """Write one record a line; warns as `lookup` does."""
        Path(path).write_bytes(_ask(self, "@write_records"))

    def write_files(self, folder: str | Path, *, trail: str | None = None) -> list[Path]:
        """Write log files as CloudTrail delivers them to a bucket; return their paths.

        The rest is as for `Trail.write_files`.
        """
        __tracebackhide__ = True
        paths = []
        for name, content in _ask(self, "@list_log_files", trail):
            path = Path(folder, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
            paths.append(path)
        return paths


#: Class -> the one of its objects that are in another process.
LOCAL_PARTS: dict[type, type] = {
    KMSMock: ConnectedKMSMock,
    Account: ConnectedAccount,
    Principal: ConnectedPrincipal,
    Secrets: ConnectedSecrets,
    Trail: ConnectedTrail,
}
