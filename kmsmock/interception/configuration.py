"""The Region and the static credentials that are configured for an AWS session.

Environment variables and files are read with each call, and nothing is kept in the session: neither
earlier tests, nor what was configured when the session was created, matter. Where a session asks
for dozens of settings at once, they are read once for all of these.
"""

from __future__ import annotations

import copy
import functools
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any

from botocore.exceptions import ConfigParseError
from botocore.session import Session

from kmsmock.aws.regions import DEFAULT_REGION
from kmsmock.process.environment import DUMMY, get_variable


def find_default_region(option: str | None) -> str:
    """Return the Region of clients that name none, as of those of boto3's default session.

    option: the Region of the mock's options.
    """
    return find_region(_get_default_session(), option)


def find_missing_variables(option: str | None) -> dict[str, str]:
    """Return the environment variables to set for code that reads them itself, by name.

    option: the Region of the mock's options.
    """
    session = _get_default_session()
    variables = {"AWS_EC2_METADATA_DISABLED": "true"}
    with reading_once():
        has_credentials = find_static_credentials(session) is not None
        has_region = _find_configured_region(session) is not None
    if not has_credentials:
        variables["AWS_ACCESS_KEY_ID"] = variables["AWS_SECRET_ACCESS_KEY"] = DUMMY
    if not has_region:
        variables["AWS_DEFAULT_REGION"] = _get_chosen_region(session, option) or DEFAULT_REGION
    return variables


def _get_default_session() -> Any:
    """Return boto3's default session; if there is none, one that is like it."""
    session = getattr(sys.modules.get("boto3"), "DEFAULT_SESSION", None)
    session = getattr(session, "_session", None)
    return session if isinstance(session, Session) else _create_session()


@functools.cache
def _create_session() -> Any:
    return Session(include_builtin_handlers=False)


def find_region(session: Any, option: str | None) -> str:
    """Return the Region of a session's clients that name none, that of the machine last."""
    chosen = _get_chosen_region(session, option)
    return chosen or _find_configured_region(session) or DEFAULT_REGION


def _get_chosen_region(session: Any, option: str | None) -> str | None:
    """Return the Region that the code under test has set for a session, else the option."""
    by_code: str | None = session.instance_variables().get("region")
    return by_code or option


def _find_configured_region(session: Any) -> str | None:
    """Return the Region in environment variables, or in the profile of a session."""
    # The variable that botocore itself reads takes precedence over the one of other SDKs.
    setting, variables, default, _ = session.session_var_map["region"]
    own = [variables] if isinstance(variables, str) else variables or ()
    for name in dict.fromkeys((*own, "AWS_DEFAULT_REGION", "AWS_REGION")):
        value = get_variable(name)
        if value:
            return value
    configured: str | None = find_settings(session).get(setting) or default
    return configured


def find_static_credentials(session: Any) -> dict[str, str | None] | None:
    """Return credentials in environment variables, or in the profile of a session.

    Returns the arguments of botocore's Credentials; None if there are none that can be used
    without fetching others.
    """
    if "profile" not in session.instance_variables() and get_variable("AWS_ACCESS_KEY_ID"):
        names: Mapping[str, str] = os.environ
        keys = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
    else:
        names = find_settings(session)
        keys = ("aws_access_key_id", "aws_secret_access_key", "aws_session_token")
    access_key, secret_key, token = (names.get(key) for key in keys)
    if not access_key:
        return None
    return {"access_key": access_key, "secret_key": secret_key or DUMMY, "token": token or None}


# --- profiles ----------------------------------------------------------------------------------

#: Session -> the settings of its profile, inside of `reading_once`; None outside.
_known_settings: ContextVar[dict[Any, Mapping[str, Any]] | None] = ContextVar(
    "_known_settings", default=None
)


@contextmanager
def reading_once() -> Iterator[None]:
    """Read the settings of each session once inside the block, which must not change them."""
    token = _known_settings.set({})
    try:
        yield
    finally:
        _known_settings.reset(token)


def find_settings(session: Any) -> Mapping[str, Any]:
    """Return the settings of a session's profile; none if the profile does not exist."""
    known = _known_settings.get()
    if known is None:
        return _read_settings(session)
    if session not in known:
        known[session] = _read_settings(session)
    return known[session]


def _read_settings(session: Any) -> Mapping[str, Any]:
    profiles: Mapping[str, Mapping[str, Any]] = read_configuration(session)["profiles"]
    return profiles.get(session.get_config_variable("profile") or "default", {})


# --- configuration files -----------------------------------------------------------------------

#: The configuration that was read last, with the paths and the contents of its files.
_read: tuple[Any, Any] | None = None


def read_configuration(session: Any) -> Any:
    """Return the content of the configuration files, as botocore's ``full_config``."""
    global _read  # noqa: PLW0603 - a cache
    paths = [session.get_config_variable(name) for name in ("config_file", "credentials_file")]
    files = [(path, _read_bytes(path)) for path in paths]
    if _read is not None and _read[0] == files:
        return _read[1]
    # A copy, which keeps the content instead of the session.
    reader = copy.copy(session)
    reader._config = None  # noqa: SLF001 - there is no public attribute
    try:
        content = _read_full_config(reader)
    except ConfigParseError:
        if {"config_file", "credentials_file"} & session.instance_variables().keys():
            raise
        content = reader._config or {"profiles": {}}  # noqa: SLF001 - what could be read
    _read = (files, content)
    return content


def _read_bytes(path: str | None) -> bytes | None:
    # As botocore does; pathlib raises an error without a home directory.
    expanded = os.path.expanduser(os.path.expandvars(path or ""))  # noqa: PTH111
    if not os.path.isfile(expanded):  # noqa: PTH113
        return None
    try:
        return Path(expanded).read_bytes()
    except OSError:
        return None


_full_config: Any = Session.full_config
_read_full_config: Callable[[Any], Any] = _full_config.fget
