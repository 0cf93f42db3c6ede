"""Patches of botocore, by which AWS sessions are independent of the machine while a mock answers.

No credentials are fetched, asked for or refreshed, and nothing that is configured stops a test.
The methods are patched once. While no mock answers, they do what they do without the patches.
"""

from __future__ import annotations

import copy
import functools
import inspect
import sys
from collections.abc import Callable, Iterable, Mapping
from typing import Any, cast

import botocore.configprovider
import botocore.credentials
import botocore.tokens
from botocore.exceptions import ProfileNotFound
from botocore.session import Session
from botocore.signers import RequestSigner

from kmsmock.interception.configuration import (
    find_region,
    find_settings,
    find_static_credentials,
    read_configuration,
    reading_once,
)
from kmsmock.interception.patches import is_of_botocore, wrap_methods
from kmsmock.process.active_mocks import get_answering
from kmsmock.process.environment import DUMMY, is_of_children, is_own_endpoint

Method = Callable[..., Any]


# --- patches of botocore -----------------------------------------------------------------------
#
# Each function replaces the method of its name while a mock answers. Its first argument is the
# method itself.


def _get_config_variable(original: Method, session: Any, name: str, *methods: Any) -> Any:
    mock = get_answering()
    if name != "region" or methods or mock is None:
        return original(session, name, *methods)
    return find_region(session, mock.region)


def _create_client(original: Method, session: Any, *args: Any, **kwargs: Any) -> Any:
    with reading_once():
        return original(session, *args, **kwargs)


async def _create_client_async(original: Method, session: Any, *args: Any, **kwargs: Any) -> Any:
    with reading_once():
        return await original(session, *args, **kwargs)


def _get_full_config(_: Method, session: Any) -> Any:
    return read_configuration(session)


def _build_profile_map(_: Method, session: Any) -> Any:
    return read_configuration(session)["profiles"]


def _get_scoped_config(_: Method, session: Any) -> Mapping[str, Any]:
    """Raise ProfileNotFound only for a profile that the code under test has named."""
    settings = find_settings(session)
    by_code = None if settings else session.instance_variables().get("profile")
    if by_code is not None and by_code not in read_configuration(session)["profiles"]:
        raise ProfileNotFound(profile=by_code)
    return settings


def _get_credentials(_: Method, session: Any) -> Any:
    """Return what the code under test has set, or static credentials, or dummies."""
    present = session._credentials  # noqa: SLF001 - there is no public attribute
    if present is not None and not _is_from_machine(present):
        return present
    arguments = find_static_credentials(session) or {"access_key": DUMMY, "secret_key": DUMMY}
    fallback = _credentials_class(session)(**arguments)
    loaders = _list_loaders_of_code(session)
    if _is_async(session):
        return _load_first_async(loaders, fallback)
    return next((found for load in loaders if (found := load()) is not None), fallback)


def _get_auth_token(_: Method, session: Any, **scope: Any) -> Any:
    """Return a bearer token in an environment variable; others would be fetched."""
    provider = getattr(botocore.tokens, "ScopedEnvTokenProvider", None)
    return None if provider is None or not scope else provider(session).load_token(**scope)


def _load(_: Method, provider: Any) -> None:
    """Return no credentials, for a provider that would fetch some."""


def _refresh(_: Method, credentials: Any) -> None:
    """Do not refresh credentials."""


def _get_frozen_credentials(_: Method, credentials: Any) -> Any:
    members = vars(credentials)
    return botocore.credentials.ReadOnlyCredentials(
        members["_access_key"] or DUMMY, members["_secret_key"] or DUMMY, members["_token"]
    )


def _get_auth_instance(original: Method, signer: Any, *args: Any, **kwargs: Any) -> Any:
    """Sign the requests of a client without credentials, too."""
    if signer._credentials is None:  # noqa: SLF001 - there is no public attribute
        credentials = _credentials_class(signer)(DUMMY, DUMMY)
        signer = copy.copy(signer)
        signer._credentials = credentials  # noqa: SLF001
    return original(signer, *args, **kwargs)


def _hide_endpoints_of_children(original: Method) -> Method:
    """Let botocore find no endpoint that is there for other processes only."""

    @functools.wraps(original)
    def method(provider: Any) -> Any:
        name = provider._get_service_env_var_name()  # noqa: SLF001 - not public
        if is_own_endpoint(name) or (get_answering() is not None and is_of_children(name)):
            return None
        return original(provider)

    return method


# --- credentials ---------------------------------------------------------------------------------

