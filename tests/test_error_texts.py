"""Each text that an error of KMS shows as AWS's is known from somewhere, or is marked as ours.

`data/error_texts.json` has them by where they are known from: answers that were recorded, tests of
other emulators that were measured on AWS, public reports, AWS's documentation, or just the words of
other emulators.

``python -m tests.test_error_texts > docs/own-texts.md`` writes the list of ours again.
"""

from __future__ import annotations

import ast
import json
import sys
from collections.abc import Iterator
from pathlib import Path

import kmsmock
from kmsmock import mock_kms
from tests.refusals import refused

PAGE = Path(__file__).parents[1] / "docs" / "own-texts.md"
INTRODUCTION = """\
# Texts of errors that are not AWS's

The texts of errors of KMS are those of AWS, to the letter, from recorded answers, public reports
and AWS's documentation. Where AWS's text is not known, an error has no text, or one of these.
Values are shown as `{}`.

## In words of kmsmock

A note on the exception says so.

"""
PEERS = """
## In words of other emulators of KMS

"""
KNOWN: dict[str, list[str]] = json.loads(
    (Path(__file__).parent / "data" / "error_texts.json").read_text(encoding="utf-8")
)
SOURCED = {text for texts in KNOWN.values() for text in texts}


def text_of(node: ast.expr) -> str | None:
    """Return the text of an argument, with ``{}`` for values; None for what is no text."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else None
    if isinstance(node, ast.JoinedStr):
        return "".join(text_of(part) or "{}" for part in node.values)
    return None


def calls_of_errors() -> Iterator[tuple[bool, str]]:
    """Yield the text of each error of KMS that is made, and whether it is in words of kmsmock."""
    root = Path(kmsmock.__file__).parent
    for path in sorted(root.rglob("*.py")):
        if "services" in path.relative_to(root).parts:
            continue  # the errors of other services
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
                continue
            made = ast.unparse(node.func).split(".")
            if made[0] == "errors" and node.args and made[1].endswith("Exception"):
                text = text_of(node.args[0])
                if text:
                    yield made[-1] == "in_own_words", text


def page() -> str:
    own = sorted({text for is_own, text in calls_of_errors() if is_own})
    lists = (
        "".join(f"- `{text}`\n" for text in texts) for texts in (own, KNOWN["other emulators"])
    )
    return INTRODUCTION + PEERS.join(lists)


def test_each_text_is_known_from_somewhere_or_marked_as_ours():
    shown = {text for is_own, text in calls_of_errors() if not is_own}

    assert shown - SOURCED == set()


def test_each_known_text_is_used():
    assert SOURCED - {text for _, text in calls_of_errors()} == set()


def test_the_page_lists_the_texts_that_are_not_of_aws():
    assert PAGE.read_text(encoding="utf-8") == page()


def test_an_error_in_own_words_says_so_in_its_note():
    with mock_kms() as kms, refused("ValidationException") as caught:
        kms.client().retire_grant()

    assert "AWS's text of this error is not known" in caught.value.__notes__[0]


if __name__ == "__main__":
    sys.stdout.write(page())
