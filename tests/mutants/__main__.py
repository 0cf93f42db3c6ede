"""Change the code in many places, and show which changes no test notices.

    python -m tests.mutants [--count 200] [--seed 1] [--packages authorization,access,...]

For each mutant, the tests run that run the changed line. Survivors are printed; the exit status is
1 if fewer are killed than ``--fail-under``, or an entry of ``equivalents.py`` is out of date.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from itertools import accumulate

from tests.mutants.coverage_map import ROOT, CoverageMap
from tests.mutants.mutations import mutate
from tests.mutants.sample import Mutant, choose, list_mutants, list_stale
from tests.mutants.trial import Outcome, Trial, run_trials, warm_up

PACKAGES = ("authorization", "access", "operations", "crypto", "ledger")
#: How many tests run at first, and how many next: most mutants fail one of few, and the fewer
#: files are collected, the better.
_STEPS = (5, 40)
_MOST_SHOWN = 4


@dataclass
class Examined:
    """A mutant, and what is known of it."""

    mutant: Mutant
    #: The tests that could notice it, and those that still have to run.
    tests: list[str]
    left: list[str] = field(init=False)
    outcome: Outcome | None = None
    killers: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.left = self.tests


class Examination:
    """Trials of a sample of mutants."""

    def __init__(self, known: CoverageMap, mutants: list[Mutant], *, seconds: float) -> None:
        self._known = known
        self._seconds = seconds
        self.examined = [Examined(mutant, self._choose_tests(mutant)) for mutant in mutants]

    def _choose_tests(self, mutant: Mutant) -> list[str]:
        tests = self._known.find_tests(mutant.file, mutant.mutation)
        times = accumulate(self._known.durations[test] for test in tests)
        return [test for test, time in zip(tests, times, strict=True) if time <= self._seconds]

    def run(self, jobs: int) -> None:
        """Run the tests of all mutants."""
        waiting = deque(self.examined)
        while waiting:
            for each, result in run_trials(self._list_trials(waiting), jobs=jobs):
                each.outcome, each.killers = result.outcome, result.killers
                if result.outcome is Outcome.SURVIVED and each.left:
                    waiting.appendleft(each)
                    continue
                if result.outcome is Outcome.SURVIVED:
                    print(show_survivor(each), end="\n\n", flush=True)
                _show_progress(self.examined)
            waiting.extend(self._repeat_without_faulty(jobs))

    def _list_trials(self, waiting: deque[Examined]) -> Iterator[tuple[Examined, Trial]]:
        while waiting:
            each = waiting.popleft()
            done = len(each.tests) - len(each.left)
            count = next((step for step in _STEPS if step > done), len(each.tests)) - done
            tests, each.left = each.left[:count], each.left[count:]
            mutant = each.mutant
            make_tree = partial(mutate, (ROOT / mutant.file).read_text(), mutant.mutation.index)
            yield each, Trial(mutant.module, make_tree, tests, self._time(tests))

    def _time(self, tests: list[str]) -> float:
        return sum(self._known.durations[test] for test in tests)

    def _repeat_without_faulty(self, jobs: int) -> list[Examined]:
        """Return the mutants that were killed by a test that fails without them, too."""
        tests = sorted({test for each in self.examined for test in each.killers})
        control = Trial("", lambda: None, tests, self._time(tests), ends_early=False)
        faulty: set[str] = set()
        for _, result in run_trials(iter([(None, control)] if tests else []), jobs=jobs):
            faulty.update(result.killers)
        again = [each for each in self.examined if faulty.intersection(each.killers)]
        for each in again:
            each.tests = each.left = [test for test in each.tests if test not in faulty]
            each.killers = []
        if faulty:
            print("fail without a mutant, and are left out:", *sorted(faulty), sep="\n  ")
        return again


# --- what is shown -------------------------------------------------------------------------------


def _show_progress(examined: list[Examined]) -> None:
    if sys.stderr.isatty():
        done = sum(each.outcome is not None for each in examined)
        print(f"\r{done} of {len(examined)}", end="", file=sys.stderr)


def _indent(code: str, sign: str) -> str:
    return "\n".join(f"    {sign} {line}" for line in code.splitlines())


def show_survivor(each: Examined) -> str:
    """Return a survivor as a diff, with the tests that ran."""
    file, mutation = each.mutant
    tests = f"{len(each.tests)} tests passed" if each.tests else "no test runs it"
    shown = [f"        {test}" for test in each.tests[:_MOST_SHOWN]]
    return "\n".join(
        [
            f"{file}:{mutation.line} in {mutation.function or 'the module'}; {tests}",
            _indent(mutation.before, "-"),
            _indent(mutation.after, "+"),
            *shown,
        ]
    )


def show_counts(name: str, examined: list[Examined], equivalent: int) -> tuple[str, float]:
    """Return a line about mutants, and the share of those killed, in percent."""
    survived = sum(each.outcome is Outcome.SURVIVED for each in examined)
    timeouts = sum(each.outcome is Outcome.TIMEOUT for each in examined)
    killed = len(examined) - survived
    share = 100 * killed / len(examined) if examined else 100.0
    text = (
        f"{name:<14} {killed:>4} killed, {timeouts} of them by timeout, {survived:>3} survived "
        f"({share:.1f} % killed), {equivalent} equivalent"
    )
    return text, share


def report(examined: list[Examined], equivalents: list[Mutant]) -> float:
    """Print how many of each package were killed; return the share of the killed, in percent."""
    packages = sorted({e.mutant.package for e in examined} | {m.package for m in equivalents})
    for package in packages:
        of_package = [each for each in examined if each.mutant.package == package]
        equivalent = sum(mutant.package == package for mutant in equivalents)
        print(show_counts(package, of_package, equivalent)[0])
    text, share = show_counts("all", examined, len(equivalents))
    print(text)
    return share


def _read_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__)
    add = partial(parser.add_argument, metavar="")
    add("--count", type=int, default=200, help="how many mutants; 200")
    add("--seed", type=int, default=1, help="another one chooses other mutants; 1")
    add("--packages", default=",".join(PACKAGES), help="those of kmsmock, separated by commas")
    add("--jobs", type=int, default=os.cpu_count() or 1, help="how many at the same time")
    add("--seconds", type=float, default=60, help="of tests for one mutant, at most; 60")
    add("--fail-under", type=float, default=90, help="the least share of killed, in percent; 90")
    parser.add_argument("--afresh", action="store_true", help="record all tests again")
    return parser.parse_args()


def main() -> int:
    """Run the command; return its exit status."""
    arguments = _read_arguments()
    os.chdir(ROOT)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # ends the trials, too
    mutants = [m for package in arguments.packages.split(",") for m in list_mutants(package)]
    stale = list_stale(mutants)
    known = CoverageMap.load(afresh=arguments.afresh, jobs=arguments.jobs)
    sample = choose(mutants, arguments.count, arguments.seed)
    warm_up()
    to_kill = [mutant for mutant in sample if mutant.reason is None]
    examination = Examination(known, to_kill, seconds=arguments.seconds)
    examination.run(arguments.jobs)
    share = report(examination.examined, [m for m in sample if m.reason is not None])
    for entry in stale:
        print(f"equivalents.py is out of date: {entry}")
    return 1 if stale or share < arguments.fail_under else 0


if __name__ == "__main__":
    sys.exit(main())
