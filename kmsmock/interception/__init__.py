"""Event handlers of botocore, by which mocks answer the requests of AWS clients.

Handlers are registered once, when botocore is imported, and find the mock that answers with
each request. So every client is intercepted, also one that was created before a mock starts, in
another thread, or before this package was imported.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import botocore.client
import botocore.handlers

from kmsmock.aws.services import AWS_SERVICES, AwsService
from kmsmock.interception import error_notes, sessions, sleeps
from kmsmock.interception.beside_moto import begin_before_call, finish_after_call
from kmsmock.interception.disruptions import hide_from_retries, show_after_retries
from kmsmock.interception.kms import answer_before_call
from kmsmock.interception.kms_http import answer_before_send, forward_before_send
from kmsmock.interception.services import answer_service_before_call, keep_parameters
from kmsmock.interception.unanswered import (
    explain_exception,
    explain_response,
    install_block,
    keep_unanswered,
)

Handler = Callable[..., Any]


def _list_handlers(service: AwsService) -> Iterator[tuple[str, Handler]]:
    """Yield the events of a service other than KMS, each with its handler."""
    handlers: list[tuple[str, Handler]] = []
    if service.answered or service.beside:
        handlers.append(("before-parameter-build", keep_parameters))
    if service.answered:
        handlers.append(("before-call", answer_service_before_call))
    if service.beside:
        handlers.append(("before-call", begin_before_call))
        handlers.append(("after-call", finish_after_call))
    for event, handler in handlers:
        # As specific as botocore's own handlers, so that it runs before them.
        yield f"{event}.{service.event_name or service.name}.*", handler


#: Handlers of all clients that run before all others: they answer requests, and note who does.
_FIRST_OF_ALL: tuple[tuple[str, Handler], ...] = (
    ("before-call.kms", answer_before_call),
    ("before-send.kms", answer_before_send),
    ("before-send", forward_before_send),
    ("before-send", sleeps.note_request),
    ("needs-retry", sleeps.note_response),
    ("needs-retry.kms", hide_from_retries),
)
#: These, and those of the clients of each service.
_FIRST: tuple[tuple[str, Handler], ...] = (
    *_FIRST_OF_ALL,
    *(handler for service in AWS_SERVICES.values() for handler in _list_handlers(service)),
)
#: Handlers that run after all others: most are for requests that nothing answers.
_LAST: tuple[tuple[str, Handler], ...] = (
    ("before-call", keep_unanswered),
    ("needs-retry.kms", show_after_retries),
    ("needs-retry", explain_response),
    ("after-call-error", explain_exception),
)
_installed = False
#: Class of a client's meta object -> its subclass in which ``events`` is a plain attribute.
_plain_classes: dict[Any, Any] = {}


def install(*, late: bool = False) -> None:
    """Register the handlers with botocore, and patch it; later calls have no effect.

    late: whether botocore was imported before, so that clients without the handlers may exist;
    these get them when they emit their next event.
    """
    global _installed  # noqa: PLW0603 - once per process
    if _installed:
        return
    _installed = True
    for event, handler in _FIRST:
        botocore.handlers.BUILTIN_HANDLERS.append(
            (event, handler, botocore.handlers.REGISTER_FIRST)
        )
    for event, handler in _LAST:
        botocore.handlers.BUILTIN_HANDLERS.append((event, handler, botocore.handlers.REGISTER_LAST))
    error_notes.install()
    sessions.install()
    sleeps.install()
    install_block()
    if late:
        meta: Any = botocore.client.ClientMeta
        meta.events = property(_get_events, _set_events)


def let_send(events: Any) -> None:
    """Let a client send its requests, whichever mock would answer them. events: its emitter."""
    for event, handler in _FIRST:
        if handler not in (sleeps.note_request, sleeps.note_response):
            events.unregister(event, handler)


def _get_events(meta: Any) -> Any:
    """Return the event emitter of an older client, after registering its handlers with it.

    A client of a newer session has them already, and has each of them once.

    This runs once per client: afterwards its meta object has a class in which ``events`` is a plain
    attribute instead of this property.
    """
    events = vars(meta)["events"]
    service = AWS_SERVICES.get(meta.service_model.service_name)
    first = (*_FIRST_OF_ALL, *(_list_handlers(service) if service else ()))
    for event, handler in (*first, *_LAST):
        # botocore raises it where only events of longer names have handlers.
        with contextlib.suppress(AttributeError):
            events.unregister(event, handler)
    for event, handler in first:
        events.register_first(event, handler)
    for event, handler in _LAST:
        events.register_last(event, handler)
    meta_class: Any = type(meta)
    if meta_class not in _plain_classes:
        _plain_classes[meta_class] = type(meta_class.__name__, (meta_class,), {"events": None})
    meta.__class__ = _plain_classes[meta_class]
    return events


def _set_events(meta: Any, events: Any) -> None:
    vars(meta)["events"] = events
