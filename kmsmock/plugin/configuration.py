"""The options of a run of pytest: added, and read, with errors that name the option and the file.

Imported in every pytest run, so it imports nothing slow.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import pytest

from kmsmock.plugin.marks import resolve_paths

if TYPE_CHECKING:
    from kmsmock.options import Option

ALLOW_REAL = "--kms-allow-real"
REPORT = "--kms-report"
_SEED = "--kms-seed"
_CONSISTENCY = "--kms-consistency"
SHARED = "--kms-shared"
_EXPLORE = re.compile(r"explore:0*([1-9]\d{0,5})")
#: Option of the command line -> the arguments of `addoption`.
_OPTIONS: dict[str, dict[str, Any]] = {
    ALLOW_REAL: {
        "action": "store_true",
        "help": "allow clients to call the real AWS KMS, and other services of AWS",
    },
    _SEED: {
        "metavar": "SEED",
        "help": "derive the ids, key material and timestamps of mocks from this seed",
    },
    _CONSISTENCY: {
        "metavar": "MODE",
        "help": "strong, eventual: see kms_consistency; explore:N: run each test in N orderings "
        "in which nodes of KMS see changes late, until one breaks it",
    },
    SHARED: {
        "action": "store_true",
        "help": "one world for all workers of pytest-xdist, in which each test has an account",
    },
    REPORT: {
        "metavar": "FORM",
        "action": "append",
        "nargs": "?",
        "const": "terminal",
        "help": "report the KMS calls, keys and costs of the run: in the terminal, or in a file "
        "with =json:PATH or =html:PATH; can be repeated",
    },
}
_OPTION_PREFIX = "--kms-"
_INI_PREFIX = "kms_"


def add_options(parser: pytest.Parser) -> None:
    """Add the options of the command line, and the ini options."""
    from kmsmock.options import table

    group = parser.getgroup("kmsmock", "kmsmock (AWS KMS in memory)")
    for name, arguments in _OPTIONS.items():
        group.addoption(name, **arguments)
    for name, option in table().items():
        if option.ini is not None:
            parser.addini(f"{_INI_PREFIX}{name}", _format_help(option), option.ini, default=None)


def _format_help(option: Option) -> str:
    default = option.default_in_words or repr(option.default)
    return f"{option.doc} (default: {default})".replace("`", "")


def read_options_of_run(config: pytest.Config) -> dict[str, Any]:
    """Return the options in the configuration and on the command line.

    Raises pytest.UsageError for unknown options with our prefix, and for invalid values.
    """
    _require_known_ini_options(config)
    return _read_options(config)


def read_options_before_conftests(config: pytest.Config) -> dict[str, Any]:
    """Return the same, for mocks that conftest files start; empty if there are errors.

    Then `read_options_of_run` raises them, when all is known.
    """
    try:
        return _read_options(config)
    except pytest.UsageError:
        return {}


def _read_options(config: pytest.Config) -> dict[str, Any]:
    from kmsmock.options import read_option, table

    options: dict[str, Any] = {}
    for name, option in table().items():
        if option.ini is None:
            continue
        ini = f"{_INI_PREFIX}{name}"
        try:
            value = config.getini(ini)
            if value in (None, "", []):
                continue
            found = {name: value if option.from_text is None else option.from_text(value)}
            options.update(resolve_paths(config, found))
            read_option(name, options[name])
            if name == "world":
                _require_readable(options[name])
        except (TypeError, ValueError, OSError, pytest.UsageError) as reason:
            raise pytest.UsageError(_explain(config, ini, reason)) from None
    seed = _get_option(config, _SEED)
    if seed is not None:
        options["seed"] = _read_seed(seed)
    mode = _get_option(config, _CONSISTENCY)
    if mode is not None:
        options["consistency"] = "eventual" if read_orderings(config) else mode
    return options


def _get_option(config: pytest.Config, name: str) -> str | None:
    """Return the value of an option of the command line, also before conftest files are loaded."""
    value: str | None = config.getoption(name, None)
    if value is None:
        value = getattr(config.known_args_namespace, name.lstrip("-").replace("-", "_"), None)
    return value


def _read_seed(text: str) -> str:
    """Return a seed of the command line, such as ``7``, or ``7/2``: that of ordering 2."""
    base, slash, number = text.partition("/")
    if not base or (slash and not (number.isascii() and number.isdigit())):
        raise pytest.UsageError(
            f"kmsmock: {_SEED}={text}: it is a number or another text without '/', such as 7, or "
            "with the number of an ordering, such as 7/2"
        )
    return text


def require_base_seed(seed: object) -> None:
    """Require a seed from which those of orderings can be derived (pytest.UsageError)."""
    if "/" in str(seed):
        base = str(seed).partition("/")[0]
        raise pytest.UsageError(
            f"kmsmock: the seed {seed} is that of one ordering, and {_CONSISTENCY}=explore:N "
            f"explores many: use the seed {base}, or {_CONSISTENCY}=eventual for this one"
        )


def read_orderings(config: pytest.Config) -> int:
    """Return in how many orderings each test is to run; 0 if it is not explored.

    Raises pytest.UsageError if the value of the command-line option is invalid.
    """
    mode = _get_option(config, _CONSISTENCY)
    if mode in (None, "strong", "eventual"):
        return 0
    count = _EXPLORE.fullmatch(mode)
    if count is None:
        raise pytest.UsageError(
            f"kmsmock: {_CONSISTENCY}={mode}: it is strong, eventual, or explore:N with the number "
            "of orderings, from 1 to 999999, such as explore:20"
        )
    return int(count[1])


def _require_readable(path: str | os.PathLike[str]) -> None:
    """Require that the file of a world is there and can be parsed; mocks read its content."""
    from kmsmock.worlds.files import read_document

    read_document(path)


def _explain(config: pytest.Config, ini: str, reason: Exception) -> str:
    """Return where a wrong value is, the value, and what is wrong with it, in one line."""
    overridden = dict(_iterate_overrides(config))
    raw: Any = overridden.get(ini, _get_ini_values(config).get(ini))
    text = getattr(raw, "value", raw)  # newer versions of pytest keep more than the value
    value = " ".join(text.split()) if isinstance(text, str) else text
    where = "-o" if ini in overridden else f"{config.inipath}:"
    words = str(reason)
    if isinstance(reason, FileNotFoundError):
        words = f"there is no such file: {reason.filename}"
    if words.startswith("invalid truth value") and isinstance(value, str):
        words = f"invalid truth value {value!r}"  # pytest names it in lower case
        if ini == f"{_INI_PREFIX}quotas":
            words += '; a dict such as {"CreateKey": 10} is possible in marks and mock_kms'
    return f"kmsmock: {where} {ini} = {value}: {' '.join(words.split())}"


def _require_known_ini_options(config: pytest.Config) -> None:
    """Require that pytest knows all ini options that begin like ours, also of other plugins."""
    from kmsmock.misuse.suggestions import suggest
    from kmsmock.options import table

    overridden = [name for name, _ in _iterate_overrides(config)]
    for ini in (*_get_ini_values(config), *overridden):
        if not ini.startswith(_INI_PREFIX) or _is_known(config, ini):
            continue
        known = [f"{_INI_PREFIX}{name}" for name, option in table().items() if option.ini]
        where = "-o" if ini in overridden else f"{config.inipath}"
        raise pytest.UsageError(
            f"kmsmock: {where}: there is no option {ini!r}{suggest(ini, known, 'there are')}"
        )


def _get_ini_values(config: pytest.Config) -> Mapping[str, Any]:
    """Return the content of the ini file by name of option."""
    values: Any = getattr(config, "_inicfg", None)  # since pytest 9, which deprecates the other
    return config.inicfg if values is None else values


def _is_known(config: pytest.Config, ini: str) -> bool:
    try:
        config.getini(ini)
    except KeyError:
        return False
    except ValueError as reason:
        return "unknown configuration value" not in str(reason)
    except (TypeError, pytest.UsageError):
        pass  # of a known option that has an invalid value
    return True


def _iterate_overrides(config: pytest.Config) -> Iterator[tuple[str, str]]:
    """Yield name and value of each ``-o name=value``."""
    for override in config.getoption("override_ini", None) or ():
        name, equals, value = override.partition("=")
        if equals:
            yield name.strip(), value.strip()


def require_known_arguments(parser: pytest.Parser, arguments: list[str]) -> None:
    """Require that pytest knows all options that begin like ours (pytest.UsageError).

    parser: with the options of plugins and initial conftest files.
    """
    if not any(argument.startswith(_OPTION_PREFIX) for argument in arguments):
        return
    try:
        _, unknown = parser.parse_known_and_unknown_args(arguments)
    except pytest.UsageError:
        return  # about another option: pytest raises it again
    for argument in unknown:
        name = argument.partition("=")[0]
        if name.startswith(_OPTION_PREFIX):
            from kmsmock.misuse.suggestions import suggest

            hint = suggest(name, _OPTIONS, "there are")
            raise pytest.UsageError(f"kmsmock: there is no option {name!r}{hint}")
