"""What is running in the process, such as a test or a fixture: it owns the mocks that it starts.

The pytest plugin adds contexts; without it there is only that of the process.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator, Mapping
from typing import Any

#: How long a context can last, the longest first.
SCOPES = ("session", "package", "module", "class", "function")


class Context:
    """Something that runs and can start mocks: the process, a run of pytest, a fixture, a test.

    name: for messages. scope: a member of `SCOPES`: how long its mocks last. around: the context
    in which it runs. test: the node id of the running test, if any.
    """

    def __init__(
        self, name: str, scope: str, around: Context | None = None, *, test: str | None = None
    ) -> None:
        self.name = name
        self.scope = scope
        self.test = test
        self.around = around
        #: How many runs of pytest it is in: a test can run pytest itself.
        self.depth: int = 0 if around is None else around.depth

    @property
    def ends_with_test(self) -> bool:
        """Whether its mocks end with the running test."""
        return self.scope == SCOPES[-1]

    @property
    def rank(self) -> tuple[int, int]:
        """How narrow its mocks are: those with the greatest rank answer."""
        return self.depth, SCOPES.index(self.scope)

    @property
    def reach(self) -> tuple[int, int]:
        """The greatest rank of the mocks that it joins."""
        return self.depth, len(SCOPES)

    def iterate_asked(self) -> Iterator[Context]:
        """Yield the contexts whose mocks can answer while this one runs, with itself."""
        if self.around is not None:
            yield from self.around.iterate_asked()
        yield self

    def iterate_joined(self) -> Iterator[Context]:
        """Yield the contexts whose mocks it can join."""
        return self.iterate_asked()

    def get_options(self) -> Mapping[str, Any]:
        """Return the default options of mocks that it starts."""
        return {}


#: The running contexts, the innermost last.
contexts: list[Context] = [Context("this process", "session")]


class _OfThread(threading.local):
    #: The context for which the thread works; None for the running one.
    context: Context | None = None


of_thread = _OfThread()


def get_context() -> Context:
    """Return the context for which this thread works: the innermost running one, as a rule."""
    return of_thread.context or contexts[-1]


@contextlib.contextmanager
def working_for(context: Context) -> Iterator[None]:
    """Let this thread work for a context inside the block, such as the test of another process."""
    before, of_thread.context = of_thread.context, context
    try:
        yield
    finally:
        of_thread.context = before


def get_running_test() -> str | None:
    """Return the node id of the running test; None outside of tests."""
    return get_context().test
