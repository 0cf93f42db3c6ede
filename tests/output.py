"""What a function prints, also in runs of pytest without capturing."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable
from typing import Any, NamedTuple


class Printed(NamedTuple):
    """The result of a function, and what it has written to stdout and stderr."""

    result: Any
    output: str
    errors: str


def capture(function: Callable[..., Any], *arguments: Any) -> Printed:
    output, errors = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(output), contextlib.redirect_stderr(errors):
        result = function(*arguments)
    return Printed(result, output.getvalue(), errors.getvalue())
