"""A mock of KMS with each ``mock_aws`` of moto, as the option ``with_moto`` says.

moto's data begins and ends with `MockAWS.start`, `stop` and `reset`, so these are wrapped: what was
created in KMS begins and ends with it.
"""

from __future__ import annotations

import contextlib
import functools
import warnings
from collections.abc import Callable
from types import ModuleType
from typing import Any, NamedTuple

from kmsmock.control import KMSMock
from kmsmock.options import complete
from kmsmock.process import active_mocks
from kmsmock.process.moto import is_moto_active

_METHODS = ("start", "stop", "reset")


class Joined(NamedTuple):
    """A mock that answers while moto is active, and that something else has started.

    kms: its control object. before: the ARNs of the keys and aliases from before moto's data.
    """

    kms: KMSMock
    before: set[str]

    @property
    def is_started(self) -> bool:
        """Whether the mock has not ended."""
        return any(mock.kms is self.kms for mock in active_mocks.list_started())

    def remove_created(self) -> None:
        """Remove the keys and aliases that were created since moto's data began.

        The records of calls stay.
        """
        created = self.kms.checkpoint().list_resources() - self.before
        self.kms.backend.remove_resources(created)


class Level:
    """What a `mock_aws` has started, from its start to its stop; nested ones have levels, too."""

    def __init__(self) -> None:
        #: The mock that it has started, if any.
        self.kms: KMSMock | None = None
        self._stop = contextlib.ExitStack()

    def start(self, mocker: Any) -> None:
        """Start a mock. mocker: its context manager."""
        self.kms = self._stop.enter_context(mocker)

    def stop(self) -> None:
        """Stop the mock, if there is one."""
        self.kms = None
        self._stop.close()


class MocksOfMoto:
    """The mocks that answer KMS for moto: its own, and those that answer already.

    new_mocker: returns an object that starts a mock, and resumes it with its state.
    """

    def __init__(self, new_mocker: Callable[[], Any]) -> None:
        self._new_mocker = new_mocker
        #: One for each active `mock_aws`, the outermost first.
        self._levels: list[Level] = []
        #: The mock of moto's data, which lasts from one reset to the next.
        self._kept: Any = None
        self._joined: Joined | None = None

    def enter(self) -> None:
        """Begin a level."""
        self._levels.append(Level())

    def leave(self) -> None:
        """End the innermost level. Its mock keeps its state, as moto does after a set-up method."""
        if self._levels:
            self._levels.pop().stop()

    def begin(self) -> None:
        """Start a mock if none answers; else note what there is before moto's data begins."""
        with active_mocks.lock:
            joinable = active_mocks.get_joinable()
            if joinable is not None:
                self._join(joinable.kms)
            elif self._levels and complete({})["with_moto"]:
                self._start(self._levels[-1])

    def _join(self, kms: KMSMock) -> None:
        is_own = any(level.kms is kms for level in self._levels)
        is_known = self._joined is not None and self._joined.kms is kms
        if kms.options["with_moto"] and not is_own and not is_known:
            self._joined = Joined(kms, kms.checkpoint().list_resources())

    def _start(self, level: Level) -> None:
        if self._levels[0] is not level:
            level.start(self._new_mocker())
        elif self._kept is None:
            self._kept = self._new_mocker()
            level.start(self._kept)
        else:
            level.start(self._kept.resume())

    def forget(self) -> None:
        """Forget what was created since moto's data began."""
        with active_mocks.lock:
            for level in reversed(self._levels):
                level.stop()
            self._kept = None
            joined, self._joined = self._joined, None
            if joined is not None and joined.is_started:
                joined.remove_created()


@functools.cache
def install(new_mocker: Callable[[], Any]) -> None:
    """Wrap the methods of moto, now or when it is imported; later calls have no effect.

    new_mocker: as for `MocksOfMoto`.
    """
    import wrapt  # not before, since few runs have moto

    def wrap(models: ModuleType) -> None:
        mock_aws = getattr(models, "MockAWS", None)
        if not all(hasattr(mock_aws, name) for name in _METHODS):
            text = "with_moto has no effect: this version of moto has no MockAWS as moto 5 has"
            warnings.warn(text, stacklevel=2)
            return
        mocks = MocksOfMoto(new_mocker)
        wrappers = (_begin_after(mocks), _leave_before(mocks), _renew_after(mocks))
        for name, wrapper in zip(_METHODS, wrappers, strict=True):
            wrapt.wrap_function_wrapper(models, f"MockAWS.{name}", wrapper)

    wrapt.register_post_import_hook(wrap, "moto.core.models")


Wrapper = Callable[[Any, Any, Any, Any], None]


def _begin_after(mocks: MocksOfMoto) -> Wrapper:
    def start(original: Any, _: Any, args: Any, kwargs: Any) -> None:
        mocks.enter()
        try:
            original(*args, **kwargs)
            mocks.begin()
        except BaseException:
            mocks.leave()
            raise

    return start


def _leave_before(mocks: MocksOfMoto) -> Wrapper:
    def stop(original: Any, _: Any, args: Any, kwargs: Any) -> None:
        mocks.leave()
        original(*args, **kwargs)

    return stop


def _renew_after(mocks: MocksOfMoto) -> Wrapper:
    def reset(original: Any, _: Any, args: Any, kwargs: Any) -> None:
        original(*args, **kwargs)
        mocks.forget()
        if is_moto_active():
            mocks.begin()

    return reset
