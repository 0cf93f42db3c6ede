"""A mock of KMS with each ``mock_aws`` of moto, as the option ``with_moto`` says.

moto's data begins and ends with `MockAWS.start`, `stop` and `reset`, so these are wrapped: what was
created in KMS begins and ends with it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from types import ModuleType
from typing import Any, NamedTuple

from kmsmock.control import KMSMock
from kmsmock.misuse.caller_warnings import warn_caller
from kmsmock.options import complete
from kmsmock.process import active_mocks
from kmsmock.process.contexts import Context, contexts
from kmsmock.process.moto import is_moto_active
from kmsmock.process.watchers import Watcher, watchers

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
        return _is_started(self.kms)

    def remove_created(self) -> None:
        """Remove the keys and aliases that were created since moto's data began.

        The records of calls stay.
        """
        created = self.kms.checkpoint().list_resources() - self.before
        self.kms.backend.remove_resources(created)


def _is_started(kms: KMSMock) -> bool:
    return any(mock.kms is kms for mock in active_mocks.list_started())


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


class Kept(NamedTuple):
    """A mock of a test, which a set-up method starts first: other tests do not see its keys.

    mocker: its context manager. kms: its control object.
    """

    test: Context
    mocker: Any
    kms: KMSMock | None


class MocksOfMoto(Watcher):
    """The mocks that answer KMS for moto: its own, and those that answer already.

    new_mocker: returns an object that starts a mock, and resumes it with its state.
    """

    def __init__(self, new_mocker: Callable[[], Any]) -> None:
        self._new_mocker = new_mocker
        #: One for each active `mock_aws`, the outermost first.
        self._levels: list[Level] = []
        #: The mock of moto's data, which lasts from one reset to the next.
        self._kept: Kept | None = None
        self._joined: list[Joined] = []

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

    def began(self, kms: KMSMock) -> None:
        """Note what a mock has that starts while moto is active."""
        if is_moto_active():
            self._join(kms)

    def _join(self, kms: KMSMock) -> None:
        known = [each.kms for each in self._joined] + [level.kms for level in self._levels]
        if kms.options["with_moto"] and kms not in known:
            self._joined = [joined for joined in self._joined if joined.is_started]
            self._joined.append(Joined(kms, kms.checkpoint().list_resources()))

    def _start(self, level: Level) -> None:
        test = _get_test()
        if self._kept is not None and self._kept.test is test:
            level.start(self._kept.mocker.resume())
            return
        mocker = self._new_mocker()
        level.start(mocker)
        self._kept = Kept(test, mocker, level.kms) if test is not None else None

    def renew(self) -> None:
        """Forget what was created since moto's data began; while moto is active, mocks stay."""
        with active_mocks.lock:
            if not is_moto_active():
                for level in reversed(self._levels):
                    level.stop()
            own = [level.kms for level in self._levels if level.kms and _is_started(level.kms)]
            if self._kept is not None and self._kept.kms not in own:
                self._kept = None
            for kms in own:
                kms.reset()
            joined = [each for each in self._joined if each.is_started and each.kms not in own]
            for each in joined:
                each.remove_created()
            self._joined = joined if is_moto_active() else []


def _get_test() -> Context | None:
    """Return the context of the running test; None for what lasts longer than it."""
    if not contexts[-1].ends_with_test:
        return None
    return next(context for context in contexts if context.test == contexts[-1].test)


_is_installed: list[bool] = []


def install(new_mocker: Callable[[], Any]) -> None:
    """Wrap the methods of moto, now or when it is imported; later calls have no effect.

    new_mocker: as for `MocksOfMoto`.
    """
    if _is_installed:
        return
    _is_installed.append(True)
    import wrapt  # not before, since few runs have moto

    def wrap(models: ModuleType) -> None:
        mock_aws = getattr(models, "MockAWS", None)
        if not all(hasattr(mock_aws, name) for name in _METHODS):
            text = "with_moto has no effect: this version of moto has no MockAWS as moto 5 has"
            warn_caller(text)
            return
        mocks = MocksOfMoto(new_mocker)
        wrappers = (_begin_after(mocks), _leave_before(mocks), _renew_after(mocks))
        for name, wrapper in zip(_METHODS, wrappers, strict=True):
            wrapt.wrap_function_wrapper(models, f"MockAWS.{name}", wrapper)
        watchers.add(mocks)
        if is_moto_active():  # since before: by a conftest file, for example
            mocks.enter()
            mocks.begin()
            for _ in range(1, getattr(mock_aws, "_nested_count", 1)):
                mocks.enter()

    wrapt.register_post_import_hook(wrap, "moto.core.models")


Wrapper = Callable[[Any, Any, Any, Any], None]


def _begin_after(mocks: MocksOfMoto) -> Wrapper:
    def start(original: Any, mock_aws: Any, args: Any, kwargs: Any) -> None:
        mocks.enter()
        try:
            original(*args, **kwargs)
        except BaseException:
            mocks.leave()
            raise
        try:
            mocks.begin()
        except BaseException:  # such as a world file that cannot be read
            mock_aws.stop()
            raise

    return start


def _leave_before(mocks: MocksOfMoto) -> Wrapper:
    def stop(original: Any, _: Any, args: Any, kwargs: Any) -> None:
        try:
            mocks.leave()
        finally:
            original(*args, **kwargs)

    return stop


def _renew_after(mocks: MocksOfMoto) -> Wrapper:
    def reset(original: Any, _: Any, args: Any, kwargs: Any) -> None:
        original(*args, **kwargs)
        mocks.renew()

    return reset
