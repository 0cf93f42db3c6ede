"""`mock_kms`: starting and stopping a mock, in all forms.

This module is imported with every pytest run, so everything heavy waits for the first use.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar, overload

from kmsmock import decorating
from kmsmock.control import KMSMock, active_mocks, current
from kmsmock.options import Options

if TYPE_CHECKING:
    from types import TracebackType

F = TypeVar("F", bound=Callable[..., Any])


class KMSMocker:
    """Starts and stops mocks: a decorator, a context manager, or by hand.

    A bare one joins the mock that is active already; one with options makes a world of its own.
    """

    def __init__(self, given: Mapping[str, Any]) -> None:
        self._given = dict(given)
        self._isolated = bool(self._given.pop("isolated", False)) or bool(self._given)
        self._options = Options.of(self._given)
        self._started: list[KMSMock] = []

    def start(self) -> KMSMock:
        """Start a mock, or join the active one; gives the control object."""
        kms = current() if not self._isolated and active_mocks() else KMSMock(self._options)
        kms.join()
        self._started.append(kms)
        return kms

    @property
    def world(self) -> KMSMock:
        """The mock that the last `start` began or joined."""
        return self._started[-1]

    def stop(self) -> None:
        """End what the last `start` began; raises RuntimeError when there is nothing to end."""
        if not self._started:
            raise RuntimeError("this mock was not started: start() comes before stop(), once each")
        self._started.pop().leave()

    def __enter__(self) -> KMSMock:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    async def __aenter__(self) -> KMSMock:
        return self.start()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def again(self) -> KMSMocker:
        """Give another one with the same options; each call of a decorated function has its own."""
        given = dict(self._given)
        if self._isolated:
            given["isolated"] = True
        return KMSMocker(given)

    def __call__(self, decorated: F) -> F:
        """Decorate a function, coroutine function, generator function or test class."""
        if not callable(decorated):
            raise TypeError(
                f"{decorated!r} is nothing to decorate; options are keywords: mock_kms(region=...)"
            )
        if inspect.isclass(decorated):
            return decorating.decorate_class(decorated, self.again)  # type: ignore[return-value]
        return decorating.decorate_function(decorated, self.again)  # type: ignore[return-value]


@overload
def mock_kms(decorated: F, /) -> F: ...
@overload
def mock_kms(**options: Any) -> KMSMocker: ...
def mock_kms(decorated: F | None = None, /, **options: Any) -> F | KMSMocker:
    """Answer AWS KMS from memory, as a decorator or as a context manager.

    options: account_id (12 digits, as text), region, authorization, services (a list), seed, world
    (a path, or what a file would say), start_time (aware datetime), delays, wire, calls_kept,
    prices, block_real_kms, and isolated, which makes a separate world inside an active one, as each
    other option does; see `Options`. leak_check is one of pytest's marks and configuration alone.
    Raises TypeError for unknown ones.
    """
    if "leak_check" in options:
        raise TypeError("pytest checks for leaks: @pytest.mark.kms(leak_check=True)")
    mocker = KMSMocker(options)
    return mocker if decorated is None else mocker(decorated)
