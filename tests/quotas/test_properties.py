"""Headroom and throttling agree, whatever calls are made at whatever times."""

from __future__ import annotations

import contextlib
from functools import cache
from typing import Any

from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st

from kmsmock import mock_kms
from tests.quotas.calls import make_client

QUOTAS = {"ListKeys": 2, "ListAliases": 0.5}
CALLS = ("list_keys", "list_aliases")
#: A call, or a time in ms that passes.
STEPS = st.lists(
    st.sampled_from(CALLS) | st.sampled_from((1, 400, 600, 999, 1000, 2000)), max_size=20
)


@cache
def _client() -> Any:
    return make_client()


def live_through(steps: list[str | int]) -> tuple[bool, int]:
    """Return whether the calls stay within the quotas, and how many of them were throttled."""
    with mock_kms(seed=1, isolated=True, quotas=QUOTAS) as kms:
        client = _client()
        for step in steps:
            if isinstance(step, str):
                with contextlib.suppress(ClientError):
                    getattr(client, step)()
            else:
                kms.clock.advance(seconds=step / 1000)
        return bool(kms.quotas.headroom()), len(kms.calls.filter(error_code="ThrottlingException"))


@given(STEPS)
def test_what_is_within_the_quotas_is_not_throttled_and_all_else_is(steps: list[str | int]) -> None:
    fits, throttled = live_through(steps)

    assert fits == (throttled == 0)
