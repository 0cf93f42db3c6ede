"""What holds for the conditions of any policy: they agree with a plain comparison of all values."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any
from unittest.mock import patch

from hypothesis import given
from hypothesis import strategies as st

from kmsmock.authorization import pattern_sets
from kmsmock.authorization.conditions import Condition
from kmsmock.authorization.joined_texts import keep_prepared
from kmsmock.authorization.request_values import ValueList
from tests.thoroughness import examples

#: Characters of patterns and texts: some fit each other, or need two UTF-16 units, or none of ours.
CHARACTERS = st.sampled_from(
    ["ab", "ab:", "ab\0", "aA\u0130\u03a3", "a\U0001f511", "a\ud83d\udd11\u0101"]
)
VARIABLE = "${aws:userid}"


@st.composite
def questions(draw: st.DrawFn) -> tuple[list[str], list[str], str | None]:
    """Draw values of a policy, values of a request, and the value of the policy variable."""
    characters = draw(CHARACTERS)
    texts = st.text(characters, max_size=9)
    pieces = st.sampled_from([*characters, "*", "?", "*", "?", "${*}", "${?}", "${$}", VARIABLE])
    patterns = st.lists(pieces, max_size=9).map("".join)
    is_arn = draw(st.booleans())
    if is_arn:
        part = st.text("ab", max_size=2)
        wild = st.text("ab*?", max_size=3)
        texts = st.builds("arn:{}:{}:::{}".format, part, part, texts)
        patterns = st.builds("arn:{}:{}:*::{}".format, wild, wild, patterns)
    return (
        draw(st.lists(patterns, min_size=1, max_size=8)),
        draw(st.lists(texts, max_size=8)),
        draw(st.none() | st.text(characters + "*", max_size=3)),
    )


def units(text: str) -> str:
    return "".join(map(chr, memoryview(text.encode("utf-16-le", "surrogatepass")).cast("H")))


def write_expression(pattern: str, variable: str | None, any_text: str = ".*") -> str | None:
    """Return a pattern as a regular expression; None if it has a variable without a value."""
    if VARIABLE in pattern and variable is None:
        return None
    parts = re.split(r"(\$\{(?:[*?$]|aws:userid)\}|[*?])", pattern)
    known = {"*": any_text, "?": any_text[:-1], "${*}": r"\*", "${?}": r"\?", "${$}": r"\$"}
    known[VARIABLE] = re.escape(units(variable or ""))
    return "".join(known.get(part) or re.escape(units(part)) for part in parts)


def fits_pattern(pattern: str, text: str, variable: str | None) -> bool:
    expression = write_expression(pattern, variable)
    return expression is not None and bool(re.fullmatch(expression, units(text), re.DOTALL))


def fits_arn(pattern: str, text: str, variable: str | None) -> bool:
    *head, last = pattern.split(":", 5)
    expressions = [write_expression(part, variable, "[^:]*") for part in head]
    expressions.append(write_expression(last, variable))
    if None in expressions:
        return False
    whole = ":".join(expression or "" for expression in expressions)
    return bool(re.fullmatch(whole, units(text), re.DOTALL))


def fits_text(pattern: str, text: str, variable: str | None) -> bool:
    if VARIABLE in pattern and variable is None:
        return False
    known = {"${*}": "*", "${?}": "?", "${$}": "$", VARIABLE: variable or ""}
    parts = re.split(r"(\$\{(?:[*?$]|aws:userid)\})", pattern)
    return "".join(known.get(part, part) for part in parts) == text


#: Operator -> the plain comparison of a value of the policy with one of the request.
PLAIN = {
    "StringLike": fits_pattern,
    "ArnLike": fits_arn,
    "StringEquals": fits_text,
    "StringEqualsIgnoreCase": lambda pattern, text, variable: fits_text(
        pattern.lower(), text.lower(), None if variable is None else variable.lower()
    ),
}
NEGATIONS = {name: re.sub("(?=Like|Equals)", "Not", name, count=1) for name in PLAIN}


def decide(operator: str, wanted: list[str], value: Any, variable: str | None = None) -> bool:
    context = {"aws:tagkeys": value}
    if variable is not None:
        context["aws:userid"] = variable
    present = {key: value for key, value in context.items() if value is not None}
    return Condition(operator, "aws:TagKeys", tuple(wanted)).holds(
        present, result_if_malformed=False
    )


@examples(150)
@given(questions(), st.sampled_from(sorted(PLAIN)), st.sampled_from(["one by one", "together"]))
def test_conditions_agree_with_a_plain_comparison(
    question: tuple[list[str], list[str], str | None], operator: str, how: str
) -> None:
    wanted, values, variable = question
    if operator == "ArnLike":
        wanted = [value if value.startswith("arn:") else f"arn:*:::a:{value}" for value in wanted]
        values = [value if value.startswith("arn:") else f"arn:a:::a:{value}" for value in values]
    fits = [any(PLAIN[operator](one, value, variable) for one in wanted) for value in values]
    limits = {
        "one by one": {"_FEW": 16, "SHORT": 200, "_MANY_TOKENS": 3},
        "together": {"_FEW": 0, "SHORT": 0, "_LONGEST_LITERAL": 1},
    }[how]

    with patch.dict(vars(pattern_sets), limits):
        for name, expected in (
            (f"ForAllValues:{operator}", all(fits)),
            (f"ForAnyValue:{operator}", any(fits)),
            (f"ForAllValues:{NEGATIONS[operator]}", not any(fits)),
            (f"ForAnyValue:{NEGATIONS[operator]}", not all(fits)),
        ):
            assert decide(name, wanted, ValueList(values), variable) is expected
        for value, fit in zip(values, fits, strict=True):
            assert decide(operator, wanted, keep_prepared(value), variable) is fit
            assert decide(NEGATIONS[operator], wanted, value, variable) is not fit


@examples(30)
@given(st.sampled_from(sorted({*PLAIN, *NEGATIONS.values()})), st.booleans())
def test_absent_keys_satisfy_only_what_does_not_need_them(operator: str, if_exists: bool) -> None:
    name = operator + "IfExists" * if_exists

    assert decide(name, ["arn:a:b:c:d:e"], None) is (if_exists or operator in NEGATIONS.values())
    assert decide(f"ForAllValues:{name}", ["a"], None)
    assert decide(f"ForAnyValue:{name}", ["a"], None) is if_exists
    assert decide("Null", ["true"], None)
    assert not decide("Null", ["true"], "a")


numbers = st.decimals(-99, 99, places=1).map(str) | st.integers(-99, 99).map(str)
ORDERS = {
    "NumericEquals": lambda value, bound: value == bound,
    "NumericLessThan": lambda value, bound: value < bound,
    "NumericLessThanEquals": lambda value, bound: value <= bound,
    "NumericGreaterThan": lambda value, bound: value > bound,
    "NumericGreaterThanEquals": lambda value, bound: value >= bound,
}


@examples(100)
@given(
    st.sampled_from(sorted(ORDERS)),
    st.lists(numbers, min_size=1, max_size=5),
    st.lists(numbers, max_size=5),
)
def test_numbers_are_compared_as_decimal_numbers(
    operator: str, bounds: list[str], values: list[str]
) -> None:
    fits = [
        any(ORDERS[operator](Decimal(value), Decimal(bound)) for bound in bounds)
        for value in values
    ]

    assert decide(f"ForAllValues:{operator}", bounds, ValueList(values)) is all(fits)
    assert decide(f"ForAnyValue:{operator}", bounds, ValueList(values)) is any(fits)


addresses = st.integers(0, 2**10 - 1).map(lambda number: f"10.0.{number >> 8}.{number & 255}")


@examples(100)
@given(
    st.lists(st.tuples(addresses, st.integers(22, 32)), min_size=1, max_size=4),
    st.lists(addresses, max_size=6),
)
def test_addresses_are_compared_with_each_network(
    networks: list[tuple[str, int]], values: list[str]
) -> None:
    from ipaddress import ip_address, ip_network

    wanted = [f"{address}/{length}" for address, length in networks]
    fits = [
        any(ip_address(value) in ip_network(network, strict=False) for network in wanted)
        for value in values
    ]

    assert decide("ForAllValues:IpAddress", wanted, ValueList(values)) is all(fits)
    assert decide("ForAnyValue:IpAddress", wanted, ValueList(values)) is any(fits)
    assert decide("ForAllValues:NotIpAddress", wanted, ValueList(values)) is (not any(fits))
