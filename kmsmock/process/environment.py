"""The environment variables of the mock that answers, for code that reads them itself.

AWS sessions do not need them: while a mock answers, `kmsmock.interception.sessions` determines
their Region and credentials. So these variables never count as configured.

Imported in every pytest run, so it imports nothing slow.
"""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Protocol

from kmsmock.aws.regions import DEFAULT_REGION

#: The access key and the secret key of credentials that belong to no particular principal.
DUMMY = "testing"


class HasVariables(Protocol):
    """The interface of a mock that sets environment variables."""

    def find_variables(self) -> Mapping[str, str]:
        """Return the variables to set, by name."""
        ...


class _Variable:
    """A variable that a mock sets.

    value: that of the mock. before: the value from before; None if there was none.
    """

    def __init__(self, name: str, value: str) -> None:
        self._name = name
        self.value = value
        self.before = os.environ.get(name)
        #: Whether it is set; not if the test has changed it since, by means of pytest.
        self.is_set = True
        os.environ[name] = value

    @property
    def is_present(self) -> bool:
        """Whether nothing else has changed the variable."""
        return self.is_set and os.environ.get(self._name) == self.value

    def change(self, value: str) -> None:
        """Set the value of another mock."""
        if value != self.value:
            os.environ[self._name] = self.value = value

    def restore(self) -> None:
        """Set the value from before, unless something else has changed the variable."""
        if self.is_present:
            _set(self._name, self.before)
        self.is_set = False

    def set_again(self) -> None:
        """Set the value of the mock, if the test has undone its change."""
        if not self.is_set and os.environ.get(self._name) == self.before:
            os.environ[self._name] = self.value
            self.is_set = True


#: The variable that tells the endpoint of a mock from one that a user has configured.
CHILDREN_ENDPOINT = "KMSMOCK_CHILDREN_ENDPOINT"
#: The names of the variables that mocks set.
_NAMES = (
    *("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"),
    *("AWS_DEFAULT_REGION", "AWS_EC2_METADATA_DISABLED"),
)
#: The variables with the paths of botocore's configuration files -> the default names.
_FILES = {"AWS_CONFIG_FILE": "config", "AWS_SHARED_CREDENTIALS_FILE": "credentials"}
#: The variables that name a profile -> their values on the machine, from before the tests.
_machine_profiles = {name: os.environ.get(name) for name in ("AWS_PROFILE", "AWS_DEFAULT_PROFILE")}
#: The mock whose variables are set; None if none are.
_owner: HasVariables | None = None
#: Its variables, by name.
_variables: dict[str, _Variable] = {}
#: (name, value) that an earlier mock had set -> the value from before it; None if there was none.
_earlier: dict[tuple[str, str], str | None] = {}


def set_variables_of(mock: HasVariables | None) -> None:
    """Set the variables of the mock that answers, in place of those of another mock.

    mock: None if no mock answers.
    """
    global _owner  # noqa: PLW0603 - the environment of the process
    if mock is _owner:
        return
    wanted = {} if mock is None else mock.find_variables()
    for name, variable in list(_variables.items()):
        _earlier[name, variable.value] = variable.before
        # Those of both mocks are there all the time, since other threads may be reading them.
        if name in wanted and variable.is_present:
            variable.change(wanted[name])
        else:
            variable.restore()
            del _variables[name]
    _owner = mock
    if mock is not None:
        _observe_monkeypatch()
    for name, value in wanted.items():
        if name not in _variables:
            _variables[name] = _Variable(name, value)


def is_cleared() -> bool:
    """Return whether a test has removed the variables of the mock, as ``os.environ.clear()`` does.

    Variables that it has removed by means of pytest do not count.
    """
    return any(each.is_set and name not in os.environ for name, each in _variables.items())


def add_variables(wanted: Mapping[str, str]) -> None:
    """Set further variables of the mock that answers, until it does not answer any more.

    What a test has changed stays. wanted: name -> value.
    """
    for name, value in wanted.items():
        variable = _variables.get(name)
        if variable is None:
            _variables[name] = _Variable(name, value)
        elif variable.is_present:
            variable.change(value)


def set_for_a_moment(wanted: Mapping[str, str]) -> Callable[[], None]:
    """Set the variables that are missing; return a function that removes them again.

    wanted: name -> value.
    """
    missing = {name: value for name, value in wanted.items() if name not in os.environ}
    os.environ.update(missing)

    def remove() -> None:
        for name, value in missing.items():
            if os.environ.get(name) == value:
                del os.environ[name]

    return remove


