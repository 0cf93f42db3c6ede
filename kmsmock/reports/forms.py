"""The forms of a report, and their files: parse the values of ``--kms-report``, write files."""

from __future__ import annotations

import errno
import os
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
    """An unknown form."""


#: Errors of a folder in which no file can be made or replaced, though a file in it can be written.
_FOLDER_ERRORS = (errno.EACCES, errno.EBUSY, errno.EPERM, errno.EROFS)


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
        return RequestedForm(Form(name), folder / path)
    raise BadFormError(
        f"--kms-report={value}: unknown form; use --kms-report (or --kms-report=terminal), "
        "--kms-report=json:PATH or --kms-report=html:PATH. Put paths of tests before a "
        "--kms-report without value."
    )


def write_file(path: Path, text: str) -> None:
    """Write a report, and the folders that are missing. Raises OSError.

    The file is replaced as a whole: it never has a part of a report. Lone surrogates, which UTF-8
    does not have, become question marks.
    """
    content = text.encode("utf-8", "replace")
    path.parent.mkdir(parents=True, exist_ok=True)
    target = Path(os.path.realpath(path))
    if target.exists() and not target.is_file():  # a device or pipe; a folder raises
        target.write_bytes(content)
        return
    temporary = target.with_name(f".kmsmock-{os.getpid()}.tmp")
    try:
        temporary.write_bytes(content)
        temporary.replace(target)
    except OSError as reason:
        if reason.errno not in _FOLDER_ERRORS:
            raise
        target.write_bytes(content)
    finally:
        temporary.unlink(missing_ok=True)
