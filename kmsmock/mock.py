"""`mock_kms`: start and stop mocks, as decorator, context manager or with start and stop.

Imported in every pytest run, so it imports nothing slow.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast, overload

from kmsmock.activation import decorators
from kmsmock.control import KMSMock, new_mock
from kmsmock.misuse.public_object import PublicObject
from kmsmock.options import MockOptions, complete, table
from kmsmock.process.active_mocks import active
from kmsmock.responder import Responder

if TYPE_CHECKING:
    from types import TracebackType

    # Known to type checkers without being installed.
    from typing_extensions import Unpack

F = TypeVar("F", bound=Callable[..., Any])


class KMSMocker(PublicObject):
    """Starts and stops mocks: a decorator, a context manager, or with `start` and `stop`.

    Without options it joins the active mock, if there is one; with options it starts a separate
    mock.
    """

    def __init__(self, options: Mapping[str, Any]) -> None:
        self._keywords = dict(options)
        self._options = complete(options)
        self._isolated = self._options["isolated"] or bool(options.keys() - {"isolated"})
        self._started: list[Responder] = []

    def start(self) -> KMSMock:
        """Start a mock, or join the active one, and return its control object."""
        joins = active and not self._isolated
        responder = cast(Responder, active[-1]) if joins else new_mock(self._options)
        responder.join()
        self._started.append(responder)
        return self.world

    @property
    def world(self) -> KMSMock:
        """The control object of the mock that the last `start` has started or joined."""
        kms: KMSMock = self._started[-1].kms
        return kms

    def stop(self) -> None:
        """Stop, or leave, the mock of the last `start`; raises RuntimeError if there is none."""
        if not self._started:
            raise RuntimeError("this mock is not started: call start() before stop(), once each")
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
        """Return a new `KMSMocker` with the same options, for a call of a decorated function."""
        return KMSMocker(self._keywords)

    def __call__(self, decorated: F) -> F:
        """Decorate a function, coroutine function, generator function or test class."""
        if not callable(decorated):
            raise TypeError(
                f"{decorated!r} cannot be decorated; options are keyword arguments: "
                "mock_kms(region=...)"
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

    options: see the members of `MockOptions`. Raises TypeError for unknown options, for those that
    only pytest's marks and configuration have, and for invalid values.
    """
    for name, option in table().items():
        if name in options and not option.is_keyword:
            raise TypeError(f"{name} is an option of pytest: use @pytest.mark.kms({name}=...)")
    mocker = KMSMocker(options)
    return mocker if decorated is None else mocker(decorated)
