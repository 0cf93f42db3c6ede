"""Decisions are recorded so that they can be decided again."""

from __future__ import annotations

import pytest

from kmsmock import mock_kms
from kmsmock.coverage.as_json import BadCoverageError, read, write
from kmsmock.coverage.recorder import Recorder
from kmsmock.coverage.records import merge
from kmsmock.coverage.replay import Replay
from kmsmock.coverage.summary import summarize
from kmsmock.process.watchers import watching
from tests.coverage.random_decisions import RandomCases


def record(seed: int, count: int = 200):
    """Record random decisions."""
    recorder, cases = Recorder(), RandomCases(seed)
    for _ in range(count):
        case = cases.make()
        recorder.decided(case.request, case.policies, case.decide(), case.retired)
    return recorder.records


@pytest.mark.parametrize("seed", range(25))
def test_a_recorded_decision_has_the_outcome_of_the_call_when_it_is_decided_again(seed):
    records = record(seed)
    replay = Replay(records)

    assert records.notes == []
    assert {one: replay.decide(one).value for one in records.decisions} == {
        one: one.outcome for one in records.decisions
    }


def test_the_random_decisions_have_all_outcomes():
    outcomes = [one.outcome for one in record(1, 1000).decisions]

    assert min(outcomes.count(one) for one in ("allow", "explicitDeny", "implicitDeny")) > 10


def test_records_are_read_as_they_were_written():
    records = record(2)

    assert write(read(write(records))) == write(records)


def test_merged_records_count_what_both_have():
    first, second = record(3, 100), record(3, 100)
    statements = [
        (one.allowed, one.denied, one.unneeded)
        for policy in summarize(first).policies
        for one in policy.statements
    ]

    merged = merge([first, second])

    assert len(merged.policies) == len(first.policies)
    assert [
        (one.allowed, one.denied, one.unneeded)
        for policy in summarize(merged).policies
        for one in policy.statements
    ] == [tuple(2 * count for count in counts) for counts in statements]


def test_a_defect_of_the_recorder_is_noted_and_does_not_fail_the_call(monkeypatch):
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("broken")

    recorder = Recorder()
    monkeypatch.setattr(recorder, "_find", fail)
    with mock_kms(isolated=True) as kms, watching(recorder):
        kms.client().create_key()

    assert recorder.records.notes == [
        "Something is missing here, by a defect of kmsmock: RuntimeError: broken"
    ]


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda _: "[", "this is not JSON"),
        (lambda _: "{}", "this is not policy coverage"),
        (lambda text: text.replace('"version": 1', '"version": 9'), "reads versions up to 1"),
        (lambda text: text.replace('"grants": [', '"grants": 3, "x": ['), "grants: expected a"),
        (lambda text: text.replace('"allow",', '"maybe",'), r"decisions\[\d+\]: .*maybe"),
        (
            lambda text: text.replace('"Effect":"Allow"', '"Effect":"No"'),
            r"policies\[0\]: .*Effect",
        ),
        (lambda text: text.replace('["identity",', '["identity",9'), r"decisions\[\d+\]"),
        (lambda text: text.replace('["identity",', '["elsewhere",'), "is no part of the decision"),
    ],
    ids=["no JSON", "another", "newer", "no list", "outcome", "policy", "index", "part"],
)
def test_a_file_that_is_no_policy_coverage_is_refused_with_the_place(change, problem):
    written = write(record(4))
    assert read(written).policies

    with pytest.raises(BadCoverageError, match=problem):
        read(change(written))
