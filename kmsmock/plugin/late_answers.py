"""What pytest shows below a failed test of answers of KMS that lacked what it had just changed."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from itertools import islice
from typing import Any

import pytest

from kmsmock.process.active_mocks import list_backends
from kmsmock.process.watchers import Watcher

TITLE = "kmsmock: eventual consistency"
_MAX_ANSWERS = 10
_ANSWERS_KEPT = 100


class LateAnswers(Watcher):
    """The late answers in the run of a test, and whether there were changes to be seen late."""

    def __init__(self) -> None:
        self._answers: list[Any] = []
        #: Whether the test has changed something that nodes can see late.
        self.has_changes = False

    def begin(self) -> None:
        """Begin a run of a test.

        All nodes see what was changed before, and mocks begin again with the ordering, so that what
        ran before this test makes no difference.
        """
        self._answers.clear()
        self.has_changes = False
        for backend in list_backends():
            backend.consistency.begin()

    def delayed(self, change: Any) -> None:  # noqa: ARG002 - that there is one is enough
        """Note that the test has changed something."""
        self.has_changes = True

    def answered_late(self, answer: Any) -> None:
        """Note a late answer."""
        if len(self._answers) < _ANSWERS_KEPT:
            self._answers.append(answer)

    @property
    def seed(self) -> str | None:
        """The seed of the ordering in which an answer was late; None if none was."""
        return str(self._answers[0].seed) if self._answers else None

    def list_lines(self) -> Iterator[str]:
        """Yield a line for each late answer, the oldest first."""
        lines = list(dict.fromkeys(f"  {answer}" for answer in self._answers))
        yield from islice(lines, _MAX_ANSWERS)
        if len(lines) > _MAX_ANSWERS:
            yield f"  and {len(lines) - _MAX_ANSWERS} more"


def let_all_be_seen() -> None:
    """Let all nodes of the started mocks see all changes; called after the set-up of fixtures."""
    for backend in list_backends():
        backend.consistency.settle()


def describe_late_answers(item: pytest.Item, answers: LateAnswers) -> str:
    """Describe the late answers that a failed test has had; empty if there were none."""
    seed = answers.seed
    if seed is None:
        return ""
    return "\n".join(
        [
            "Some answers lacked changes that their node had not seen, oldest first:",
            *answers.list_lines(),
            *list_command(item, seed),
        ]
    )


def list_command(item: pytest.Item, seed: str, consistency: str = "eventual") -> list[str]:
    """Return lines with the command that runs a test in the ordering of a seed again."""
    config: Any = item.config
    node_id = config.cwd_relative_nodeid(item.nodeid)
    options = f"--kms-consistency={consistency} --kms-seed={shlex.quote(seed)}"
    return [
        "To run the test in this ordering again:",
        f"  pytest {shlex.quote(str(node_id))} {options}",
    ]
