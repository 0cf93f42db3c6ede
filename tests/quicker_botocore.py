"""What botocore makes again for each session and client is made once for all tests of a process.

A client costs 5 to 30 ms, a model up to 200 ms: together more than all tests that use them.
"""

from __future__ import annotations

import contextlib
import functools
import inspect
import os
import types
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import botocore.client
import botocore.credentials
import botocore.endpoint_provider
import botocore.handlers
import botocore.hooks
import botocore.loaders

from kmsmock.activation import clients
from kmsmock.activation.client_cache import Clients
from kmsmock.process.active_mocks import is_started

moto: Any = None
with contextlib.suppress(ImportError):  # where the oldest versions are tested
    import moto.core.responses  # it answers only the clients that are made after its import


def install() -> None:
    """Read each model once, and lend the clients of mocks that have ended to the next ones."""
    loader = botocore.loaders.JSONFileLoader
    loader.load_file = _load_once(loader.load_file)
    loader = botocore.loaders.Loader
    loader.list_available_services = _list_once(loader.list_available_services)
    botocore.hooks.EventAliaser.__init__ = _share_aliases(botocore.hooks.EventAliaser.__init__)
    botocore.hooks.accepts_kwargs = _look_at_code(botocore.hooks.accepts_kwargs)
    botocore.hooks._PrefixTrie.__copy__ = _copy_handlers
    creator = botocore.client.ClientCreator
    creator._create_methods = _create_methods_once(creator._create_methods)
    botocore.endpoint_provider.RuleSet = _read_rules_once(botocore.endpoint_provider.RuleSet)
    if moto is not None:
        moto.core.models.CallbackResponse = functools.cache(moto.core.models.CallbackResponse)
        # Of each class once, unless a test adds methods to it.
        find_names = moto.core.responses.method_names_from_class
        find_names_of = functools.cache(lambda kind, _: find_names(kind))
        moto.core.responses.method_names_from_class = lambda kind: find_names_of(
            kind, len(vars(kind))
        )
    clients.make_client = _borrow(clients.make_client)
    Clients.get = _note_owner(Clients.get)


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


def _list_once(list_services: Callable[..., list[str]]) -> Callable[..., list[str]]:
    """Look through the folders of all services once, and not for each session."""
    listed: dict[tuple[str, ...], list[str]] = {}

    @functools.wraps(list_services)
    def list_services_once(self: Any, type_name: str) -> list[str]:
        folders = [folder for folder in self.search_paths if Path(folder).is_dir()]
        if not all(folder.startswith(_INSTALLED) for folder in folders):
            return list_services(self, type_name)
        key = (type_name, *folders)
        if key not in listed:
            listed[key] = list_services(self, type_name)
        return list(listed[key])

    return list_services_once


#: Models in other folders may change while tests run.
_INSTALLED = str(Path(botocore.__file__).parents[1]) + os.sep


def _share_aliases(initialize: Callable[..., None]) -> Callable[..., None]:
    """Find the alias of each event once, and not for each session."""
    known: dict[str, str] = {}

    @functools.wraps(initialize)
    def initialize_with_aliases(self: Any, *arguments: Any, **more: Any) -> None:
        initialize(self, *arguments, **more)
        if self._event_aliases == botocore.hooks.EVENT_ALIASES:  # it may be a copy
            self._alias_name_cache = known

    return initialize_with_aliases


