"""The HTML form: a single file without scripts, and without references to others."""

from __future__ import annotations

import html
import json
from base64 import b64encode
from collections.abc import Iterable, Iterator
from hashlib import sha256
from importlib.resources import files

from kmsmock.coverage.advice import describe, describe_grant, sort_weaknesses
from kmsmock.coverage.as_text import describe_statement, format_percent
from kmsmock.coverage.result import Result, count_noticed
from kmsmock.coverage.summary import (
    ElementCoverage,
    PolicyCoverage,
    StatementCoverage,
    ValueCoverage,
    name_of,
)
from kmsmock.coverage.weakness import Weakness

_ESCAPE = html.escape
#: The tests that are listed for a statement.
_TESTS_LISTED = 200


def page(result: Result) -> str:
    """Return the HTML page of the coverage of a run."""
    style = (files("kmsmock.coverage") / "page.css").read_text(encoding="utf-8")
    digest = b64encode(sha256(style.encode()).digest()).decode()
    security = (
        f"default-src 'none'; base-uri 'none'; form-action 'none'; style-src 'sha256-{digest}'"
    )
    return "\n".join(
        [
            "<!doctype html>",
            '<html lang="en"><head><meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{security}">',
            '<meta name="viewport" content="width=device-width">',
            "<title>Policy coverage</title>",
            f"<style>{style}</style></head><body>",
            "<h1>Policy coverage</h1>",
            *_overview(result),
            *(part for policy in result.summary.policies for part in _policy(result, policy)),
            *_grants(result),
            *(f"<p>{_ESCAPE(note)}</p>" for note in result.records.notes),
            "</body></html>\n",
        ]
    )


def _overview(result: Result) -> Iterator[str]:
    summary = result.summary
    head = ("Policy", "Statements", "Missing", "Covered", "Weakenings noticed")
    yield "<table><thead><tr>"
    yield "".join(f"<th>{name}</th>" for name in head)
    yield "</tr></thead><tbody>"
    for number, policy in enumerate(summary.policies):
        statements = len(policy.statements)
        noticed, weakenings = count_noticed(result.weaknesses_of(policy.index))
        name = f'<a href="#p{number}">{_ESCAPE(name_of(policy.policy))}</a>'
        percent = 100.0 * policy.covered / statements
        yield _row(name, statements, policy.covered, percent, f"{noticed} of {weakenings}")
    noticed, weakenings = count_noticed(result.weaknesses)
    yield _row(
        *("<strong>Total</strong>", summary.statements, summary.covered, summary.percent),
        f"{noticed} of {weakenings}",
    )
    yield "</tbody></table>"


def _row(name: str, statements: int, covered: int, percent: float, noticed: str) -> str:
    cells = (name, statements, statements - covered, format_percent(percent), noticed)
    return f"<tr>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"


def _policy(result: Result, policy: PolicyCoverage) -> Iterator[str]:
    number = result.summary.policies.index(policy)
    kind = _ESCAPE(policy.policy.kind.value)
    yield f'<h2 id="p{number}">{_ESCAPE(name_of(policy.policy))} <small>{kind}</small></h2>'
    weaknesses = result.weaknesses_of(policy.index)
    for statement in policy.statements:
        own = [one for one in weaknesses if one.weakening.statement == statement.number - 1]
        yield from _statement(result, policy, statement, own)


def _statement(
    result: Result,
    policy: PolicyCoverage,
    statement: StatementCoverage,
    weaknesses: Iterable[Weakness],
) -> Iterator[str]:
    unnoticed = sort_weaknesses(weaknesses)
    color = "part" if unnoticed else "hit"
    source = policy.policy.source
    line = 0 if source is None else source.statements[statement.number - 1]
    yield f'<div class="statement {color if statement.is_covered else "miss"}">'
    counts = [
        f"{count} {word}"
        for count, word in (
            (statement.allowed, "allowed"),
            (statement.denied, "denied"),
            (statement.unneeded, "matched, not needed"),
        )
        if count
    ]
    title = f"{describe_statement(statement)}: {', '.join(counts) or 'never matched'}"
    yield f"<strong>{_ESCAPE(title)}</strong><pre>"
    yield f'{_margin(line)}"Effect": "{statement.effect}"'
    for number, element in enumerate(statement.elements):
        line = 0 if source is None else source.elements[statement.number - 1][number]
        values = ", ".join(_value(element, value) for value in element.values)
        yield f"{_margin(line)}{_ESCAPE(json.dumps(element.element.name))}: {values}"
    yield "</pre>"
    if unnoticed:
        yield "<ul>"
        yield from (f"<li>{_ESCAPE(describe(result.records, one))}</li>" for one in unnoticed)
        yield "</ul>"
    yield from _tests(statement)
    yield "</div>"


def _margin(line: int) -> str:
    return f'<span class="number">{line or ""}</span>'


def _value(element: ElementCoverage, value: ValueCoverage) -> str:
    """Return a value, coloured by whether it was ever decisive, and ever false."""
    decisive, false = value.decisive, value.false
    if element.element.is_negated:
        decisive, false = false, decisive
    color = "part" if decisive or false else "miss"
    if decisive and (false or value.value == "*"):  # from which nothing can differ
        color = "hit"
    title = f"decisive {value.decisive} times, did not match {value.false} times"
    text = _ESCAPE(json.dumps(value.value, ensure_ascii=False))
    return (
        f'<span class="value {color}" title="{title}">{text}</span>'
        f'<span class="count"> {value.decisive}/{value.false}</span>'
    )


def _tests(statement: StatementCoverage) -> Iterator[str]:
    if not statement.tests:
        return
    count = len(statement.tests)
    yield f"<details><summary>{count} test{'s' if count > 1 else ''}</summary><ul>"
    for name in sorted(statement.tests)[:_TESTS_LISTED]:
        yield f"<li>{_ESCAPE(name)} ({statement.tests[name]})</li>"
    if count > _TESTS_LISTED:
        yield f"<li>and {count - _TESTS_LISTED} more</li>"
    yield "</ul></details>"


def _grants(result: Result) -> Iterator[str]:
    if not result.summary.grants:
        return
    yield "<h2>Grants</h2>"
    for grant in result.summary.grants:
        color = "part" if grant.unused else "hit"
        if len(grant.unused) == len(grant.operations):
            color = "miss"
        yield f'<div class="statement {color}">'
        yield f"<strong>{_ESCAPE(describe_grant(grant.grant))}</strong><pre>"
        for name, count in grant.operations.items():
            mark = "hit" if count else "miss"
            yield f'<span class="value {mark}">{_ESCAPE(name)}</span> {count}'
        if grant.grant.constraints != "{}":
            yield _ESCAPE(grant.grant.constraints)
        yield "</pre><ul>"
        own = [
            one
            for one in result.weaknesses
            if one.weakening.is_of_grant and one.weakening.place == grant.index
        ]
        for one in sort_weaknesses(own):
            yield f"<li>{_ESCAPE(describe(result.records, one))}</li>"
        yield "</ul></div>"
