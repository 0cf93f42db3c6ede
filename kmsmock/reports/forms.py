"""The forms of a report, and where each is to go: what ``--kms-report`` takes."""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum
from pathlib import Path
from typing import NamedTuple


class Form(Enum):
    """The forms that there are."""

    TERMINAL = "terminal"
    JSON = "json"
    HTML = "html"


class RequestedForm(NamedTuple):
    """One form that was asked for, and the file that it goes to."""

    form: Form
    path: Path | None = None


class BadFormError(ValueError):
    """A form that there is not, or a path that cannot be written."""


def read_forms(values: Iterable[str], folder: Path) -> list[RequestedForm]:
    """Read what the option was given. folder: what paths are relative to.

    Raises BadFormError, which names the forms there are.
    """
    return [_read_form(value, folder) for value in dict.fromkeys(values)]


def _read_form(value: str, folder: Path) -> RequestedForm:
    name, colon, path = value.partition(":")
    if (name, colon) == (Form.TERMINAL.value, ""):
        return RequestedForm(Form.TERMINAL)
    if name in (Form.JSON.value, Form.HTML.value) and path:
        return RequestedForm(Form(name), _writable(folder / path))
    raise BadFormError(
        f"--kms-report={value}: there is no such form; there are --kms-report (or "
        "--kms-report=terminal), --kms-report=json:PATH and --kms-report=html:PATH. Paths of tests "
        "go before a bare --kms-report."
    )


def _writable(path: Path) -> Path:
    """Require that a file can be written, its folders made on the way."""
    is_new = not path.exists()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.open("ab").close()
        if is_new:
            path.unlink()
    except OSError as reason:
        raise BadFormError(
            f"--kms-report: {path} cannot be written: {reason.strerror or reason}"
        ) from None
    return path
