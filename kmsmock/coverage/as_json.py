"""The JSON form of records, which `kmsmock coverage combine` reads and merges."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from kmsmock.authorization.policy_document import PolicyKind
from kmsmock.authorization.request import Outcome
from kmsmock.aws.principals import PrincipalKind
from kmsmock.coverage.elements import Observation, list_elements
from kmsmock.coverage.records import (
    CoveredGrant,
    CoveredPolicy,
    Decided,
    Example,
    Frame,
    GrantPart,
    PolicyPart,
    Records,
    Source,
    Tally,
    canonical,
)

FORMAT = "kmsmock-policy-coverage"
#: Incremented when a reader of the previous version would misinterpret the form.
VERSION = 1
#: The largest file that is read.
MOST_BYTES = 256 * 2**20
_SHOWN = 60
_MOST_LEVELS = 100


class BadCoverageError(ValueError):
    """A file that is not policy coverage, or that this version of kmsmock cannot read."""


def write(records: Records, **more: Any) -> str:
    """Return records as JSON in ASCII, one line for each policy, grant, test and decision.

    more: further members, for other readers.
    """
    members: dict[str, Any] = {
        "format": FORMAT,
        "version": VERSION,
        **more,
        "notes": records.notes,
        "policies": [_write_policy(policy) for policy in records.policies],
        "grants": [[g.grantee, g.operations, g.constraints, g.name] for g in records.grants],
        "tests": records.tests,
        "decisions": [
            [
                *(decided.frame, decided.policies, decided.grants, decided.outcome),
                *(tally.count, list(tally.tests.items()), tally.example),
            ]
            for decided, tally in records.decisions.items()
        ],
    }
    return "{\n" + ",\n".join(f"{json.dumps(k)}: {_lines(v)}" for k, v in members.items()) + "\n}\n"


def _lines(value: Any) -> str:
    if not isinstance(value, list) or not value:
        return json.dumps(value)
    return "[\n" + ",\n".join(json.dumps(each, separators=(",", ":")) for each in value) + "\n]"


def _write_policy(policy: CoveredPolicy) -> dict[str, Any]:
    return {
        "kind": policy.kind.value,
        "name": policy.name,
        "holder": policy.holder,
        "fixed": policy.is_fixed,
        "aliases": policy.aliases,
        "source": policy.source,
        "document": policy.document,
        "seen": policy.seen,
    }


def read(text: str) -> Records:
    """Read records from JSON. Raises BadCoverageError, which says what is wrong, and where."""
    try:
        members = json.loads(text)
    except (ValueError, RecursionError) as reason:
        raise BadCoverageError(f"this is not JSON: {reason}") from None
    if not isinstance(members, dict) or members.get("format") != FORMAT:
        raise BadCoverageError(f"this is not policy coverage: it has no format {FORMAT!r}")
    version = members.get("version")
    if type(version) is not int or not 1 <= version <= VERSION:
        raise BadCoverageError(
            f"it has version {str(version)[:_SHOWN]}, but this kmsmock reads versions up to "
            f"{VERSION}: use a newer kmsmock"
        )
    records = Records()
    for member, read_item in (
        ("notes", _read_note),
        ("policies", _read_policy),
        ("grants", _read_grant),
        ("tests", _read_test),
        ("decisions", _read_decision),
    ):
        items = members.get(member)
        if not isinstance(items, list):
            raise BadCoverageError(f"{member}: expected a list")
        for number, item in enumerate(items):
            _read_item(read_item, records, item, f"{member}[{number}]")
    return records


def _read_item(
    read_item: Callable[[Records, Any], None], records: Records, item: Any, where: str
) -> None:
    try:
        read_item(records, item)
    except (LookupError, TypeError, ValueError, AttributeError, RecursionError) as reason:
        shown = json.dumps(item)
        shown = shown if len(shown) <= _SHOWN else f"{shown[:_SHOWN]}…"
        raise BadCoverageError(f"{where}: {shown} cannot be read ({reason})") from None


def _read_note(records: Records, item: Any) -> None:
    records.notes.append(_text(item))


def _read_test(records: Records, item: Any) -> None:
    if records.add_test(_text(item)) != len(records.tests) - 1:
        raise ValueError("it is listed twice")


def _read_grant(records: Records, item: Any) -> None:
    grantee, operations, constraints, name = item
    if not isinstance(json.loads(_text(constraints)), dict):
        raise TypeError("constraints must be an object")
    grant = CoveredGrant(
        _text(grantee), tuple(_text(one) for one in operations), constraints, _text(name)
    )
    if records.add_grant(grant) != len(records.grants) - 1:
        raise ValueError("it is listed twice")


def _read_policy(records: Records, item: Any) -> None:
    from kmsmock.authorization.policy_document import check_document

    kind = PolicyKind(item["kind"])
    document = item["document"]
    check_document(document, kind)
    policy = CoveredPolicy(
        kind,
        canonical(document),
        _text(item["name"]),
        _text(item["holder"]),
        _flag(item["fixed"]),
        tuple(_text(alias) for alias in item["aliases"]),
    )
    elements = [len(list_elements(one, kind)) for one in policy.statements]
    if item["source"] is not None:
        policy.source = _read_source(item["source"], elements)
    index = records.add_policy(policy)
    if index != len(records.policies) - 1:
        raise ValueError("it is listed twice")
    for number, seen in enumerate(item["seen"]):
        if len(seen) != len(elements):
            raise ValueError("it has observations of other statements")
        found = tuple(
            None if one is None else _read_observation(one, elements[place])
            for place, one in enumerate(seen)
        )
        if records.add_seen(index, found) != number:
            raise ValueError("an observation is listed twice")


def _read_source(item: Any, elements: list[int]) -> Source:
    path, line, statements, lines = item
    source = Source(
        _text(path),
        _number(line),
        tuple(_number(one) for one in statements),
        tuple(tuple(_number(one) for one in of_statement) for of_statement in lines),
    )
    if [len(each) for each in source.elements] != elements or len(source.statements) != len(
        elements
    ):
        raise ValueError("its source has lines of other statements")
    return source


def _read_observation(item: Any, elements: int) -> Observation:
    if len(item) != elements:
        raise ValueError("it has an observation of other elements")
    return tuple((_level(level), _number(mask)) for level, mask in item)


def _read_decision(records: Records, item: Any) -> None:
    frame, policies, grants, outcome, count, tests, example = item
    action, caller, owner, has_session, service_levels, resource_levels, retires = frame
    if owner not in ("none", "same", "other"):
        raise ValueError(f"{owner!r} is no owner")
    read_frame = Frame(
        _text(action),
        PrincipalKind(caller).value,
        owner,
        _flag(has_session),
        _number(service_levels, _MOST_LEVELS),
        _number(resource_levels, _MOST_LEVELS),
        _flag(retires),
    )
    parts = tuple(PolicyPart(_text(part), _number(p), _number(s)) for part, p, s in policies)
    possible = {
        *("resource", "identity", "boundary", "session"),
        *(f"service:{level}" for level in range(read_frame.service_levels)),
        *(f"organization:{level}" for level in range(read_frame.resource_levels)),
    }
    for part in parts:
        if part.part not in possible:
            raise ValueError(f"{part.part!r} is no part of the decision")
        _ = records.policies[part.policy].seen[part.seen]
    of_grants = tuple(
        GrantPart(_number(grant), _level(level), _flag(is_own), _number(allows))
        for grant, level, is_own, allows in grants
    )
    for grant in of_grants:
        _ = records.grants[grant.grant]
    decided = Decided(read_frame, parts, of_grants, Outcome(outcome).value)
    if decided in records.decisions:
        raise ValueError("it is listed twice")
    principal, resource, pairs = example
    tally = Tally(
        Example(
            _text(principal),
            _text(resource),
            {_text(name): _text(value) for name, value in pairs.items()},
        ),
        _number(count),
        {_number(test): _number(times) for test, times in tests},
    )
    for test in tally.tests:
        _ = records.tests[test]
    records.decisions[decided] = tally


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"expected a text, not {str(value)[:_SHOWN]}")
    return value


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise TypeError(f"expected true or false, not {str(value)[:_SHOWN]}")
    return value


def _number(value: Any, most: int | None = None) -> int:
    if type(value) is not int or value < 0 or (most is not None and value > most):
        raise TypeError(f"expected a whole number, not {str(value)[:_SHOWN]}")
    return value


def _level(value: Any) -> int:
    from kmsmock.authorization.principal_element import Match

    return int(Match(_number(value)))