def _look_at_code(accepts_kwargs: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Ask a function's code whether it takes keyword arguments; signatures take longer."""

    @functools.wraps(accepts_kwargs)
    def accepts_kwargs_of_code(handler: Any) -> Any:
        if isinstance(handler, types.FunctionType):
            return handler.__code__.co_flags & inspect.CO_VARKEYWORDS
        return accepts_kwargs(handler)

    return accepts_kwargs_of_code


def _copy_handlers(handlers: Any) -> Any:
    """Copy the tree of a client's handlers as botocore does, without asking what each node is."""
    copied = type(handlers)()
    copied._root = _copy_node(handlers._root)
    return copied


def _copy_node(node: dict[str, Any]) -> dict[str, Any]:
    values = node["values"]
    return {
        "chunk": node["chunk"],
        "children": {name: _copy_node(child) for name, child in node["children"].items()},
        "values": values and type(values)(*map(list, values)),
    }


def _create_methods_once(create: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    """Create the methods of a service's clients once; they find all else in the client."""
    created: dict[int, tuple[Any, dict[str, Any]]] = {}

    @functools.wraps(create)
    def create_methods_once(self: Any, service_model: Any) -> dict[str, Any]:
        description = service_model._service_description
        known, methods = created.get(id(description), (None, {}))
        if known is not description or len(methods) != len(description["operations"]):
            methods = create(self, service_model)
            created[id(description)] = (description, methods)
        return dict(methods)

    return create_methods_once


def _read_rules_once(rule_set: Callable[..., Any]) -> Callable[..., Any]:
    """Read the rules for a service's endpoints once."""
    read: dict[int, tuple[Any, Any]] = {}

    @functools.wraps(rule_set)
    def read_rules_once(*, rules: Any, **more: Any) -> Any:
        known, found = read.get(id(rules), (None, None))
        if known is not rules:
            found = rule_set(rules=rules, **more)
            read[id(rules)] = (rules, found)
        return found

    return read_rules_once


# --- clients -------------------------------------------------------------------------------------


class _Loan:
    """A client that a mock has, and what was registered with it. key: of all that are like it."""

    def __init__(self, key: object, client: Any) -> None:
        self.key = key
        self.client = client
        self.owner: Clients | None = None
        self.is_spoiled = False
        self._registered: list[tuple[Any, ...]] = []
        events = client.meta.events
        events.register_first("needs-retry", self._note_attempt)
        for name in ("register", "register_first", "register_last"):
            setattr(events, name, self._note_handler(getattr(events, name)))
        self._unregister = events.unregister
        events.unregister = self._note_removal

    def _note_attempt(self, attempts: int, **_: Any) -> None:
        if attempts > 1:  # botocore has a quota of retries for each client
            self.is_spoiled = True

    def _note_handler(self, register: Callable[..., None]) -> Callable[..., None]:
        @functools.wraps(register)
        def register_and_note(event_name: str, handler: Any, *more: Any, **named: Any) -> None:
            register(event_name, handler, *more, **named)
            self._registered.append((event_name, handler, *more, *named.values()))

        return register_and_note

    def _note_removal(self, *arguments: Any, **more: Any) -> None:
        self.is_spoiled = True
        self._unregister(*arguments, **more)

    def is_over(self) -> bool:
        return self.owner is not None and not is_started(self.owner._mock)

    def end(self) -> None:
        """Let the mock forget the client, and the client what was registered with it."""
        if self.owner is not None:
            self.owner.clear()
            self.owner = None
        for registered in self._registered:
            self._unregister(*registered)
        self._registered.clear()


#: The clients that mocks have, and those that none has.
_loans: list[_Loan] = []
_free: dict[object, list[_Loan]] = defaultdict(list)


def _borrow(make_client: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(make_client)
    def borrow_client(service: str, region: str, credentials: clients.Credentials) -> Any:
        key = (service, region, len(botocore.handlers.BUILTIN_HANDLERS), *_list_variables())
        if _free[key]:
            loan = _free[key].pop()
            loan.client._request_signer._credentials = botocore.credentials.Credentials(
                credentials.access_key, credentials.secret_key, credentials.session_token
            )
        else:
            loan = _Loan(key, make_client(service, region, credentials))
        _loans.append(loan)
        return loan.client

    return borrow_client


def _list_variables() -> list[tuple[str, str]]:
    """Return the environment variables that matter when a client is created."""
    return [item for item in os.environ.items() if item[0].startswith("AWS_") or item[0] == "HOME"]


def _note_owner(get: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(get)
    def get_client(self: Clients, *arguments: Any, **more: Any) -> Any:
        client = get(self, *arguments, **more)
        for loan in _loans:
            if loan.client is client:
                loan.owner = self
        return client

    return get_client


@functools.cache
def get_plain_client() -> Any:
    """Return a client for KMS that belongs to no mock, such as code under test has."""
    session = boto3.Session("unused", "unused", region_name="us-east-1")
    return session.client("kms")


def take_back_clients() -> None:
    """Let the next mocks have the clients of those that have ended; for the end of each test."""
    over = [loan for loan in _loans if loan.is_over()]
    for loan in over:
        _loans.remove(loan)
        loan.end()
        if not loan.is_spoiled:
            _free[loan.key].append(loan)
