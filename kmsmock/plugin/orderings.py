"""In which ordering the mocks of a run see changes, or in which ones each test is explored.

Imported in every pytest run, so it imports nothing slow.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pytest

from kmsmock.plugin.configuration import read_orderings, require_base_seed
from kmsmock.plugin.late_answers import TITLE, LateAnswers, describe_late_answers
from kmsmock.process.orderings import ordering

if TYPE_CHECKING:
    from kmsmock.plugin.contexts import Contexts
    from kmsmock.plugin.exploration import Exploration

_ORDERING = "kmsmock_ordering"
_late_answers: pytest.StashKey[LateAnswers] = pytest.StashKey()
_exploration: pytest.StashKey[Exploration] = pytest.StashKey()


def get_late_answers(config: pytest.Config) -> LateAnswers:
    """Return the late answers that the running test has had."""
    return config.stash.setdefault(_late_answers, LateAnswers())


def begin_ordering(
    config: pytest.Config, configured: Mapping[str, Any], contexts: Contexts
) -> None:
    """Decide the ordering of a run, if its mocks are eventually consistent.

    configured: the options of the run. contexts: those of the run.
    """
    config.add_cleanup(functools.partial(ordering.restore, ordering.state()))
    if configured.get("consistency") != "eventual":
        ordering.restore((None, False))
        return
    seed = configured.get("seed")
    if seed is None:  # the workers of xdist have that of the process that controls them
        of_worker = getattr(config, "workerinput", {})
        seed = of_worker.get(_ORDERING) or int.from_bytes(os.urandom(3), "big")
    ordering.restore((seed, False))
    count = read_orderings(config)
    if count:
        require_base_seed(seed)
        from kmsmock.plugin.exploration import Exploration

        answers = get_late_answers(config)
        config.stash[_exploration] = Exploration(count, ordering.seed, contexts, answers)
        config.pluginmanager.register(config.stash[_exploration], "kmsmock exploration")


def tell_worker(node: Any) -> None:
    """Tell a worker of xdist the seed of the ordering. node: as in ``pytest_configure_node``."""
    node.workerinput[_ORDERING] = ordering.seed


def describe_ordering(config: pytest.Config) -> str:
    """Return what the header of the run says about it; empty if mocks are strongly consistent."""
    if ordering.seed is None:
        return ""
    count = read_orderings(config)
    how = f"in {count} orderings of each test, " if count else ""
    text = f", eventual consistency {how}with seed {ordering.seed!r}"
    if count and config.pluginmanager.hasplugin("rerunfailures"):
        return f"{text}; pytest-rerunfailures runs no test again that is explored"
    return text


def add_late_answers(item: pytest.Item, report: Any) -> None:
    """Add what was answered without the last changes, and how to run the test again like this."""
    exploration = item.config.stash.get(_exploration, None)
    if exploration is not None:
        text = exploration.describe(item)
    else:
        text = describe_late_answers(item, get_late_answers(item.config))
    if not text:
        return
    if hasattr(report.longrepr, "addsection"):  # also with --show-capture=no, and in junit.xml
        report.longrepr.addsection(TITLE, text)
    else:
        report.sections.append((TITLE, text))
