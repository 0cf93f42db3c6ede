"""What holds for the costs of any calls and keys, whatever they are."""

from __future__ import annotations

import contextlib
from collections import Counter
from datetime import datetime, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import strategies as st

from kmsmock import KMSMock, mock_kms
from tests.thoroughness import examples

START = datetime(2026, 1, 31, 22, tzinfo=timezone.utc)
REGIONS = ("us-east-1", "eu-west-1", "us-gov-west-1")
PROPERTY = examples(
    8,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
NO_FREE_TIER = {"free_requests": 0}

REQUESTS = {
    "Encrypt": lambda client, key: client.encrypt(KeyId=key, Plaintext=b"text"),
    "ListKeys": lambda client, _: client.list_keys(),
    "GenerateDataKeyPair": lambda client, key: client.generate_data_key_pair(
        KeyId=key, KeyPairSpec="ECC_NIST_P256"
    ),
    "DescribeKey": lambda client, _: _failing(client),
}
requests = st.lists(
    st.tuples(st.sampled_from(REGIONS), st.sampled_from(sorted(REQUESTS))), max_size=12
)


def _failing(client: Any) -> None:
    with pytest.raises(client.exceptions.NotFoundException):
        client.describe_key(KeyId="alias/none")


def make(kms: KMSMock, wanted: list[tuple[str, str]]) -> None:
    """Make requests, with one key for each Region."""
    keys: dict[str, str] = {}
    for region, operation in wanted:
        client = kms.client(region=region)
        if region not in keys:
            keys[region] = client.create_key()["KeyMetadata"]["KeyId"]
        REQUESTS[operation](client, keys[region])


def of_requests(kms: KMSMock, calls: Any) -> Decimal:
    invoice = kms.costs.project(calls, times=1_000)
    return invoice.total - invoice.storage


@PROPERTY
@given(requests, st.integers(0, 12))
def test_costs_of_requests_add_up_over_parts(wanted: list[tuple[str, str]], place: int) -> None:
    with mock_kms(seed=1, prices=NO_FREE_TIER) as kms:
        make(kms, wanted)
        first, second = kms.calls[:place], kms.calls[place:]

        whole = of_requests(kms, kms.calls)

        assert of_requests(kms, first) + of_requests(kms, second) == whole
        assert sum((call.price for call in kms.calls), Decimal(0)) * 1_000 == whole


@PROPERTY
@given(requests, st.lists(st.sampled_from(REGIONS), min_size=12, max_size=12))
def test_the_free_tier_is_the_same_however_requests_are_spread_over_regions(
    wanted: list[tuple[str, str]], regions: list[str]
) -> None:
    bills = []
    spread = [(region, operation) for (_, operation), region in zip(wanted, regions, strict=False)]
    for places in (wanted, spread):
        with mock_kms(seed=1, prices={"free_requests": 3_000}) as kms:
            make(kms, places)
            used = [call for call in kms.calls if call.operation != "CreateKey"]
            calls = kms.calls.filter("Encrypt")
            bills.append((len(used), of_requests(kms, calls)))

    assert bills[0] == bills[1]


STEPS = ("create", "rotate", "schedule", "cancel", "disable", "encrypt")
lives = st.lists(
    st.tuples(st.sampled_from(STEPS), st.integers(0, 3), st.integers(0, 1_000)), max_size=15
)


def _step(kms: KMSMock, step: str, place: int) -> None:
    client = kms.client()
    if step == "create" or not kms.keys:
        client.create_key()
        return
    key_id = kms.keys[place % len(kms.keys)].key_id
    parameters = {
        "rotate": ("rotate_key_on_demand", {}),
        "schedule": ("schedule_key_deletion", {"PendingWindowInDays": 7}),
        "cancel": ("cancel_key_deletion", {}),
        "disable": ("disable_key", {}),
        "encrypt": ("encrypt", {"Plaintext": b"text"}),
    }
    method, more = parameters[step]
    # The state of the key may not permit it.
    with contextlib.suppress(client.exceptions.ClientError):
        getattr(client, method)(KeyId=key_id, **more)


@PROPERTY
@given(lives)
def test_costs_never_fall_with_time_and_months_add_up(steps: list[tuple[str, int, int]]) -> None:
    with mock_kms(seed=1, start_time=START, prices=NO_FREE_TIER) as kms:
        before = Decimal(0)
        for step, place, hours in steps:
            _step(kms, step, place)
            kms.clock.advance(hours=hours)
            now = kms.costs.total
            assert now >= before
            before = now

        costs = kms.costs
        months = [costs.invoice(month).total for month in costs.by_month()]
        for total in (
            sum(months),
            sum(group.usd + group.storage for group in costs.by_month().values()),
            sum(group.usd + group.storage for group in costs.by_account().values()),
            costs.storage + sum(group.usd for group in costs.by_operation().values()),
            sum(group.storage for group in costs.by_key().values())
            + sum(group.usd for group in costs.by_operation().values()),
        ):
            assert abs(total - costs.total) < Decimal("1e-25")


@PROPERTY
@given(requests, st.integers(1, 20))
def test_counts_are_those_of_the_records_and_stay_so_when_records_are_dropped(
    wanted: list[tuple[str, str]], kept: int
) -> None:
    groups = ("by_operation", "by_key", "by_account", "by_region", "by_test", "by_month")
    seen = []
    for calls_kept in (100, kept):
        with mock_kms(seed=1, calls_kept=calls_kept, start_time=START) as kms:
            make(kms, wanted)
            counts = {name: getattr(kms.costs, name)() for name in groups}
            seen.append((kms.costs.requests, kms.costs.total, repr(counts)))
            if calls_kept == 100:
                operations = Counter(call.operation for call in kms.calls)
                assert counts["by_operation"] == dict(operations)
                assert kms.calls.dropped == 0
                assert kms.costs.requests == len(kms.calls)
            else:
                assert len(kms.calls) == min(kept, kms.costs.requests)

    assert seen[0] == seen[1]
