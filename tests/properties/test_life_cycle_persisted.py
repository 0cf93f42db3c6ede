"""Whatever is done to keys, and however time passes, rows of changes alone hold the whole state."""

from __future__ import annotations

from typing import Any

from hypothesis import settings
from hypothesis.stateful import invariant

from tests.persistence.written import Written, list_rows, reopened
from tests.properties import test_life_cycle
from tests.properties.test_life_cycle import LifeCycle
from tests.thoroughness import examples

pytestmark = test_life_cycle.pytestmark  # what an older botocore lacks


class PersistedLifeCycle(LifeCycle):
    """A life cycle after each of whose steps the changes are written."""

    rows: Written | None = None

    @invariant()
    def all_changes_are_noticed(self) -> None:
        if self.rows is None:
            self.rows = Written(self.kms)
        self.rows.write(with_services=True)  # the test makes credentials
        assert self.rows.find_missed() == []

    def teardown(self) -> None:
        rows = self.rows
        try:
            if rows is not None:
                rows.write(with_services=True)
                waiting: Any = self.kms.options["waiting"]
                with reopened(rows, seed=1, delays="kms", waiting=waiting) as again:
                    assert list_rows(again) == list_rows(self.kms)
        finally:
            if rows is not None:
                rows.end()
            super().teardown()


TestPersistedLifeCycle = PersistedLifeCycle.TestCase
if settings.default != settings.get_profile("nightly"):
    from hypothesis import Phase

    TestPersistedLifeCycle.settings = examples(5, stateful_step_count=40, phases=[Phase.generate])
