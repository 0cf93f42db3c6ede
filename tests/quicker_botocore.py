"""What botocore makes again for each session and client is made once for all tests of a process.

A client costs 5 to 30 ms, a model up to 200 ms: together a third of the whole run.
"""

from __future__ import annotations

import contextlib
import functools
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import botocore.loaders

from kmsmock.activation import clients

with contextlib.suppress(ImportError):  # where the oldest versions are tested
    import moto.core  # noqa: F401 - it answers only the clients that are made after its import

_SHARED: dict[object, Any] = {}


def install() -> None:
    """Read each model once, and make one client for all who sign with the same credentials."""
    loader = botocore.loaders.JSONFileLoader
    loader.load_file = _load_once(loader.load_file)
    clients.make_client = _sharing(clients.make_client)


def _load_once(load_file: Callable[[Any, str], Any]) -> Callable[[Any, str], Any]:
    loaded: dict[str, Any] = {}

    @functools.wraps(load_file)
    def load_file_once(self: Any, file_path: str) -> Any:
        data = loaded.get(file_path)
        if data is None:
            data = load_file(self, file_path)
            if file_path.startswith(_INSTALLED):
                loaded[file_path] = data
        return data

    return load_file_once


#: Models in other folders may change while tests run.
_INSTALLED = str(Path(botocore.__file__).parents[1]) + os.sep


def _sharing(make_client: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(make_client)
    def make_shared_client(service: str, region: str, credentials: clients.Credentials) -> Any:
        if credentials != clients.UNKNOWN:  # one mock makes these up, others will not meet them
            return make_client(service, region, credentials)
        environment = tuple(item for item in os.environ.items() if item[0].startswith("AWS_"))
        key = (service, region, environment)
        client = _SHARED.get(key)
        if client is None:
            client = _SHARED[key] = make_client(service, region, credentials)
            _forget_when_changed(key, client.meta.events)
        return client

    return make_shared_client


def _forget_when_changed(key: object, events: Any) -> None:
    """Leave a client to the test that registers a handler with it."""
    for name in ("register", "register_first", "register_last", "unregister"):
        change = getattr(events, name)

        def change_and_forget(
            *arguments: Any, change: Callable[..., Any] = change, **more: Any
        ) -> Any:
            _SHARED.pop(key, None)
            return change(*arguments, **more)

        setattr(events, name, change_and_forget)
