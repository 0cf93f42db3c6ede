"""The forms of policy coverage: parse the values of ``--kms-policy-coverage``, write files."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from enum import Enum
from pathlib import Path
from typing import NamedTuple

from kmsmock.coverage.as_json import write
from kmsmock.coverage.as_text import text
from kmsmock.coverage.records import Records
from kmsmock.misuse.suggestions import did_you_mean


class Form(Enum):
    """The forms of policy coverage."""

    TEXT = "text"
    JSON = "json"


class RequestedForm(NamedTuple):
    """A requested form, and the path of its file; None for the terminal."""

    form: Form
    path: Path | None = None


class BadFormError(ValueError):
    """An unknown form."""


#: Form -> what makes the content of its file.
CONTENTS: dict[Form, Callable[[Records], str]] = {Form.JSON: write, Form.TEXT: text}


def read_forms(values: Iterable[str], folder: Path) -> list[RequestedForm]:
    """Parse the values of the option. folder: the folder that paths are relative to.

    Raises BadFormError, which lists the known forms.
    """
    return [_read_form(value, folder) for value in dict.fromkeys(values)]


def _read_form(value: str, folder: Path) -> RequestedForm:
    name, _, path = value.partition(":")
    known = [form.value for form in Form]
    if value == Form.TEXT.value:
        return RequestedForm(Form.TEXT)
    if name in known and name != Form.TEXT.value and path:
        return RequestedForm(Form(name), folder / path)
    files = ", ".join(f"{form}:PATH" for form in known if form != Form.TEXT.value)
    hint = "" if name in known else did_you_mean(name, known)
    raise BadFormError(
        f"--kms-policy-coverage={value}: unknown form; it is text, or {files}{hint}. Put paths of "
        "tests before a --kms-policy-coverage without value."
    )
