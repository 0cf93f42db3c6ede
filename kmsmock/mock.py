"""`mock_kms`: starting and stopping a mock, in all forms.

This module is imported with every pytest run, so everything heavy waits for the first use.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast, overload

from kmsmock.activation import decorators
from kmsmock.control import KMSMock, new_mock
from kmsmock.options import MockOptions, complete, table
from kmsmock.process.active_mocks import active
from kmsmock.responder import Responder

if TYPE_CHECKING:
    from types import TracebackType

    # Known to type checkers without being installed.
    from typing_extensions import Unpack

F = TypeVar("F", bound=Callable[..., Any])


class KMSMocker:
    """Starts and stops mocks: a decorator, a context manager, or by hand.

    A bare one joins the mock that is active already; one with options makes a world of its own.
    """

    def __init__(self, given: Mapping[str, Any]) -> None:
        self._given = dict(given)
        self._options = complete(given)
        self._isolated = self._options["isolated"] or bool(given.keys() - {"isolated"})
        self._started: list[Responder] = []

    def start(self) -> KMSMock:
        """Start a mock, or join the active one; gives the control object."""
        joins = active and not self._isolated
        responder = cast(Responder, active[-1]) if joins else new_mock(self._options)
        responder.join()
        self._started.append(responder)
        return self.world

    @property
    def world(self) -> KMSMock:
        """The mock that the last `start` began or joined."""
        kms: KMSMock = self._started[-1].kms
        return kms

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
        return KMSMocker(self._given)

    def __call__(self, decorated: F) -> F:
        """Decorate a function, coroutine function, generator function or test class."""
        if not callable(decorated):
            raise TypeError(
                f"{decorated!r} is nothing to decorate; options are keywords: mock_kms(region=...)"
            )
        if inspect.isclass(decorated):
            return decorators.decorate_class(decorated, self.again)  # type: ignore[return-value]
        return decorators.decorate_function(decorated, self.again)  # type: ignore[return-value]


@overload
def mock_kms(decorated: F, /) -> F: ...
@overload
def mock_kms(**options: Unpack[MockOptions]) -> KMSMocker: ...
def mock_kms(decorated: F | None = None, /, **options: Unpack[MockOptions]) -> F | KMSMocker:
    """Answer AWS KMS from memory, as a decorator or as a context manager.

    options: the members of `MockOptions`, which says what they do. Raises TypeError for unknown
    ones, for those of pytest's marks and configuration alone, and for values that cannot be.
    """
    for name, option in table().items():
        if name in options and not option.is_keyword:
            raise TypeError(f"{name} is for pytest alone: write @pytest.mark.kms({name}=...)")
    mocker = KMSMocker(options)
    return mocker if decorated is None else mocker(decorated)
