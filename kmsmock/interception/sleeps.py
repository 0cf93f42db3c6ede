"""The sleeps of botocore's waiters and retries, which take no time while a mock answers.

botocore sleeps with ``time.sleep``, aiobotocore with ``asyncio.sleep`` or that of anyio. These
functions stay as they are: only the references to them in the modules of botocore are replaced.
Instead of a sleep between two calls that a mock answers, the clock of the mock moves. All other
sleeps are real, such as those of waiters of services that nothing answers from memory.
"""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

import botocore.endpoint
import botocore.waiter
from botocore.exceptions import CapacityNotAvailableError
from botocore.retries.bucket import TokenBucket

from kmsmock.aws.hosts import is_aws_host, read_host
from kmsmock.aws.services import ANSWERED
from kmsmock.interception.patches import is_of_botocore, wrap_methods
from kmsmock.process.active_mock import ActiveMock
from kmsmock.process.bound_clients import FIND_MOCK, get_mock, get_mock_of_http
from kmsmock.process.moto import is_moto_active

# The mock that answers the KMS request that botocore may retry, or that the client's rate limit may
# hold back; None for other requests. Each is set in the thread or task that sleeps afterwards.
_retried: ContextVar[ActiveMock | None] = ContextVar("_retried", default=None)
_limited: ContextVar[ActiveMock | None] = ContextVar("_limited", default=None)
_ASYNC_BUCKETS = "aiobotocore.retries.bucket"


def install() -> None:
    """Patch botocore, and the subclasses that aiobotocore defines."""
    wrap_methods(
        botocore.waiter.Waiter,
        {"wait": _replace_references, "_sleep": _wrap_sleep},
        is_of_botocore,
    )
    wrap_methods(
        botocore.endpoint.Endpoint,
        {"_needs_retry": _replace_references, "_sleep": _wrap_sleep},
        is_of_botocore,
    )
    _patch_bucket(TokenBucket)


# --- waiters and retries -------------------------------------------------------------------------


def note_response(*, operation: Any, request_dict: Any, **_: Any) -> None:
    """Note which mock has answered an HTTP request, before botocore may sleep and retry it.

    Handles ``needs-retry``.
    """
    is_for_kms = operation.service_model.service_name == "kms"
    _retried.set(get_mock(request_dict["context"]) if is_for_kms else None)


def _replace_references(method: Any) -> Any:
    """Replace ``time`` and ``asyncio`` in the module of a method that sleeps; return the method."""
    names = getattr(inspect.unwrap(method), "__globals__", {})
    for name, make_sleep in (("time", _make_sleep), ("asyncio", _make_async_sleep)):
        module = names.get(name)
        if inspect.ismodule(module):
            names[name] = _Module(module, make_sleep(module))
    return method


class _Module:
    """A module with another function ``sleep``."""

    def __init__(self, module: Any, sleep: Callable[..., Any]) -> None:
        self._module = module
        self.sleep = sleep

    def __getattr__(self, name: str) -> Any:
        return getattr(self._module, name)


def _make_sleep(module: Any) -> Callable[..., None]:
    def sleep(seconds: float) -> None:
        # botocore passes the seconds only.
        sleeper, context = _get_caller(), dict[str, Any]()
        meta = _get_client_meta(sleeper)
        if meta is not None:
            meta.events.emit(FIND_MOCK, context=context)
        if not _skip(sleeper, meta, context, seconds):
            module.sleep(seconds)

    return sleep


def _make_async_sleep(module: Any) -> Callable[..., Any]:
    def sleep(seconds: float, *args: Any, **kwargs: Any) -> Any:
        async def sleep_or_skip(sleeper: Any) -> Any:
            left = await _shorten(sleeper, seconds)
            return await module.sleep(left, *args, **kwargs)

        return sleep_or_skip(_get_caller())

    return sleep


def _wrap_sleep(original: Any) -> Any:
    """Wrap a method of aiobotocore that sleeps."""
    if not inspect.iscoroutinefunction(original):
        return original

    @functools.wraps(original)
    async def sleep(sleeper: Any, seconds: float) -> None:
        await original(sleeper, await _shorten(sleeper, seconds))

    return sleep


