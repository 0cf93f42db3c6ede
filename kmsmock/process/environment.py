"""The environment variables of the mock that answers, for code that reads them itself.

AWS sessions do not need them: while a mock answers, `kmsmock.interception.sessions` determines
their Region and credentials. So these variables never count as configured.

Imported in every pytest run, so it imports nothing slow.
"""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from kmsmock.aws.regions import DEFAULT_REGION

#: The access key and the secret key of credentials that belong to no particular principal.
DUMMY = "testing"


class HasVariables(Protocol):
    """The interface of a mock that sets environment variables."""

    def find_variables(self) -> Mapping[str, str]:
        """Return the variables to set, by name."""
        ...


#: The variables with the paths of botocore's configuration files -> the default names.
_FILES = {"AWS_CONFIG_FILE": "config", "AWS_SHARED_CREDENTIALS_FILE": "credentials"}
#: The mock whose variables are set; None if none are.
_owner: HasVariables | None = None
#: Its variables: name -> value.
_values: dict[str, str] = {}
#: Name -> the value from before; None if there was none.
_before: dict[str, str | None] = {}
#: (name, value) that a mock had set -> the value from before it; None if there was none.
_earlier: dict[tuple[str, str], str | None] = {}


def set_variables_of(mock: HasVariables | None) -> None:
    """Set the variables of the mock that answers, in place of those of another mock.

    mock: None if no mock answers.
    """
    global _owner  # noqa: PLW0603 - the environment of the process
    if mock is _owner:
        return
    wanted = {} if mock is None else mock.find_variables()
    # Variables of both mocks are there all the time, since other threads may be reading them.
    _unset([name for name in _values if name not in wanted])
    _owner = mock
    for name, value in wanted.items():
        if name in _values:
            _earlier[name, _values[name]] = _before[name]
        else:
            _before[name] = os.environ.get(name)
        if _values.get(name) != value:
            os.environ[name] = value
    _values.update(wanted)


def get_variable(name: str) -> str | None:
    """Return a configured environment variable; None for one that is empty or set by a mock."""
    value = os.environ.get(name)
    return value if value and _values.get(name) != value else None


def describe_region() -> str:
    """Return the Region of mocks without the option, or say that it is configured somewhere."""
    is_configured = any(map(get_variable, ("AWS_DEFAULT_REGION", "AWS_REGION"))) or any(
        os.path.isfile(os.path.expanduser(get_variable(name) or f"~/.aws/{file}"))  # noqa: PTH111, PTH113
        for name, file in _FILES.items()
    )
    return "as configured on this machine" if is_configured else DEFAULT_REGION


def restore_variables() -> None:
    """Restore what was set by earlier mocks and has been written back since; forget these mocks.

    This happens if a test changes such a variable, and undoes its change after the mock has ended.
    """
    for (name, value), before in _earlier.items():
        if get_variable(name) == value:
            _set(name, before)
    _earlier.clear()


def _unset(names: Iterable[str]) -> None:
    """Restore variables, except for those that something else has changed meanwhile."""
    for name in names:
        value, before = _values.pop(name), _before.pop(name)
        if os.environ.get(name) == value:
            _set(name, before)
        _earlier[name, value] = before
    _observe_monkeypatch()


def _set(name: str, value: str | None) -> None:
    if value is None:
        os.environ.pop(name, None)
    else:
        os.environ[name] = value


def _observe_monkeypatch() -> None:
    """Restore a variable of an earlier mock as soon as pytest's monkeypatch writes it back."""
    module = sys.modules.get("_pytest.monkeypatch")
    if module is None or hasattr(module.MonkeyPatch.undo, "__wrapped__"):
        return
    monkeypatch: Any = module.MonkeyPatch
    original = monkeypatch.undo

    @functools.wraps(original)
    def undo(self: Any) -> None:
        present = {name: os.environ.get(name) for name, _ in _earlier}
        original(self)
        for (name, value), before in _earlier.items():
            if get_variable(name) == value != present[name]:
                _set(name, before)

    monkeypatch.undo = undo
