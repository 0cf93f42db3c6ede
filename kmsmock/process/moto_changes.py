"""How often moto has changed in this process, so that what it stores is not asked needlessly."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from kmsmock.process.repeated_warnings import warn_once

#: Whether the requests that moto receives change nothing about what encrypts its resources.
_changes_nothing: ContextVar[bool] = ContextVar("kmsmock_changes_nothing", default=False)
#: Whether a request only asks moto what it stores.
_asks: ContextVar[bool] = ContextVar("kmsmock_asks_moto", default=False)


class MotoChanges:
    """How often moto has changed, in this process.

    resets: how often it removed what it stored. requests: how many requests it has received by
    which what encrypts a resource may have changed, from whatever client. is_watched: whether
    both are counted.
    """

    def __init__(self) -> None:
        self.resets = 0
        self.requests = 0
        self.is_watched = False


changes = MotoChanges()


def watch_moto() -> None:
    """Count the changes of moto, if it is imported; a second call has no effect.

    All requests to moto pass one method, whether botocore, another HTTP client or moto's own server
    receives them; code that changes moto's backends itself gets them by another; and all resets
    pass a third one. Where a newer moto has them no more, this warns
    once, and `MotoChanges.is_watched` stays false.
    """
    if changes.is_watched or "moto.core.responses" not in sys.modules:
        return
    try:
        response_class = sys.modules["moto.core.responses"].BaseResponse
        backend_class = sys.modules["moto.core.base_backend"].BaseBackend
        dict_class = sys.modules["moto.core.base_backend"].BackendDict
        request, reset = response_class.setup_class, backend_class.reset
        get_backends = dict_class.__getitem__
    except (AttributeError, KeyError) as missing:
        warn_moved(missing, "asks moto again for each request what encrypts a resource")
        return
    response_class.setup_class = _counting(request, _count_request)
    dict_class.__getitem__ = _counting(get_backends, _count_request)
    backend_class.reset = _counting(reset, _count_reset)
    changes.is_watched = True


def warn_moved(reason: Exception, effect: str) -> None:
    """Warn once that a part of moto is not where it was. effect: what kmsmock does therefore."""
    warn_once(f"this version of moto is not as kmsmock knows it ({reason!r}): kmsmock {effect}.")


def set_changes_nothing(*, changes_nothing: bool) -> None:
    """Tell whether the next requests of this thread or task change nothing about encryption."""
    _changes_nothing.set(changes_nothing)


@contextmanager
def asking() -> Iterator[None]:
    """Make requests inside of the block that change nothing.

    moto neither authorizes nor logs them.
    """
    _leave_out_of_access_logs()
    token, authorizer = _changes_nothing.set(True), _find_authorizer()
    asks = _asks.set(True)
    count = getattr(authorizer, "request_count", None)
    if authorizer is not None:
        authorizer.request_count = float("-inf")
    try:
        yield
    finally:
        _asks.reset(asks)
        _changes_nothing.reset(token)
        if authorizer is not None:
            authorizer.request_count = count


def _leave_out_of_access_logs() -> None:
    """Let moto's S3 write no access logs of requests that only ask; a second call has no effect."""
    backend: Any = getattr(sys.modules.get("moto.s3.models"), "S3Backend", None)
    log = getattr(backend, "log_incoming_request", None)
    if log is None or hasattr(log, "__wrapped__"):
        return

    @functools.wraps(log)
    def log_incoming_request(*args: Any, **kwargs: Any) -> None:
        if not _asks.get():
            log(*args, **kwargs)

    backend.log_incoming_request = log_incoming_request


def _find_authorizer() -> Any:
    """Return the class by which moto authorizes requests after a number of them; None without."""
    response_class = getattr(sys.modules.get("moto.core.responses"), "BaseResponse", object)
    return next((each for each in response_class.__mro__ if "request_count" in vars(each)), None)


def _counting(original: Callable[..., Any], count: Callable[[], None]) -> Callable[..., Any]:
    @functools.wraps(original)
    def method(*args: Any, **kwargs: Any) -> Any:
        count()
        return original(*args, **kwargs)

    return method


def _count_request() -> None:
    if not _changes_nothing.get():
        changes.requests += 1


def _count_reset() -> None:
    changes.resets += 1