def find_profiles(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that name a profile of the machine, and not one that a test has set.

    Processes need not find the profile, since no credentials and no Region of it matter.
    """
    return {
        name: value
        for name, value in _machine_profiles.items()
        if value is not None and environment.get(name) == value
    }


def hide_for_a_moment(names: Iterable[str]) -> Callable[[], None]:
    """Remove variables; return a function that sets them again, unless something else has."""
    hidden = {name: os.environ.pop(name) for name in names if name in os.environ}

    def restore() -> None:
        for name, value in hidden.items():
            os.environ.setdefault(name, value)

    return restore


def get_variable(name: str) -> str | None:
    """Return a configured environment variable; None for one that is empty or set by a mock."""
    value = os.environ.get(name)
    return value if value and not _is_of_mock(name, value) else None


def describe_region() -> str:
    """Return the Region of mocks without the option, or say that it is configured somewhere."""
    is_configured = any(map(get_variable, ("AWS_DEFAULT_REGION", "AWS_REGION"))) or any(
        os.path.isfile(os.path.expanduser(get_variable(name) or f"~/.aws/{file}"))  # noqa: PTH111, PTH113
        for name, file in _FILES.items()
    )
    return "as configured on this machine" if is_configured else DEFAULT_REGION


@contextmanager
def without_leftovers() -> Iterator[None]:
    """Remove after the block what mocks had set in it, and something else has written back.

    That is a copy of the environment, made while a mock was active, and restored after its end.
    """
    at_first = {name: get_variable(name) for name in _NAMES}
    try:
        yield
    finally:
        for (name, value), before in _earlier.items():
            if get_variable(name) == value != at_first.get(name):
                _set(name, before)
        _earlier.clear()


def _is_of_mock(name: str, value: str) -> bool:
    variable = _variables.get(name)
    return variable is not None and variable.is_set and variable.value == value


def is_of_children(name: str) -> bool:
    """Return whether a variable has the endpoint of a mock for the children of its process.

    The mock can be one of this process, or one of the process that has started this one.
    """
    endpoint = os.environ.get(CHILDREN_ENDPOINT)
    return endpoint is not None and os.environ.get(name) == endpoint


def note_own_endpoint(url: str | None) -> None:
    """Remember the endpoint of this process, which only its children use. None for no endpoint."""
    global _own_endpoint  # noqa: PLW0603 - a process has one
    _own_endpoint = url


def is_own_endpoint(name: str) -> bool:
    """Return whether a variable has the endpoint of this process.

    Also after the mock has ended, if something has restored a copy of the environment that was made
    before.
    """
    return _own_endpoint is not None and os.environ.get(name) == _own_endpoint


#: The endpoint for the children of this process, once there is one.
_own_endpoint: str | None = None


def _set(name: str, value: str | None) -> None:
    if value is None:
        os.environ.pop(name, None)
    else:
        os.environ[name] = value


def _observe_monkeypatch() -> None:
    """Let pytest's monkeypatch save and restore the values of the machine, not those of mocks."""
    module = sys.modules.get("_pytest.monkeypatch")
    if module is None or hasattr(module.MonkeyPatch.undo, "__wrapped__"):
        return
    monkeypatch: Any = module.MonkeyPatch
    original_set, original_delete = monkeypatch.setitem, monkeypatch.delitem
    original_undo = monkeypatch.undo

    @functools.wraps(original_set)
    def setitem(self: Any, dic: Any, name: Any, value: Any) -> None:
        _leave_to_test(dic, name)
        original_set(self, dic, name, value)

    @functools.wraps(original_delete)
    def delitem(self: Any, dic: Any, name: Any, raising: bool = True) -> None:  # noqa: FBT001, FBT002
        was_set = _leave_to_test(dic, name)
        original_delete(self, dic, name, raising and not was_set)

    @functools.wraps(original_undo)
    def undo(self: Any) -> None:
        original_undo(self)
        for variable in _variables.values():
            variable.set_again()

    monkeypatch.setitem, monkeypatch.delitem, monkeypatch.undo = setitem, delitem, undo


def _leave_to_test(changed: Any, name: str) -> bool:
    """Restore the value of the machine, before a test changes a variable; return whether it was.

    changed: the mapping that the test changes.
    """
    is_of_mock = changed is os.environ and _is_of_mock(name, os.environ.get(name, ""))
    if is_of_mock:
        _variables[name].restore()
    return is_of_mock