async def _shorten(sleeper: Any, seconds: float) -> float:
    """Return how long to sleep really: 0 if it is skipped, so that other tasks go on."""
    meta, context = _get_client_meta(sleeper), dict[str, Any]()
    if meta is not None:
        await meta.events.emit(FIND_MOCK, context=context)
    return 0 if _skip(sleeper, meta, context, seconds) else seconds


def _get_caller() -> Any:
    """Return the waiter or endpoint whose method has called the caller of this function."""
    return sys._getframe(2).f_locals.get("self")  # noqa: SLF001 - inspect.stack takes milliseconds


def _get_client_meta(sleeper: Any) -> Any:
    """Return the ``meta`` of a waiter's client; None for an endpoint."""
    method = getattr(sleeper, "_operation_method", None)
    client = getattr(getattr(method, "_client_method", method), "__self__", None)
    return getattr(client, "meta", None)


def _skip(sleeper: Any, meta: Any, context: Any, seconds: float) -> bool:
    """Move the clock of the mock that answers; return False if the sleep is to be real.

    meta: of a waiter's client, with the context of its mock.
    """
    is_waiter = isinstance(sleeper, botocore.waiter.Waiter)
    mock = _retried.get()
    if is_waiter:
        mock = None if meta is None else _get_answering(meta, context)
    if mock is None:
        return False
    return mock.skip_sleep(seconds, is_random=not is_waiter, is_retry=not is_waiter)


def _get_answering(meta: Any, context: Any) -> ActiveMock | None:
    """Return the mock if it answers a client from memory, or moto does so beside it."""
    mock = get_mock(context)
    if mock is None:
        return None
    service = meta.service_model.service_name
    if service == "kms":
        return mock
    if service not in mock.services:
        return None
    if is_moto_active():
        return mock if is_aws_host(read_host(meta.endpoint_url)) else None
    return mock if service in ANSWERED else None


# --- rate limits of clients ----------------------------------------------------------------------


def note_request(*, request: Any, event_name: str, **_: Any) -> None:
    """Note which mock answers an HTTP request, before the client's rate limit may hold it back.

    Handles ``before-send``.
    """
    bucket = getattr(sys.modules.get(_ASYNC_BUCKETS), "AsyncTokenBucket", None)
    if bucket is not None:
        _patch_bucket(bucket)
    is_for_kms = event_name.startswith("before-send.kms.")
    _limited.set(get_mock_of_http(request) if is_for_kms else None)


def _patch_bucket(bucket_class: Any) -> None:
    """Patch a class of the token buckets that clients with ``retry_mode="adaptive"`` have."""
    original = bucket_class.acquire
    if hasattr(original, "__wrapped__"):
        return

    @functools.wraps(original)
    def acquire(bucket: Any, amount: int = 1, block: bool = True) -> Any:  # noqa: FBT001, FBT002
        if not block or _limited.get() is None:
            return original(bucket, amount, block)
        try:
            return original(bucket, amount, block=False)
        except CapacityNotAvailableError:
            return _skip_tokens(bucket, amount) or original(bucket, amount, block)

    @functools.wraps(original)
    async def acquire_async(bucket: Any, amount: int = 1, block: bool = True) -> Any:  # noqa: FBT001, FBT002
        if not block or _limited.get() is None:
            return await original(bucket, amount, block)
        try:
            return await original(bucket, amount, block=False)
        except CapacityNotAvailableError:
            return _skip_tokens(bucket, amount) or await original(bucket, amount, block)

    is_async = inspect.iscoroutinefunction(original)
    bucket_class.acquire = acquire_async if is_async else acquire


def _skip_tokens(bucket: Any, amount: int) -> bool:
    """Move the clock by the time in which a bucket gets so many tokens; False to wait really."""
    mock = _limited.get()
    seconds = (amount - bucket.available_capacity) / bucket.max_rate
    return mock is not None and mock.skip_sleep(seconds, is_random=True)
