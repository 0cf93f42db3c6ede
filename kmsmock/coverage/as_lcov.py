"""The LCOV form: lines of policy files, for editors and services that show coverage.

Source: geninfo(1), "FILES". A line is a statement or an element of one; its count is how often the
statement has decided, with one of the element's values. A branch is a value, taken or not.
"""

from __future__ import annotations

from collections.abc import Iterator

from kmsmock.coverage.result import Result
from kmsmock.coverage.summary import PolicyCoverage


class _File:
    """The lines and branches of one file."""

    def __init__(self) -> None:
        self.lines: dict[int, int] = {}
        #: Line -> for each value how often it was decisive, and how often false.
        self.branches: dict[int, list[int]] = {}

    def add(self, policy: PolicyCoverage) -> None:
        """Add a policy of the file."""
        source = policy.policy.source
        assert source is not None
        for number, statement in enumerate(policy.statements):
            count = statement.allowed + statement.denied
            self._add_line(source.statements[number], count)
            for element, line in zip(statement.elements, source.elements[number], strict=True):
                decisive = sum(value.decisive for value in element.values)
                is_negated = element.element.is_negated or "Not" in element.element.name
                self._add_line(line, count if is_negated else min(count, decisive))
                branches = self.branches.setdefault(line, [])
                for value in element.values:
                    if value.value == "*":  # which nothing can differ from
                        continue
                    branches += [value.decisive, value.false]

    def _add_line(self, line: int, count: int) -> None:
        # Several elements can stand in one line, which is covered as far as the least of them.
        self.lines[line] = min(count, self.lines.get(line, count))

    def write(self, path: str) -> Iterator[str]:
        """Yield the lines of the record of the file."""
        yield "TN:"
        yield f"SF:{path}"
        taken = [count for counts in self.branches.values() for count in counts]
        for line, counts in sorted(self.branches.items()):
            for branch, count in enumerate(counts):
                yield f"BRDA:{line},0,{branch},{count}"
        yield f"BRF:{len(taken)}"
        yield f"BRH:{sum(count > 0 for count in taken)}"
        for line, count in sorted(self.lines.items()):
            yield f"DA:{line},{count}"
        yield f"LF:{len(self.lines)}"
        yield f"LH:{sum(count > 0 for count in self.lines.values())}"
        yield "end_of_record"


def lcov(result: Result) -> str:
    """Return the coverage of the policies that are written in files."""
    files: dict[str, _File] = {}
    for policy in result.summary.policies:
        source = policy.policy.source
        if source is not None:
            files.setdefault(source.path, _File()).add(policy)
    lines = [line for path, file in sorted(files.items()) for line in file.write(path)]
    return "".join(f"{line}\n" for line in lines)
