"""The mocks of test classes: when they are started and stopped."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from typing import Any

from kmsmock.activation.mocked_callables import Start
from kmsmock.process.active_mocks import lasts_longer

#: Hides the functions of this module in the tracebacks that pytest shows.
__tracebackhide__ = True
#: The attribute of a class that has its `ClassMocks`.
_ATTRIBUTE = "_kmsmock"


class Decoration:
    """A decorator of a class, whose mock all that runs at the same time shares.

    start: returns the context manager of a new mock.
    """

    def __init__(self, start: Start) -> None:
        self._start = start
        #: The control object of the mock while it is there.
        self._kms: Any = None

    @property
    def is_running(self) -> bool:
        """Whether its mock is there."""
        return self._kms is not None

    @contextmanager
    def run(self) -> Iterator[None]:
        """Start the mock; if it is there already, restore its state at the end instead.

        It is there, too, if it is one that lasts longer than the test, which the decorator joins.
        """
        if self.is_running:
            with _restoring(self._kms):
                yield
            return
        with self._start() as kms, _restoring(kms) if lasts_longer(kms) else nullcontext():
            self._kms = kms
            try:
                yield
            finally:
                self._kms = None


@contextmanager
def _restoring(kms: Any) -> Iterator[None]:
    checkpoint = kms.checkpoint()
    try:
        yield
    finally:
        kms.restore(checkpoint)


class _Scope:
    """A class or a test between the beginning of its set-up and the end of its tear-down."""

    def __init__(self, owner: Any, mocks: ExitStack) -> None:
        #: The class, or the instance with the test. Kept, so that nothing else gets its id.
        self.owner = owner
        #: Stops the mocks.
        self.mocks = mocks
        #: The set-ups that have been called, and whose tear-down has not.
        self.entered: list[object] = []
        #: Whether a set-up or tear-down is running, which can call those of base classes.
        self.is_busy = False

    def call(self, function: Callable[[], Any]) -> Any:
        """Call a set-up or tear-down that is not called by another one."""
        self.is_busy = True
        try:
            return function()
        finally:
            self.is_busy = False

    @property
    def is_over(self) -> bool:
        """Whether nothing is left to tear down or to clean up."""
        if inspect.isclass(self.owner) and getattr(self.owner, "_class_cleanups", None):
            return False  # unittest calls them after tearDownClass
        return not self.entered


class ClassMocks:
    """The mocks of one class."""

    def __init__(self) -> None:
        #: The decorators of this class, the outermost first; it has those of its bases, too.
        self.decorations: list[Decoration] = []
        #: The class in which this one is nested; it has its decorators, too.
        self.enclosing: type | None = None
        #: What kmsmock has replaced in the class, by name; None for what the class had not.
        self.replaced: dict[str, Any] = {}
        self._scopes: dict[int, _Scope] = {}

    def set_up(self, owner: Any, place: object, call: Callable[[], Any]) -> Any:
        """Start the mocks of a class or test before its first set-up is called.

        owner: the class, or the instance with the test. place: of the set-up; its tear-down has
        the same. call: calls the set-up.
        """
        scope = self._scopes.get(id(owner)) or self._begin(owner)
        if scope.is_busy:
            return call()
        was_called = place in scope.entered  # pytest calls it once more for an enclosing class
        scope.entered.append(place)
        if was_called:
            return None
        try:
            return scope.call(call)
        except BaseException:
            scope.entered.remove(place)
            self.end(owner)
            raise

    def tear_down(self, owner: Any, place: object, call: Callable[[], Any]) -> Any:
        """Stop the mocks after the last tear-down was called."""
        scope = self._scopes.get(id(owner))
        if scope is None or scope.is_busy or place not in scope.entered:
            return call()
        scope.entered.remove(place)
        if place in scope.entered:
            return None
        try:
            return scope.call(call)
        finally:
            self.end(owner)

    def run(self, owner: Any, call: Callable[[], Any]) -> Any:
        """Call what runs a whole test, with mocks unless pytest has started them before."""
        if id(owner) in self._scopes:
            return call()
        self._begin(owner)
        try:
            return call()
        finally:
            self.end(owner)

    def end(self, owner: Any) -> None:
        """Stop the mocks of a class or test, if it is over."""
        scope = self._scopes.get(id(owner))
        if scope is not None and scope.is_over:
            del self._scopes[id(owner)]
            scope.mocks.close()

    def _begin(self, owner: Any) -> _Scope:
        cls = owner if inspect.isclass(owner) else type(owner)
        scope = _Scope(owner, run_all(list_decorations(cls)))
        return self._scopes.setdefault(id(owner), scope)


def get_own_mocks(cls: type) -> ClassMocks | None:
    """Return the mocks of a class; None for a class without any, and for those of base classes."""
    return vars(cls).get(_ATTRIBUTE)


def find_mocks(owner: Any, default: ClassMocks) -> ClassMocks:
    """Return the mocks of a class, or of its nearest base class with mocks.

    owner: the class, or an instance of it. default: for a class without any.
    """
    mocks: ClassMocks = getattr(
        owner if inspect.isclass(owner) else type(owner), _ATTRIBUTE, default
    )
    return mocks


def add_mocks(cls: type) -> ClassMocks:
    """Return new mocks of a class."""
    mocks = ClassMocks()
    setattr(cls, _ATTRIBUTE, mocks)
    return mocks


def list_decorations(cls: type) -> list[Decoration]:
    """Return the decorators that apply to a class, in the order in which their mocks start.

    Those of enclosing and base classes are first, so that its own answer.
    """
    return [decoration for each in list_mocks(cls) for decoration in each.decorations]


def list_mocks(cls: type) -> list[ClassMocks]:
    """Return the mocks of enclosing classes, base classes and a class itself, in this order."""
    own = [mocks for mocks in map(get_own_mocks, reversed(cls.__mro__)) if mocks is not None]
    enclosing = [mocks.enclosing for mocks in own if mocks.enclosing is not None]
    around = [mocks for each in enclosing for mocks in list_mocks(each)]
    return list(dict.fromkeys([*around, *own]))


def run_all(decorations: list[Decoration]) -> ExitStack:
    """Start the mocks of decorators; the result stops them."""
    with ExitStack() as stack:
        for decoration in decorations:
            stack.enter_context(decoration.run())
        return stack.pop_all()
