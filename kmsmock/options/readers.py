"""How the values of options are checked and converted.

A reader is called with the name of an option and its value; it raises TypeError, or ValueError for
a file. Imported in every pytest run, so an option's own imports are inside of functions.
"""

import os
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from kmsmock.aws.secret_values import hide_secrets
from kmsmock.aws.services import MOCKED
from kmsmock.misuse.suggestions import did_you_mean

Reader = Callable[[str, Any], Any]
_WHOLE = 100


def read_unchanged(_: str, value: Any) -> Any:
    """Return a value as it is."""
    return value


def require(expected: str, is_valid: Callable[[Any], object]) -> Reader:
    """Return a reader that checks values, and returns them unchanged.

    expected: a description of valid values, for the error. is_valid: the check.
    """

    def read(name: str, value: Any) -> Any:
        if not is_valid(value):
            raise TypeError(f"{name} must be {expected}, not {value!r}")
        return value

    return read


def read_region(name: str, value: Any) -> str:
    """Require a name of a Region."""
    from kmsmock.aws.regions import is_region, list_regions

    if not is_region(value):
        raise TypeError(
            f"{name} must be a Region such as eu-west-1, not {value!r}"
            f"{did_you_mean(value, list_regions())}"
        )
    region: str = value
    return region


def read_services(name: str, value: Any) -> tuple[str, ...]:
    """Require a list of services."""
    if not isinstance(value, (list, tuple, set, frozenset)):
        raise TypeError(f"{name} must be a list, such as ['kms'], not {value!r}")
    for service in value:
        if service not in MOCKED:
            spaces = isinstance(service, str) and "," in service
            hint = ": spaces separate services" if spaces else did_you_mean(service, MOCKED)
            raise TypeError(
                f"the service {service!r} is not supported; this version supports: "
                f"{', '.join(MOCKED)}{hint}"
            )
    return tuple(value)


def read_number(name: str, value: Any) -> int:
    """Require a positive integer, or its text."""
    number = int(value) if isinstance(value, str) and value.isdecimal() else value
    if type(number) is not int or number < 1:
        raise TypeError(f"{name} must be a positive integer, not {value!r}")
    return number


def read_percentage(name: str, value: Any) -> float:
    """Require a number from 0 to 100, or its text."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = -1.0
    if isinstance(value, bool) or not 0 <= number <= _WHOLE:
        raise TypeError(f"{name} must be a number from 0 to 100, not {value!r}")
    return number


def read_world(name: str, value: Any) -> Any:
    """Require a path or a mapping."""
    value = hide_secrets(value)
    if not isinstance(value, (str, os.PathLike, Mapping)):
        raise TypeError(f"{name} must be a path or a mapping, not {value!r}")
    return value


def parse_time(text: str) -> datetime:
    """Parse an ISO 8601 time with UTC offset. Raises TypeError."""
    try:
        return datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        raise TypeError(
            "start_time must be an ISO 8601 time with UTC offset, such as "
            f"2026-01-31T12:00:00+00:00, not {text!r}"
        ) from None


def read_prices(_: str, value: Any) -> Any:
    """Read a price list."""
    from kmsmock.aws.prices import Prices

    return Prices.of(value)


def read_quotas(name: str, value: Any) -> Any:
    """Read request quotas."""
    from kmsmock.aws.quotas import read_quotas

    return read_quotas(name, value)
