"""Hints to use a mock, as notes on errors of botocore in tests without one."""

from __future__ import annotations

from collections import deque
from types import TracebackType
from typing import Any

from kmsmock.misuse.surrogates import explain_blob
from kmsmock.process.active_mocks import active
from kmsmock.process.contexts import get_running_test
from kmsmock.process.exceptions import add_note, hide_frames_of, iterate_errors
from kmsmock.process.watchers import Watcher

#: What clients raise if neither the environment nor a mock configures them.
_UNCONFIGURED = ("NoRegionError", "NoCredentialsError")
_MOCKS_KEPT = 4
_HINT = "no mock of KMS is active: use the `kms` fixture or `@mock_kms`"
AT_IMPORT = (
    "no mock of KMS is active while modules are imported: create the client in a function, and use "
    "the `kms` fixture or `@mock_kms` around it"
)


class MockedTests(Watcher):
    """The running tests in which a mock has been started, whether or not it is still active."""

    def __init__(self) -> None:
        #: The last mocks that were started in a test; none for those outside of tests.
        self._tests: dict[str | None, deque[Any]] = {}

    def began(self, kms: Any) -> None:
        """Note that the running test has a mock."""
        test = get_running_test()
        mocks = self._tests.setdefault(test, deque(maxlen=_MOCKS_KEPT))
        if test is not None:
            mocks.append(kms)

    def forget(self, test: str) -> None:
        """Forget a test, which has ended."""
        self._tests.pop(test, None)

    def list_mocks(self, test: str | None) -> list[Any]:
        """Return the control objects of the last mocks that were started in a test."""
        return list(self._tests.get(test, ()))

    def __contains__(self, test: str | None) -> bool:
        return test in self._tests


def hint_at_mock(error: BaseException) -> bool:
    """Add a hint to a KMS client's error about missing configuration, if no mock is active.

    Returns whether there was such an error. Types are compared by name, so that botocore is not
    imported.
    """
    if active:
        return False
    was_added = False
    for each in filter(_is_about_unconfigured_kms, iterate_errors(error)):
        was_added |= add_note(each, _HINT)
        hide_frames_of(each)
    return was_added


def hint_at_blob(error: UnicodeEncodeError) -> None:
    """Add a hint to botocore's error about a blob that is given as text with a lone surrogate."""
    note = explain_blob(error)
    if note is not None:
        add_note(error, note)


def _is_about_unconfigured_kms(error: BaseException) -> bool:
    kind = type(error)
    return (
        kind.__name__ in _UNCONFIGURED
        and kind.__module__ == "botocore.exceptions"
        and _find_service(error.__traceback__) == "kms"
    )


def _find_service(traceback: TracebackType | None) -> Any:
    """Return the service of the client that was created or called."""
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
