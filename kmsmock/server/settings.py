"""The settings of a server, from the command line or from environment variables.

The options of its mock are those of `kmsmock.options`, except the ones that only tests need.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NoReturn

from kmsmock.aws.services import ANSWERED
from kmsmock.misuse.suggestions import suggest
from kmsmock.options import Option, list_choices, read_option, table

#: What precedes the name of a setting in the name of its environment variable.
PREFIX = "KMSMOCK_SERVER_"
_BOOLS = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
#: Options of mocks that servers do not have -> the reason. New options are those of servers, too.
LEFT_OUT = {
    "real_sleeps": "the sleeps of clients are in their own processes",
    "wire": "a server answers HTTP requests only",
    "processes": "all clients of a server are in other processes",
    "isolated": "a server has one mock",
    "with_moto": "moto is in the processes of tests",
    "block_real_kms": "clients of a server call it by its URL",
    "block_real_aws": "clients of a server call it by its URL",
    "leak_check": "it is a check of tests",
    "policy_coverage": "it is a measurement of tests",
    "policy_fail_under": "it is a limit of a run of tests",
    "policy_baseline": "it is a limit of a run of tests",
}
#: The settings that are no options of the mock -> their help.
_OWN = {
    "state": "the SQLite file that keeps the state of the mock, created if it is missing (default: "
    "none, so that the state ends with the server)",
    "strict_credentials": "refuse access keys that the mock has not issued, instead of treating "
    "them as those of an administrator",
    "allow_remote": "answer other machines, too: everybody who can reach the port has all "
    "permissions that a request without valid credentials has, and can read and replace all keys",
}
#: Those of them that are paths of files; the others are true or false.
_PATHS = ("state",)


@dataclass(frozen=True)
class Settings:
    """The settings of a server."""

    #: The options of its mock, by name; absent ones have their defaults.
    options: Mapping[str, Any] = field(default_factory=dict)
    #: The file with the state of the mock; None if the state ends with the server.
    state: str | None = None
    #: Whether access keys are refused that the mock has not issued.
    strict_credentials: bool = False
    #: Whether other machines are answered.
    allow_remote: bool = False

    @classmethod
    def of_environment(cls) -> Settings:
        """Return the settings in the environment variables ``KMSMOCK_SERVER_...``.

        Raises ValueError for a variable that names no setting, and for an invalid value.
        """
        known = {f"{PREFIX}{name.upper()}": name for name in (*list_options(), *_OWN)}
        found: dict[str, Any] = {}
        for variable, text in os.environ.items():
            if not variable.startswith(PREFIX) or not text:
                continue
            name = known.get(variable)
            if name is None:
                raise ValueError(_explain_unknown(variable, list(known)))
            try:
                found[name] = _read_text(name, text)
            except (TypeError, ValueError, OSError) as reason:
                raise ValueError(f"{variable}: {reason}") from None
        return cls._of(found)

    @classmethod
    def of_arguments(cls, arguments: argparse.Namespace) -> Settings:
        """Return the settings on the command line, else those in environment variables.

        Raises ValueError as `of_environment`, and for an invalid value on the command line.
        """
        environment = cls.of_environment()
        found: dict[str, Any] = {
            **environment.options,
            **{name: getattr(environment, name) for name in _OWN},
        }
        for name in (*list_options(), *_OWN):
            value = getattr(arguments, name)
            if value is None:
                continue
            try:
                found[name] = _read_text(name, value) if isinstance(value, str) else value
                if name not in _OWN:
                    read_option(name, found[name])
            except (TypeError, ValueError, OSError) as reason:
                raise ValueError(f"{_option_string(name)}: {reason}") from None
        return cls._of(found)

    @classmethod
    def _of(cls, found: Mapping[str, Any]) -> Settings:
        options = {name: value for name, value in found.items() if name not in _OWN}
        return cls(options, **{name: value for name, value in found.items() if name in _OWN})


def list_options() -> dict[str, Option]:
    """Return the options of a server's mock, by name."""
    return {name: option for name, option in table().items() if name not in LEFT_OUT}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the settings to the parser of a command."""
    group = parser.add_argument_group(
        "options of the mock",
        "They can also be environment variables, such as KMSMOCK_SERVER_REGION.",
    )
    for name, option in table().items():
        if name not in LEFT_OUT:
            group.add_argument(_option_string(name), **_describe(name, option))
        else:  # so that the error says why
            parser.add_argument(
                _option_string(name),
                nargs="?",
                action=_Refusing,
                const=LEFT_OUT[name],
                help=argparse.SUPPRESS,
            )
    for name, doc in _OWN.items():
        kind: dict[str, Any] = {"action": argparse.BooleanOptionalAction}
        if name in _PATHS:
            kind = {"metavar": "FILE"}
        parser.add_argument(_option_string(name), help=doc, default=None, **kind)


class _Refusing(argparse.Action):
    """Exits with the reason why a server does not have an option."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,  # noqa: ARG002
        values: str | Sequence[Any] | None,  # noqa: ARG002
        option_string: str | None = None,
    ) -> NoReturn:
        parser.error(f"a server has no option {option_string}: {self.const}")


def _describe(name: str, option: Option) -> dict[str, Any]:
    """Return the keyword arguments of `add_argument` for an option."""
    default = option.default_in_words or repr(option.default)
    described: dict[str, Any] = {
        "help": f"{option.doc} (default: {default})".replace("`", "").replace("%", "%%"),
    }
    # A server answers no other services.
    choices = ANSWERED if name == "services" else list_choices(name)
    if option.ini == "bool":
        return {**described, "action": argparse.BooleanOptionalAction, "default": None}
    if choices:
        described["choices"] = choices
    if option.ini == "args":
        described["nargs"] = "+"
    if not choices:
        described["metavar"] = "PATH" if option.is_path else name.upper()
    return described


def _read_text(name: str, text: str) -> Any:
    """Return the value of a setting that has this text.

    Raises TypeError or ValueError, OSError for a file.
    """
    option = table().get(name)
    if name in _PATHS:
        return text
    if option is None or option.ini == "bool":
        if text.lower() not in _BOOLS:
            raise ValueError(f"{name} must be true or false, not {text!r}")
        return _BOOLS[text.lower()]
    value: Any = text.split() if option.ini == "args" else text
    if name == "services":
        for service in value:
            if service not in ANSWERED:
                known = suggest(service, ANSWERED, "it has")
                raise ValueError(f"a server has no service {service!r}{known}")
    if option.from_text is not None:
        value = option.from_text(text)
    read_option(name, value)
    return value


def _explain_unknown(variable: str, known: Sequence[str]) -> str:
    name = variable.removeprefix(PREFIX).lower()
    if name in ("host", "port"):
        return f"there is no environment variable {variable}; there is the option --{name}"
    reason = LEFT_OUT.get(name)
    if reason is not None:
        return f"{variable}: a server does not have this option: {reason}"
    return f"there is no environment variable {variable}{suggest(variable, known, 'there are')}"


def _option_string(name: str) -> str:
    return f"--{name.replace('_', '-')}"
