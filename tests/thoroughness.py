"""How many examples the tests of properties look at, by the profile of Hypothesis.

``quick`` is the default. ``thorough`` looks at four times as many; ``.ci/run`` uses it once, for
tests of properties and those with the mark ``thorough``, which ask `is_thorough`. Both look at the
same examples each time. ``nightly`` looks at twenty times as many, new ones each time.
"""

from __future__ import annotations

from typing import Any

from hypothesis import settings

#: Hypothesis's own number, which stands for "as many as the test says".
_QUICK = 100


def register_profiles(*, report_multiple_bugs: bool) -> None:
    """Make the profiles known, and use the quick one unless ``--hypothesis-profile`` is given."""
    common: dict[str, Any] = {"deadline": None, "report_multiple_bugs": report_multiple_bugs}
    settings.register_profile("quick", max_examples=_QUICK, derandomize=True, **common)
    settings.register_profile("thorough", max_examples=4 * _QUICK, derandomize=True, **common)
    settings.register_profile(
        "nightly", max_examples=20 * _QUICK, derandomize=False, stateful_step_count=200, **common
    )
    settings.load_profile("quick")


def is_thorough() -> bool:
    """Return whether all cases are to be looked at, and not a choice from them."""
    return settings.default.max_examples > _QUICK


def examples(quick: int, **more: Any) -> settings:
    """Give the settings of a test that looks at so many examples in the quick profile."""
    return settings(max_examples=quick * settings.default.max_examples // _QUICK, **more)
