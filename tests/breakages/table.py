"""The table of breakages: what the code of a user does, and what its error must say beside AWS."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import pytest
from botocore.exceptions import ClientError, WaiterError

from kmsmock import KMSMock, mock_kms

ACCOUNT, OTHER = "123456789012", "444455556666"


class Breakage(NamedTuple):
    """A row: ``run`` fails, and the note of its error contains ``sentence``."""

    sentence: str
    run: Callable[[KMSMock], Any]


class Table(list[Breakage]):
    """The rows of one topic."""

    def breakage(self, sentence: str) -> Callable[[Callable[[KMSMock], Any]], Any]:
        """Return a decorator that adds a row; the name of the function is its id."""

        def add(run: Callable[[KMSMock], Any]) -> Callable[[KMSMock], Any]:
            self.append(Breakage(sentence, run))
            return run

        return add

    def parametrize(self) -> Any:
        """Return the mark that runs a test with each row."""
        ids = [row.run.__name__ for row in self]
        assert len(ids) == len(set(ids))
        return pytest.mark.parametrize(("sentence", "run"), self, ids=ids)


def read_note(run: Callable[[KMSMock], Any], **options: Any) -> str:
    """Return the note of the error of a row, without its line breaks."""
    errors = (ClientError, WaiterError)
    with mock_kms(seed=1, **options) as kms, pytest.raises(errors) as caught:
        run(kms)
    [note] = getattr(caught.value, "__notes__", ["no note"])
    assert "?." not in note
    return " ".join(note.split())
