"""Which mutants there are, and a sample of them."""

from __future__ import annotations

import random
from collections.abc import Iterable
from typing import NamedTuple

from tests.mutants.coverage_map import ROOT
from tests.mutants.equivalents import EQUIVALENTS
from tests.mutants.mutations import Mutation, list_mutations


class Mutant(NamedTuple):
    """A mutation of a file of the package."""

    #: From the root of the repository.
    file: str
    mutation: Mutation

    @property
    def package(self) -> str:
        """The package under ``kmsmock``."""
        return self.file.split("/")[1]

    @property
    def module(self) -> str:
        """The name of its module."""
        return self.file.removesuffix(".py").removesuffix("/__init__").replace("/", ".")

    @property
    def reason(self) -> str | None:
        """Why no test can notice it; None if one could."""
        function, before, after = self.mutation[:3]
        entries = EQUIVALENTS.get(self.file, {})
        return entries.get((function, before, after)) or entries.get((function, "", ""))


def list_mutants(package: str) -> list[Mutant]:
    """Return all mutants of a package under ``kmsmock``. Raises FileNotFoundError."""
    folder = ROOT / "kmsmock" / package
    if not folder.is_dir():
        raise FileNotFoundError(f"kmsmock has no package {package!r}")
    return [
        Mutant(str(path.relative_to(ROOT)), mutation)
        for path in sorted(folder.rglob("*.py"))
        for mutation in list_mutations(path.read_text())
    ]


def choose(mutants: list[Mutant], count: int, seed: int) -> list[Mutant]:
    """Return a sample, spread over the lines: each line has one mutant at most.

    So packages have their share by size, and a line with many constants counts no more than others.
    """
    chance = random.Random(seed)
    by_line: dict[tuple[str, int], list[Mutant]] = {}
    for mutant in mutants:
        by_line.setdefault((mutant.file, mutant.mutation.line), []).append(mutant)
    lines = chance.sample(list(by_line), min(count, len(by_line)))
    return [chance.choice(by_line[line]) for line in lines]


def list_stale(mutants: Iterable[Mutant]) -> list[str]:
    """Return the entries of equivalents that are no mutants. mutants: all of some packages."""
    there = {(mutant.file, *mutant.mutation[:3]) for mutant in mutants}
    there |= {(file, function, "", "") for file, function, *_ in there}
    packages = {file.split("/")[1] for file, *_ in there}
    return [
        f"{file}: {function}: {before} -> {after}"
        for file, entries in EQUIVALENTS.items()
        for function, before, after in entries
        if file.split("/")[1] in packages and (file, function, before, after) not in there
    ]