#: Providers of credentials in environment variables and files, which fetch nothing.
_STATIC = ("env", "shared-credentials-file", "config-file", "boto-config", "ec2-credentials-file")
_PROVIDERS: list[Any] = [
    provider
    for provider in vars(botocore.credentials).values()
    if inspect.isclass(provider) and issubclass(provider, botocore.credentials.CredentialProvider)
]
#: The names of all of botocore's providers; credentials have that of their provider.
_METHODS = {provider.METHOD for provider in _PROVIDERS}
_AIOBOTOCORE = "aiobotocore."


def _is_from_machine(credentials: Any) -> bool:
    """Return whether a session has loaded credentials before, as its configuration then was.

    Those that the mock has issued have been set by the code under test, whatever their method is.
    """
    if credentials.method not in _METHODS:
        return False
    mock = get_answering()
    texts = [value for value in vars(credentials).values() if isinstance(value, str)]
    return mock is None or not any(map(mock.has_issued, texts))


def _list_loaders_of_code(session: Any) -> list[Method]:
    """Return the functions that load credentials as the code under test has told a session."""
    components = session._components._components  # noqa: SLF001 - a public read creates them
    resolver = components.get("credential_provider")
    if resolver is None:
        return []
    if not is_of_botocore(type(resolver)):
        return [resolver.load_credentials]
    return [provider.load for provider in resolver.providers if not is_of_botocore(type(provider))]


async def _load_first_async(loaders: Iterable[Method], fallback: Any) -> Any:
    for load in loaders:
        found = load()
        found = await found if inspect.isawaitable(found) else found
        if found is not None:
            return found
    return fallback


def _is_async(instance: Any) -> bool:
    """Return whether an object is one of aiobotocore's."""
    return any(base.__module__.startswith(_AIOBOTOCORE) for base in type(instance).__mro__)


def _credentials_class(owner: Any) -> Any:
    if _is_async(owner):
        return sys.modules[f"{_AIOBOTOCORE}credentials"].AioCredentials
    return botocore.credentials.Credentials


# --- installation --------------------------------------------------------------------------------

#: A class of botocore, and the replacements of its methods by their names. aiobotocore has
#: subclasses, in which some are coroutine functions.
_PATCHES: list[tuple[Any, dict[str, Method]]] = [
    (
        Session,
        {
            "create_client": _create_client,
            "_create_client": _create_client_async,  # what aiobotocore's create_client returns
            "get_config_variable": _get_config_variable,
            "full_config": _get_full_config,
            "_build_profile_map": _build_profile_map,
            "get_scoped_config": _get_scoped_config,
            "get_credentials": _get_credentials,
            "get_auth_token": _get_auth_token,
        },
    ),
    (
        botocore.credentials.RefreshableCredentials,
        {"_refresh": _refresh, "get_frozen_credentials": _get_frozen_credentials},
    ),
    (RequestSigner, {"get_auth_instance": _get_auth_instance}),
    *(
        (provider, {"load": _load})
        for provider in _PROVIDERS
        if provider.METHOD is not None and provider.METHOD not in _STATIC
    ),
]


def install() -> None:
    """Patch botocore, and aiobotocore once it is imported."""
    for base, replacements in _PATCHES:
        wrappers = {
            name: functools.partial(_replace, replacement=replacement)
            for name, replacement in replacements.items()
        }
        wrap_methods(base, wrappers, is_of_botocore)
    # Not public, and not in older versions.
    provider = getattr(botocore.configprovider, "ConfiguredEndpointProvider", None)
    if provider is not None:
        name = "_get_endpoint_url_environment_service"
        wrap_methods(provider, {name: _hide_endpoints_of_children}, is_of_botocore)


def _replace(original: Any, replacement: Method) -> Any:
    if isinstance(original, property):
        return property(_wrap(cast(Method, original.fget), replacement))
    wrap = _wrap_async if inspect.iscoroutinefunction(original) else _wrap
    return wrap(original, replacement)


def _wrap(original: Method, replacement: Method) -> Method:
    @functools.wraps(original)
    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        if get_answering() is None:
            return original(self, *args, **kwargs)
        return replacement(original, self, *args, **kwargs)

    return method


def _wrap_async(original: Method, replacement: Method) -> Method:
    @functools.wraps(original)
    async def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        if get_answering() is None:
            return await original(self, *args, **kwargs)
        result = replacement(original, self, *args, **kwargs)
        return await result if inspect.isawaitable(result) else result

    return method
