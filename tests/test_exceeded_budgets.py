"""The list of exceeded budgets at the end of a run."""

from __future__ import annotations

from collections.abc import Callable

import pytest

RUN = Callable[..., pytest.RunResult]

HELPERS = """
    import pytest

    def call(kms, times):
        for _ in range(times):
            kms.client().list_keys()
"""

#: What a test does -> its text, and the list at the end of the run.
SUITES: dict[str, tuple[str, list[str]]] = {
    "a limit of a test that fails": (
        """
        @pytest.mark.kms(max_requests=1)
        def test_it(kms):
            call(kms, 3)
            raise LookupError("its own error")
        """,
        ["1 request allowed, 3 requests ($0.000009) made"],
    ),
    "a limit of a test that stops": (
        """
        @pytest.mark.kms(max_requests=1)
        def test_it(kms):
            call(kms, 2)
            pytest.fail("its own failure")
        """,
        ["1 request allowed, 2 requests ($0.000006) made"],
    ),
    "a block that raises": (
        """
        def test_it(kms):
            with kms.budget(usd="0.000003"):
                call(kms, 2)
                raise LookupError("its own error")
        """,
        ["$0.000003 at list price allowed, 2 requests ($0.000006) made"],
    ),
    "a block before another failure": (
        """
        def test_it(kms):
            with pytest.raises(AssertionError), kms.budget(requests=0):
                call(kms, 1)
            assert False
        """,
        ["0 requests allowed, 1 request ($0.000003) made"],
    ),
    "a block and a limit": (
        """
        @pytest.mark.kms(max_requests=1)
        def test_it(kms):
            with kms.budget(requests=2):
                call(kms, 3)
        """,
        [
            "2 requests allowed, 3 requests ($0.000009) made",
            "1 request allowed, 3 requests ($0.000009) made",
        ],
    ),
    "the set-up of a fixture": (
        """
        @pytest.fixture
        def made(kms):
            with kms.budget(requests=0):
                call(kms, 1)

        def test_it(made): pass
        """,
        ["0 requests allowed, 1 request ($0.000003) made"],
    ),
    "the end of a fixture": (
        """
        @pytest.fixture
        def made(kms):
            yield
            with kms.budget(requests=0):
                call(kms, 1)

        def test_it(made): pass
        """,
        ["0 requests allowed, 1 request ($0.000003) made"],
    ),
    "a test that expects it": (
        """
        def test_it(kms):
            with pytest.raises(AssertionError), kms.budget(requests=0):
                call(kms, 1)
        """,
        [],
    ),
    "limits that are kept": (
        """
        @pytest.mark.kms(max_requests=3)
        def test_it(kms):
            with kms.budget(requests=3):
                call(kms, 3)
            assert False
        """,
        [],
    ),
}


def list_exceeded(result: pytest.RunResult) -> list[str]:
    """Return the list at the end of a run, without the names of tests."""
    lines = result.outlines
    starts = [number for number, line in enumerate(lines) if "- kmsmock budgets -" in line]
    if not starts:
        return []
    listed = []
    for line in lines[starts[0] + 1 :]:
        if not line.startswith("test_it.py::"):
            break
        listed.append(line.partition(": ")[2])
    return listed


@pytest.mark.parametrize("what", SUITES)
def test_budgets_that_a_failed_test_has_exceeded_are_listed(run_alone: RUN, what: str) -> None:
    suite, listed = SUITES[what]

    result = run_alone(_text(suite))

    assert list_exceeded(result) == listed


def test_a_failed_test_shows_its_own_error_and_the_requests(run_alone: RUN) -> None:
    result = run_alone(_text(SUITES["a limit of a test that fails"][0]))

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "*LookupError: its own error",
            "*- kmsmock budget -*",
            "the budget of this test is exceeded: 1 request allowed, *",
            "  3 x ListKeys*",
        ]
    )


def test_a_budget_of_a_subtest_is_listed(run_alone: RUN) -> None:
    suite = """
        def test_it(kms, subtests):
            for number in range(2):
                with subtests.test(number=number), kms.budget(requests=number):
                    call(kms, number + 1)
    """

    result = run_alone(_text(suite))

    if "fixture 'subtests' not found" in result.stdout.str():
        pytest.skip("this pytest has no subtests")
    assert list_exceeded(result) == [
        "0 requests allowed, 1 request ($0.000003) made",
        "1 request allowed, 2 requests ($0.000006) made",
    ]


def test_budgets_of_workers_of_xdist_are_listed(run_alone: RUN) -> None:
    pytest.importorskip("xdist")
    suite, listed = SUITES["a limit of a test that fails"]

    assert list_exceeded(run_alone(_text(suite), "-n1")) == listed


def test_a_run_inside_a_test_has_a_list_of_its_own(
    run_alone: RUN, pytester: pytest.Pytester
) -> None:
    inner = pytester.path / "inner"
    inner.mkdir()
    (inner / "test_inner.py").write_text(
        "def test_inner(kms):\n    with kms.budget(requests=0):\n        kms.client().list_keys()\n"
    )

    options = ["-p", "no:unraisableexception"]  # which looks at all objects of the process
    result = run_alone(
        f"import pytest\ndef test_it(): assert pytest.main({[str(inner), *options]!r}) == 0\n"
    )

    assert list_exceeded(result) == []


def _text(suite: str) -> str:
    return HELPERS + suite.replace("\n    ", "\n") if suite.startswith("\n        ") else suite
