"""The edge to botocore: its events come in here, and answers go back.

Handlers are registered once, when botocore is imported, and look at the stack of active mocks
with each call. So any client is covered: one made before a mock starts, in another thread, or
before this package was imported at all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import botocore.client
import botocore.handlers

from kmsmock.aws.services import AWS_SERVICES, AwsService
from kmsmock.interception import notes
from kmsmock.interception.beside_moto import begin_before_call, finish_after_call
from kmsmock.interception.kms import answer_before_call
from kmsmock.interception.kms_http import answer_before_send, leave_unsigned
from kmsmock.interception.services import answer_service_before_call, keep_parameters
from kmsmock.process.moto import let_moto_in as let_moto_in

#: botocore's name for "put this handler before all others".
_REGISTER_FIRST = botocore.handlers.REGISTER_FIRST
Handler = Callable[..., Any]


def _handlers_of(service: AwsService) -> Iterator[tuple[str, Handler]]:
    """Give the events of a service beside KMS, and what handles them."""
    handlers: list[tuple[str, Handler]] = []
    if service.answered or service.beside:
        handlers.append(("before-parameter-build", keep_parameters))
    if service.answered:
        handlers.append(("before-call", answer_service_before_call))
    if service.beside:
        handlers.append(("before-call", begin_before_call))
        handlers.append(("after-call", finish_after_call))
    for event, handler in handlers:
        # As specific as botocore's own, to come before them.
        yield f"{event}.{service.event_name or service.name}.*", handler


_HANDLERS: tuple[tuple[str, Handler], ...] = (
    ("before-call.kms", answer_before_call),
    ("before-send.kms", answer_before_send),
    ("choose-signer.kms", leave_unsigned),
    *(handler for service in AWS_SERVICES.values() for handler in _handlers_of(service)),
)
_installed = False
#: Class of a client's meta object -> the one in which ``events`` is a plain attribute.
_plain_kinds: dict[Any, Any] = {}


def install(*, late: bool = False) -> None:
    """Register the handlers, once.

    late: botocore was in use before, so that clients may exist which have no handlers yet; they
    get them when they emit their next event.
    """
    global _installed  # noqa: PLW0603 - once per process
    if _installed:
        return
    _installed = True
    for event, handler in _HANDLERS:
        botocore.handlers.BUILTIN_HANDLERS.append((event, handler, _REGISTER_FIRST))
    notes.install()
    if late:
        meta: Any = botocore.client.ClientMeta
        meta.events = property(_events_of, _set_events)


def _events_of(meta: Any) -> Any:
    """Give the emitter of a client, which gets our handlers at the first look.

    From then on the client's meta object is of a class in which its own ``events`` hides the
    property, so that this is the only time.
    """
    events = vars(meta)["events"]
    for event, handler in _HANDLERS:
        events.register_first(event, handler, f"kmsmock.{event}")
    kind: Any = type(meta)
    if kind not in _plain_kinds:
        _plain_kinds[kind] = type(kind.__name__, (kind,), {"events": None})
    meta.__class__ = _plain_kinds[kind]
    return events


def _set_events(meta: Any, events: Any) -> None:
    vars(meta)["events"] = events
