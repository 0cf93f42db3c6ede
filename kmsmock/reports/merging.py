"""Merge the reports of several processes or machines into one."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import localcontext
from typing import TypeVar

from kmsmock.aws.prices import ARITHMETIC
from kmsmock.reports.report import (
    CALLS_KEPT,
    KEYS_KEPT,
    PERMISSIONS_KEPT,
    REFUSALS_KEPT,
    SLOWEST_KEPT,
    Report,
    Tally,
)

T = TypeVar("T", bound=Tally)


def merge(reports: Iterable[Report]) -> Report:
    """Merge reports; the result does not depend on their order."""
    merged = Report()
    with localcontext(ARITHMETIC):
        for report in reports:
            _rename_duplicate_mocks(merged, report)
            _add(merged, report)
    _sort(merged)
    _apply_limits(merged)
    return merged


def _add(merged: Report, report: Report) -> None:
    made = [time for time in (merged.made, report.made) if time is not None]
    merged.made = max(made, default=None)
    merged.tests_run += report.tests_run
    merged.tests_failed += report.tests_failed
    merged.notes = list(dict.fromkeys([*merged.notes, *report.notes]))
    merged.total.add(report.total)
    merged.storage += report.storage
    merged.storage_moved += report.storage_moved
    _add_tallies(merged.operations, report.operations)
    _add_tallies(merged.tests, report.tests)
    _add_tallies(merged.specs, report.specs)
    merged.keys += report.keys
    merged.refusals += report.refusals
    merged.slowest += report.slowest
    merged.add_quotas(report.quotas)
    merged.scenes += report.scenes
    merged.policies += report.policies
    for what, number in report.omitted.items():
        merged.omit(what, number)


def _add_tallies(merged: dict[str, T], added: dict[str, T]) -> None:
    for name, tally in added.items():
        known = merged.get(name)
        if known is None:
            known = merged[name] = type(tally)()
        known.add(tally)


def _rename_duplicate_mocks(merged: Report, report: Report) -> None:
    """Rename the mocks of a report whose names exist: the same test was run elsewhere, too."""
    used_names = set(merged.mocks())
    new_names: dict[str, str] = {}
    #: Name without number -> the last number that was given.
    numbers: dict[str, int] = {}
    for name in dict.fromkeys(report.mocks()):
        new, base = name, name.partition(" #")[0]
        while new in used_names:
            numbers[base] = numbers.get(base, 1) + 1
            new = f"{base} #{numbers[base]}"
        used_names.add(new)
        new_names[name] = new
    for record in report.keys:
        record.mock = new_names[record.mock]
    for scene in report.scenes:
        scene.mock = new_names[scene.mock]


def _sort(report: Report) -> None:
    """Sort all lists, so that the order does not depend on which process ran which test."""
    report.keys.sort(key=lambda record: (record.mock, record.created, record.arn))
    report.refusals.sort(key=lambda refusal: (refusal.test or "", not refusal.is_denied))
    report.slowest.sort(key=lambda slow: -slow.seconds)
    report.scenes.sort(key=lambda scene: scene.mock)  # stable: scenes of one mock keep their order
    report.policies.sort(key=lambda record: record.policy)
    report.notes.sort()


def _apply_limits(report: Report) -> None:
    """Remove items above the limits, as in a report of a single process."""
    report.omit("keys", len(report.keys) - KEYS_KEPT)
    report.omit("refusals", sum(refusal.times for refusal in report.refusals[REFUSALS_KEPT:]))
    del report.keys[KEYS_KEPT:]
    del report.refusals[REFUSALS_KEPT:]
    del report.slowest[SLOWEST_KEPT:]
    calls, permissions = CALLS_KEPT, PERMISSIONS_KEPT
    for scene in report.scenes:
        report.omit("calls", len(scene.calls) - calls)
        report.omit("permissions", len(scene.permissions) - permissions)
        del scene.calls[calls:]
        del scene.permissions[permissions:]
        calls -= len(scene.calls)
        permissions -= len(scene.permissions)
    report.scenes = [s for s in report.scenes if s.calls or s.lanes]
