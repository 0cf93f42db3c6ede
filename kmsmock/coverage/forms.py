"""The forms of policy coverage: parse the values of ``--kms-policy-coverage``, write files."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from enum import Enum
from pathlib import Path
from typing import Any, NamedTuple

from kmsmock.coverage.advice import members_of
from kmsmock.coverage.as_html import page
from kmsmock.coverage.as_json import write
from kmsmock.coverage.as_lcov import lcov
from kmsmock.coverage.as_text import text
from kmsmock.coverage.result import Result, count_noticed
from kmsmock.coverage.summary import name_of
from kmsmock.misuse.suggestions import did_you_mean


class Form(Enum):
    """The forms of policy coverage."""

    TEXT = "text"
    JSON = "json"
    HTML = "html"
    LCOV = "lcov"


class RequestedForm(NamedTuple):
    """A requested form, and the path of its file; None for the terminal."""

    form: Form
    path: Path | None = None


class BadFormError(ValueError):
    """An unknown form."""


def write_json(result: Result) -> str:
    """Return the records of a run as JSON, with what they say for readers of the file."""
    noticed, weakenings = count_noticed(result.weaknesses)
    summary = result.summary
    return write(
        result.records,
        totals={
            "statements": summary.statements,
            "covered": summary.covered,
            "percent": round(summary.percent, 2),
            "weakenings": weakenings,
            "noticed": noticed,
        },
        statements=list(_statements(result)),
        weakenings=members_of(result.records, result.weaknesses),
    )


def _statements(result: Result) -> Iterator[dict[str, Any]]:
    for policy in result.summary.policies:
        for statement in policy.statements:
            yield {
                "policy": policy.index,
                "name": name_of(policy.policy),
                "statement": statement.number,
                "allowed": statement.allowed,
                "denied": statement.denied,
                "unneeded": statement.unneeded,
                "tests": statement.tests,
                "elements": {
                    element.element.name: [
                        [value.value, value.decisive, value.false] for value in element.values
                    ]
                    for element in statement.elements
                },
            }


#: Form -> what makes the content of its file.
CONTENTS: dict[Form, Callable[[Result], str]] = {
    Form.TEXT: text,
    Form.JSON: write_json,
    Form.HTML: page,
    Form.LCOV: lcov,
}


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
