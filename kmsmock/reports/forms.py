"""Parse the values of ``--kms-report``: the forms of a report, and their files."""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum
from pathlib import Path
from typing import NamedTuple


class Form(Enum):
    """The forms of a report."""

    TERMINAL = "terminal"
    JSON = "json"
    HTML = "html"


class RequestedForm(NamedTuple):
    """A requested form, and the path of its file."""

    form: Form
    path: Path | None = None


class BadFormError(ValueError):
    """An unknown form, or a path that cannot be written."""


def read_forms(values: Iterable[str], folder: Path) -> list[RequestedForm]:
    """Parse the values of the option. folder: the folder that paths are relative to.

    Raises BadFormError, which lists the known forms.
    """
    return [_read_form(value, folder) for value in dict.fromkeys(values)]


def _read_form(value: str, folder: Path) -> RequestedForm:
    name, colon, path = value.partition(":")
    if (name, colon) == (Form.TERMINAL.value, ""):
        return RequestedForm(Form.TERMINAL)
    if name in (Form.JSON.value, Form.HTML.value) and path:
        return RequestedForm(Form(name), _require_writable(folder / path))
    raise BadFormError(
        f"--kms-report={value}: unknown form; use --kms-report (or --kms-report=terminal), "
        "--kms-report=json:PATH or --kms-report=html:PATH. Put paths of tests before a "
        "--kms-report without value."
    )


def _require_writable(path: Path) -> Path:
    """Require that a file can be written (BadFormError); creates missing folders."""
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
