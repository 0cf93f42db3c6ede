"""A pytest plugin: each request of any test is written as by a server with a state file.

``python -m pytest -p tests.persistence.noticed tests/operations tests/services`` fails for requests
of which a change is not noticed, or cannot be written.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any

from kmsmock import dispatch
from kmsmock.persistence.objects import Look
from kmsmock.persistence.persisted_types import TYPES
from kmsmock.persistence.tracking import Tracker
from kmsmock.process.watchers import Watcher, watchers
from kmsmock.services import dispatch as services
from kmsmock.state.backend import Backend


class Noticing(Watcher):
    """The trackers of all mocks, and the calls of the request that is being answered."""

    def __init__(self) -> None:
        self._trackers: weakref.WeakKeyDictionary[Backend, Tracker] = weakref.WeakKeyDictionary()
        self._events: list[tuple[Backend, Any]] = []
        self._is_answering = False

    def called(self, backend: Any, event: Any, seconds: float) -> None:  # noqa: ARG002
        self._events.append((backend, event))

    def wrap(
        self, answer: Callable[..., Any], find: Callable[[Tracker, list[Any]], None]
    ) -> Callable[..., Any]:
        """Return a function that answers a request and checks what it has changed."""

        def answer_and_check(backend: Backend, *arguments: Any, **keywords: Any) -> Any:
            if self._is_answering or not can_be_served(backend):
                return answer(backend, *arguments, **keywords)
            self._is_answering = True
            try:
                with backend.lock:
                    tracker = self._bring_up_to_date(backend)
                    result = answer(backend, *arguments, **keywords)
                    find(tracker, [event for its, event in self._events if its is backend])
                    tracker.statements.clear()
                    tracker.find_all_changes(Look.THOROUGH)
                    assert tracker.statements == [], "a change of a request was not noticed"
                    return result
            finally:
                self._is_answering = False

        return answer_and_check

    def _bring_up_to_date(self, backend: Backend) -> Tracker:
        """Return the tracker of a mock, with what its test has done without a request."""
        tracker = self._trackers.get(backend)
        if tracker is None:
            tracker = self._trackers[backend] = Tracker(backend)
            tracker.begin_again()
        tracker.find_all_changes(Look.THOROUGH)
        tracker.statements.clear()
        self._events.clear()
        return tracker


def can_be_served(backend: Backend) -> bool:
    """Return whether a server can have such a state: moto is in the processes of tests."""
    return all(type(state) in TYPES for state in backend.service_states)


def pytest_configure() -> None:
    noticing = Noticing()
    watchers.add(noticing)
    dispatch.answer = noticing.wrap(dispatch.answer, Tracker.find_changes_of_calls)
    services.answer = noticing.wrap(services.answer, Tracker.find_changes_beside_keys)
