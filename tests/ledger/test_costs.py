"""What was spent, by what, what it would be at another scale, and what it may be at most."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timezone
from decimal import Decimal, localcontext
from typing import Any

import pytest

from kmsmock import KMSMock, mock_kms
from tests.refusals import refused

START = datetime(2026, 4, 1, tzinfo=timezone.utc)
STANDARD = Decimal("0.000003")
HOUR = Decimal(1) / 720


@pytest.fixture
def kms() -> Iterator[KMSMock]:
    with mock_kms(seed=1, start_time=START) as kms:
        yield kms


@pytest.fixture
def key(kms: KMSMock) -> Any:
    return kms.client().create_key()["KeyMetadata"]


# --- groups --------------------------------------------------------------------------------------


def test_requests_are_grouped_with_what_they_cost_the_dearest_first(kms: KMSMock, key: Any) -> None:
    client = kms.client()
    for _ in range(3):
        client.encrypt(KeyId=key["KeyId"], Plaintext=b"text")
    client.generate_data_key_pair(KeyId=key["KeyId"], KeyPairSpec="RSA_2048")

    groups = kms.costs.by_operation()

    assert list(groups.items()) == [("GenerateDataKeyPair", 1), ("Encrypt", 3), ("CreateKey", 1)]
    assert [group.usd for group in groups.values()] == [Decimal("0.0012"), 3 * STANDARD, STANDARD]
    assert str(groups["Encrypt"]) == "3 ($0.000009)"


def test_groups_by_key_account_and_region_have_the_storage_of_keys(kms: KMSMock, key: Any) -> None:
    elsewhere = kms.client(region="eu-west-1").create_key()["KeyMetadata"]
    kms.client().encrypt(KeyId=key["KeyId"], Plaintext=b"text")
    kms.client().list_keys()
    kms.clock.advance(hours=72)

    by_key, by_region = kms.costs.by_key(), kms.costs.by_region()

    assert by_key == {key["Arn"]: 2, elsewhere["Arn"]: 1}
    assert by_region == {"us-east-1": 3, "eu-west-1": 1}
    for group in (*by_key.values(), *by_region.values()):
        assert group.storage == Decimal("0.1")
    assert kms.costs.by_account()["123456789012"].storage == Decimal("0.2")
    assert str(by_region["eu-west-1"]) == "1 ($0.000003, storage $0.10)"


def test_months_are_those_of_the_mocks_clock(kms: KMSMock, key: Any) -> None:
    kms.clock.move_to(datetime(2026, 5, 1, tzinfo=timezone.utc))
    kms.client().encrypt(KeyId=key["KeyId"], Plaintext=b"text")
    kms.clock.advance(hours=744)

    groups = kms.costs.by_month()

    assert groups == {"2026-04": 1, "2026-05": 1}
    assert [group.storage for group in groups.values()] == [1, 1]
    assert kms.costs.storage == kms.costs.total == 2


def test_tests_are_told_apart(kms: KMSMock, key: Any) -> None:  # noqa: ARG001
    [(name, requests)] = kms.costs.by_test().items()

    assert name.endswith("::test_tests_are_told_apart")
    assert requests == 1


def test_the_total_is_what_is_above_the_free_tier_and_storage() -> None:
    with mock_kms(seed=1, prices={"free_requests": 1}) as kms:
        kms.client().create_key()
        kms.client().list_keys()
        assert kms.costs.total == STANDARD
        kms.clock.advance(days=40)

        assert kms.costs.total - kms.costs.storage == STANDARD
        months = [kms.costs.invoice(month).total for month in kms.costs.by_month()]
        assert sum(months) == pytest.approx(kms.costs.total)


def test_what_is_due_by_the_computers_time_is_done_before_the_bill_is_made(kms: KMSMock) -> None:
    key_id = kms.client().create_key()["KeyMetadata"]["KeyId"]
    kms.client().enable_key_rotation(KeyId=key_id)
    # As freezegun and time-machine do: the mock is not told.
    kms.clock._shift += START.replace(year=2029) - START

    assert kms.costs.by_month()["2028-12"].storage == 3


def test_amounts_are_exact_whatever_the_precision_of_the_test(kms: KMSMock, key: Any) -> None:
    kms.client().generate_data_key_pair(KeyId=key["KeyId"], KeyPairSpec="ECC_NIST_P256")
    with localcontext() as context:
        context.prec = 2
        estimate = kms.costs.project(kms.calls[1:], times=1_234_567)

        assert estimate.total == Decimal("13.34567")
        assert estimate.lines[0].unit_price == 1
    assert isinstance(kms.costs.total, Decimal)


def test_the_sums_fit_in_a_line(kms: KMSMock, key: Any) -> None:  # noqa: ARG001
    assert repr(kms.costs) == "<1 request, $0.00 so far>"
    assert repr(kms.costs.invoice("2026-04")) == "<2026-04: $0.00, 1 lines>"


# --- projections ---------------------------------------------------------------------------------


def test_what_sets_up_keys_is_not_multiplied(kms: KMSMock, key: Any) -> None:
    kms.client().create_alias(AliasName="alias/app", TargetKeyId=key["KeyId"])
    kms.client().encrypt(KeyId="alias/app", Plaintext=b"text")

    estimate = kms.costs.project(per="month", times=2_000_000)

    assert estimate.title == "1 request x 2,000,000 a month"
    assert estimate.notes == (
        "requests that set up keys are counted as they are: CreateAlias, CreateKey",
    )
    assert estimate.total == 1 + (2_000_002 - 20_000) * STANDARD
    assert "Note: requests that set up keys" in str(estimate)


def test_a_year_has_the_free_tier_and_the_storage_of_twelve_months(kms: KMSMock, key: Any) -> None:
    kms.client().encrypt(KeyId=key["KeyId"], Plaintext=b"text")

    estimate = kms.costs.project(kms.calls.filter("Encrypt"), per="year", times=1_000_000)

    assert estimate.total == 12 + (1_000_000 - 240_000) * STANDARD


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"per": "week", "times": 1}, "per must be 'month' or 'year', not 'week'"),
        ({"times": 1.5}, "times must be a whole number"),
        ({"times": -1}, "times must be a whole number"),
        ({"times": True}, "times must be a whole number"),
    ],
)
def test_a_projection_that_cannot_be_is_refused(
    kms: KMSMock, arguments: dict[str, Any], said: str
) -> None:
    with pytest.raises(ValueError, match=said):
        kms.costs.project(**arguments)


# --- limits --------------------------------------------------------------------------------------


def test_costs_above_a_limit_fail_with_the_bill(kms: KMSMock, key: Any) -> None:  # noqa: ARG001
    kms.clock.advance(days=15)
    kms.costs.assert_below(usd="0.51")

    with pytest.raises(AssertionError) as caught:
        kms.costs.assert_below(usd="0.50")

    head, _, bill = str(caught.value).partition("\n")
    assert head == "expected costs below $0.50, found $0.50:"
    assert bill == kms.costs.table()


def test_a_budget_shows_its_limits_and_what_was_spent(kms: KMSMock, key: Any) -> None:
    with kms.budget(requests=3, usd="0.1") as budget:
        kms.client().encrypt(KeyId=key["KeyId"], Plaintext=b"text")

        limits = "3 requests and $0.10 at list price"
        assert repr(budget) == f"<budget of this block: {limits}; 1 request ($0.000003) so far>"


def test_a_block_within_its_budget_passes(kms: KMSMock, key: Any) -> None:
    with kms.budget(requests=1, usd=STANDARD) as budget:
        kms.client().encrypt(KeyId=key["KeyId"], Plaintext=b"text")

    assert (budget.requests, budget.usd) == (1, STANDARD)
    kms.client().list_keys()
    assert budget.requests == 1


def test_a_block_that_makes_too_many_requests_fails_with_what_spent_it(
    kms: KMSMock, key: Any
) -> None:
    kms.client().create_alias(AliasName="alias/app", TargetKeyId=key["KeyId"])

    def spend() -> None:
        for _ in range(2):
            kms.client().encrypt(KeyId="alias/app", Plaintext=b"text")
        with refused("NotFoundException"):
            kms.client().encrypt(KeyId="alias/other", Plaintext=b"text")

    with pytest.raises(AssertionError) as caught, kms.budget(requests=2):
        spend()

    lines = str(caught.value).splitlines()
    assert lines[:4] == [
        "the budget of this block is exceeded: 2 requests allowed, 3 requests ($0.000006) made",
        "  2 x Encrypt alias/app, $0.000006",
        "  1 x Encrypt alias/other, $0.00",
        "the calls:",
    ]
    assert [line.split(" by ")[0] for line in lines[4:]] == [
        *["  Encrypt alias/app"] * 2,
        "  Encrypt alias/other",
    ]


def test_a_block_that_costs_too_much_fails(kms: KMSMock, key: Any) -> None:
    said = r"\$0.001 at list price allowed, 1 request \(\$0.0012\) made\n  1 x GenerateDataKeyPair"
    with pytest.raises(AssertionError, match=said), kms.budget(usd="0.001"):
        kms.client().generate_data_key_pair(KeyId=key["KeyId"], KeyPairSpec="RSA_2048")


def test_a_block_that_fails_by_itself_says_so_and_not_what_it_cost(kms: KMSMock) -> None:
    def fail() -> None:
        kms.client().list_keys()
        raise KeyError

    with pytest.raises(KeyError), kms.budget(requests=0):
        fail()


def test_budgets_count_calls_of_which_no_record_is_kept() -> None:
    with mock_kms(calls_kept=1) as kms:

        def spend() -> None:
            for _ in range(30):
                kms.client().list_keys()

        said = r"30 requests .* made(.|\n)*, after 10 others:"
        with pytest.raises(AssertionError, match=said), kms.budget(requests=29) as budget:
            spend()

        assert budget.requests == 30


@pytest.mark.parametrize(
    ("limits", "said"),
    [
        ({}, "the budget of this block needs a limit: requests, usd, or both"),
        ({"requests": -1}, "a whole number of requests, not -1"),
        ({"requests": "3"}, "a whole number of requests, not '3'"),
        ({"usd": "cheap"}, "usd must be an amount in USD"),
    ],
)
def test_a_budget_that_cannot_be_is_refused(
    kms: KMSMock, limits: dict[str, Any], said: str
) -> None:
    with pytest.raises(TypeError, match=said):
        kms.budget(**limits)


# --- limits of tests -----------------------------------------------------------------------------


def test_a_mark_limits_what_a_test_may_spend(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import boto3
        import kmsmock
        import pytest

        pytestmark = pytest.mark.kms(max_requests=2)

        @pytest.fixture
        def set_up(kms_client):
            for _ in range(5):
                kms_client.list_keys()

        def test_within(set_up, kms_client):
            kms_client.list_keys()

        def test_beyond(set_up, kms_client):
            for _ in range(3):
                kms_client.list_aliases()

        @kmsmock.mock_kms
        def test_decorated():
            for _ in range(3):
                boto3.client("kms").list_keys()

        @pytest.mark.kms(max_requests=9, max_usd="0.000002")
        def test_dear(kms_client):
            kms_client.list_keys()

        @pytest.mark.kms(max_usd="cheap")
        def test_nonsense(kms_client):
            pass
        """
    )

    result = pytester.runpytest_inprocess()

    result.assert_outcomes(passed=1, failed=4)
    result.stdout.fnmatch_lines(
        [
            "the budget of this test is exceeded: 2 requests allowed, 3 requests * made",
            "  3 x ListAliases, $0.000009",
            "  3 x ListKeys, $0.000009",
            "the budget *$0.000002 at list price allowed, 1 request ($0.000003) made",
            "*@pytest.mark.kms: usd must be an amount in USD*",
        ]
    )


