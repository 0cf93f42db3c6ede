"""`mock_kms`: start and stop mocks, as decorator, context manager or with start and stop.

Imported in every pytest run, so it imports nothing slow.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar, overload

from kmsmock.aws.secret_values import hide_secrets
from kmsmock.control import KMSMock, new_mock
from kmsmock.misuse.public_object import PublicObject
from kmsmock.options import MockOptions, PytestOptions, complete
from kmsmock.process import active_mocks
from kmsmock.process.active_mock import ActiveMock
from kmsmock.process.active_mocks import Use, get_joinable
from kmsmock.process.contexts import SCOPES, contexts

if TYPE_CHECKING:
    from types import TracebackType

    # Known to type checkers without being installed.
    from typing_extensions import Unpack

F = TypeVar("F", bound=Callable[..., Any])


class KMSMocker(PublicObject, internal=("again", "resume")):
    """Starts and stops mocks: a decorator, a context manager, or with `start` and `stop`.

    Without options it joins the active mock, if there is one; with options it starts a separate
    mock.
    """

    def __init__(self, options: Mapping[str, Any]) -> None:
        complete(options)  # at once, so that the error is where the mistake is
        self._keywords = dict(options)
        #: The starts that were not stopped, the last one last.
        self._uses: list[Use] = []
        #: The start that was stopped last.
        self._left: Use | None = None

    def start(self) -> KMSMock:
        """Start a mock, or join the active one, and return its control object.

        Options that are not given are those of the marks ``@pytest.mark.kms`` of the running test
        or fixture, then those of the configuration.
        """
        with active_mocks.lock:
            marked = contexts[-1].get_options()
            joined = get_joinable()
            if joined is not None and self._is_separate(joined, marked):
                joined = None
            if joined is None:
                from kmsmock.serving.children import serve_children

                serve_children()
                given = {**marked, **self._keywords}
                options = complete(given)
                has_own_ordering = "consistency" in given
                joined = new_mock(options, self._keywords, has_own_ordering=has_own_ordering)
                if options["with_moto"]:
                    follow_moto()
            self._uses.append(active_mocks.enter(joined))
        return self.world

    def _is_separate(self, joinable: ActiveMock, marked: Mapping[str, Any]) -> bool:
        """Return whether the mock does not join an active one. marked: options of marks."""
        if self._keywords:
            return bool(self._keywords.get("isolated") or self._keywords.keys() - {"isolated"})
        # The mark isolates a test from mocks that last longer, and not its own from each other.
        owner = active_mocks.get_first_use(joinable).owner
        return bool(marked.get("isolated")) and owner.scope != SCOPES[-1]

    @property
    def world(self) -> KMSMock:
        """The control object of the mock that the last `start` has started or joined."""
        if not self._uses:
            raise RuntimeError("this mock is not started: `with mock_kms() as kms:` starts one")
        kms: KMSMock = self._uses[-1].mock.kms
        return kms

    def stop(self) -> None:
        """Stop, or leave, the mock of the last `start`; raises RuntimeError if there is none."""
        if not self._uses:
            raise RuntimeError("this mock is not started: call start() before stop(), once each")
        self._left = self._uses.pop()
        active_mocks.leave(self._left)

    @contextmanager
    def resume(self) -> Iterator[KMSMock]:
        """Start the mock again that was stopped last, with its state, and stop it after the block.

        Raises RuntimeError if there is none.
        """
        if self._left is None:
            raise RuntimeError("no mock was stopped that could be resumed")
        use = active_mocks.enter(self._left.mock)
        kms: KMSMock = use.mock.kms
        try:
            yield kms
        finally:
            active_mocks.leave(use)

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
        """Decorate a function, method, property, callable object or class.

        Raises TypeError for what cannot be decorated.
        """
        from kmsmock.activation.decorators import decorate

        mocked: F = decorate(decorated, self.again)
        return mocked


def follow_moto() -> None:
    """Let what is created in KMS begin and end with the data of moto; see `kmsmock.with_moto`."""
    from kmsmock.with_moto import install

    install(_new_mocker)


def _new_mocker() -> KMSMocker:
    return KMSMocker({})


@overload
def mock_kms(decorated: F, /) -> F: ...
@overload
def mock_kms(**options: Unpack[MockOptions]) -> KMSMocker: ...
def mock_kms(*decorated: Any, **options: Unpack[MockOptions]) -> Any:
    """Answer AWS KMS from memory, as a decorator or as a context manager.

    options: see the members of `MockOptions`. Raises TypeError for unknown options, for those that
    only pytest's marks and configuration have, and for invalid values.
    """
    if len(decorated) > 1:
        raise TypeError("mock_kms decorates one object; options are keyword arguments")
    for name in PytestOptions.__annotations__:
        if name in options:
            raise TypeError(f"{name} is an option of pytest: use @pytest.mark.kms({name}=...)")
    if "world" in options:
        options["world"] = hide_secrets(options["world"])  # also in the frames of a traceback
    mocker = KMSMocker(options)
    return mocker(*decorated) if decorated else mocker
