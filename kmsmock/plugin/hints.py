"""Notes on errors of botocore in tests that have no mock."""

from __future__ import annotations

from collections.abc import Iterator
from types import TracebackType
from typing import Any

from kmsmock.process.active import active
from kmsmock.process.running_test import running_test
from kmsmock.process.watchers import Watcher

#: What clients raise where neither the environment nor a mock has configured them.
_UNCONFIGURED = ("NoRegionError", "NoCredentialsError")
_HINT = "no mock of KMS is active: use the `kms` fixture or `@mock_kms`"
AT_IMPORT = (
    "no mock of KMS is active while modules are imported: make the client in a function, and use "
    "the `kms` fixture or `@mock_kms` around it"
)


class MockedTests(Watcher):
    """The running tests in which a mock has begun, be it active still or not."""

    def __init__(self) -> None:
        self._tests: set[str | None] = set()

    def began(self, kms: Any) -> None:  # noqa: ARG002 - not needed
        """Note that the running test has a mock."""
        self._tests.add(running_test())

    def forget(self, test: str) -> None:
        """Forget a test, which has ended."""
        self._tests.discard(test)

    def __contains__(self, test: str | None) -> bool:
        return test in self._tests


def hint_at_mock(error: BaseException) -> bool:
    """Add a note to what a KMS client raised for want of Region or credentials, if no mock is on.

    Gives whether there was such an error. Types are compared by name, so that botocore need not
    be imported.
    """
    was_added = False
    if active:
        return False
    for each in _chain_of(error):
        kind = type(each)
        if kind.__name__ in _UNCONFIGURED and kind.__module__ == "botocore.exceptions":
            notes = getattr(each, "__notes__", [])
            if _service_of(each.__traceback__) == "kms" and _HINT not in notes:
                # Before Python 3.11 the interpreter prints no notes, but pytest does.
                each.__notes__ = [*notes, _HINT]
                was_added = True
    return was_added


def _chain_of(error: BaseException | None) -> Iterator[Any]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__


def _service_of(traceback: TracebackType | None) -> Any:
    """Find the service of the client that was made or called."""
    while traceback is not None:
        frame = traceback.tb_frame
        if frame.f_globals.get("__name__") in ("botocore.session", "botocore.client"):
            names = frame.f_locals
            if "service_name" in names:
                return names["service_name"]
            meta = getattr(names.get("self"), "meta", None)
            if meta is not None:
                return meta.service_model.service_name
        traceback = traceback.tb_next
    return None