def test_the_limits_of_a_test_hold_for_all_mocks_that_answer_it(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import pytest
        from kmsmock import mock_kms

        with mock_kms(isolated=True) as earlier:
            pass

        @pytest.mark.kms(max_requests=0)
        @pytest.mark.parametrize("which", ["active", "new", "earlier"])
        def test_it(kms, which):
            if which == "active":
                kms.client().list_keys()
            elif which == "new":
                with mock_kms(isolated=True) as new:
                    new.client().list_keys()
            else:
                earlier.start()
                earlier.client().list_keys()
                earlier.stop()
        """
    )

    pytester.runpytest_inprocess().assert_outcomes(failed=3)


def test_the_budget_of_a_block_is_for_one_mock(kms: KMSMock) -> None:
    with kms.budget(requests=0), mock_kms(isolated=True) as inner:
        inner.client().list_keys()


def test_the_summary_of_a_run_tells_which_budgets_were_exceeded(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import pytest

        @pytest.mark.kms(max_requests=0)
        def test_mark(kms_client):
            kms_client.list_keys()

        def test_block(kms, kms_client):
            with kms.budget(usd="0.000001"):
                kms_client.list_keys()

        def test_other():
            assert False
        """
    )

    result = pytester.runpytest_inprocess()

    result.stdout.fnmatch_lines(
        [
            "*- kmsmock budgets -*",
            "*::test_mark: 0 requests allowed, 1 request ($0.000003) made",
            "*::test_block: $0.000001 at list price allowed, 1 request ($0.000003) made",
            "*short test summary*",
        ],
        consecutive=True,
    )


@pytest.mark.usefixtures("everything_loaded")
def test_records_and_prices_are_options_of_marks_and_of_the_configuration(
    pytester: pytest.Pytester,
) -> None:
    (pytester.path / "prices.json").write_text('{"KMS-Requests": "0.5"}')
    pytester.makeini("[pytest]\nkms_calls_kept = 2\nkms_prices = prices.json\n")
    pytester.makepyfile(
        """
        import pytest

        def test_ini(kms, kms_client):
            for _ in range(3):
                kms_client.list_keys()
            assert len(kms.calls) == 2
            assert str(kms.calls[0].price) == "0.5"

        @pytest.mark.kms(calls_kept=1, prices={"KMS-Requests": "2"})
        def test_mark(kms, kms_client):
            for _ in range(3):
                kms_client.list_keys()
            assert len(kms.calls) == 1
            assert kms.calls[0].price == 2
        """
    )

    pytester.runpytest_inprocess().assert_outcomes(passed=2)
