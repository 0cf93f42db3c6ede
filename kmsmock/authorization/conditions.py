"""The Condition element: its operators, and how they compare values with those of a request.

Source: IAM User Guide, "IAM JSON policy elements: Condition operators".
"""

from __future__ import annotations

import binascii
import re
from base64 import b64decode
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any

from kmsmock.authorization.variables import Context, Template
from kmsmock.authorization.wildcards import Pattern, Token
from kmsmock.aws.arns import Arn
from kmsmock.misuse.suggestions import did_you_mean

_ARN_PARTS = 6
_FOR_ALL, _FOR_ANY = "ForAllValues:", "ForAnyValue:"
_IF_EXISTS = "IfExists"
_NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,9})?")
_DATE = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})"
    r"(?:[Tt ]([0-9]{2}):([0-9]{2})(?::([0-9]{2})(?:[.,]([0-9]+))?)?"
    r"([Zz]|[+-][0-9]{2}:?[0-9]{2})?)?"
)
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_LONGEST_NUMBER = 400
#: But not the variables that stand for these characters.
_WILDCARD = re.compile(r"(?<!\$\{)[*?]")
_LEADING_ZEROS = re.compile(r"(?<![0-9])0+(?=[0-9])")


class MalformedValueError(ValueError):
    """A malformed ARN pattern in the policy, so that the condition is neither true nor false."""


#: Returns whether a value of the request matches a value of the policy.
Compare = Callable[[str, Context], bool]


# --- comparisons, compiled from a value of the policy ------------------------------------------


def _equal(template: Template) -> Compare:
    if template.is_fixed:
        fixed = template.text({})
        return lambda value, context: value == fixed  # noqa: ARG005 - a Compare
    return lambda value, context: value == template.text(context)


def _equal_ignoring_case(template: Template) -> Compare:

    def compare(value: str, context: Context) -> bool:
        wanted = template.text(context)
        return wanted is not None and value.lower() == wanted.lower()

    return compare


def _like(template: Template) -> Compare:

    def compare(value: str, context: Context) -> bool:
        pattern = template.pattern(context)
        return pattern is not None and pattern.matches(value)

    return compare


def _number(text: str) -> Decimal | None:
    if len(text) > _LONGEST_NUMBER or not _NUMBER.fullmatch(text.strip()):
        return None
    return Decimal(text.strip())


def _date(text: str) -> int | None:
    """Read a date, or epoch seconds, as milliseconds since 1970."""
    number = _number(text)
    if number is not None:
        return int(number * 1000) if number.adjusted() < 20 else None
    match = _DATE.fullmatch(text.strip())
    if match is None:
        return None
    year, month, day, hour, minute, second, fraction, zone = match.groups()
    try:
        moment = datetime(
            int(year),
            int(month),
            int(day),
            int(hour or 0),
            int(minute or 0),
            int(second or 0),
            int(((fraction or "") + "000")[:3]) * 1000,
            tzinfo=_zone(zone),
        )
        return (moment - _EPOCH) // timedelta(milliseconds=1)
    except (ValueError, OverflowError):
        return None


def _zone(text: str | None) -> timezone:
    if text is None or text in "Zz":
        return timezone.utc
    offset = timedelta(hours=int(text[1:3]), minutes=int(text[-2:]))
    return timezone(-offset if text[0] == "-" else offset)


def _ordered(
    read: Callable[[str], Any], holds: Callable[[Any, Any], bool]
) -> Callable[[Template], Compare]:
    def make(template: Template) -> Compare:
        wanted = read(template.source)

        def compare(value: str, context: Context) -> bool:  # noqa: ARG001 - a Compare
            actual = read(value)
            return actual is not None and wanted is not None and holds(actual, wanted)

        return compare

    return make


def _bool(template: Template) -> Compare:

    def compare(value: str, context: Context) -> bool:
        wanted = template.text(context)
        return wanted is not None and (value.lower() == "true") is (wanted.lower() == "true")

    return compare


def _binary(template: Template) -> Compare:
    def read(encoded: str) -> bytes | None:
        try:
            return b64decode(encoded, validate=True)
        except (ValueError, binascii.Error):
            return None

    wanted = read(template.source)
    return lambda value, context: wanted is not None and read(value) == wanted  # noqa: ARG005


def _address(text: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(_without_leading_zeros(text.strip()))
    except ValueError:
        return None
    return (address.ipv4_mapped if isinstance(address, IPv6Address) else None) or address


def _without_leading_zeros(text: str) -> str:
    return text if ":" in text else _LEADING_ZEROS.sub("", text)


def _network(text: str) -> Any:
    text = text.strip()
    try:
        if ":" in text:
            head, slash, prefix = text.partition("/")
            return IPv6Network(f"{head}/{int(prefix)}" if slash else head)
        return ip_network(_without_leading_zeros(text), strict=False)
    except ValueError:
        return None


def _in_network(template: Template) -> Compare:
    network = _network(template.source)

    def compare(value: str, context: Context) -> bool:  # noqa: ARG001 - a Compare
        address = _address(value)
        return (
            network is not None
            and address is not None
            and address.version == network.version
            and address in network
        )

    return compare


def _arn(template: Template) -> Compare:

    def compare(value: str, context: Context) -> bool:
        tokens = template.tokens(context)
        if tokens is None:
            return False
        patterns = _arn_patterns(tokens) if not template.is_fixed else fixed
        if patterns is None:
            raise MalformedValueError
        return all(
            pattern.matches(part)
            for pattern, part in zip(patterns, value.split(":", _ARN_PARTS - 1), strict=True)
        )

    fixed = _arn_patterns(template.tokens({}) or []) if template.is_fixed else None
    return compare


def _arn_patterns(tokens: list[Token]) -> list[Pattern] | None:
    """Split a pattern into those of the six parts of an ARN; None when it has fewer."""
    parts: list[list[Token]] = [[]]
    for token in tokens:
        if not isinstance(token, str):
            parts[-1].append(token)
            continue
        first, *others = token.split(":", _ARN_PARTS - len(parts))
        parts[-1].append(first)
        for other in others:
            parts.append([other])  # noqa: PERF401 - a list of tokens, not of texts
    if len(parts) != _ARN_PARTS or "".join(t for t in parts[0] if isinstance(t, str)) != "arn":
        return None
    return [Pattern(part) for part in parts]


def _is_arn(value: str) -> bool:
    return Arn.parse(value) is not None


def _is_address(value: str) -> bool:
    return _address(value) is not None


def _anything(value: str) -> bool:  # noqa: ARG001 - a test of a value
    return True


@dataclass(frozen=True, slots=True)
class Operator:
    """A condition operator."""

    #: Returns the comparison with a value of the policy.
    compile: Callable[[Template], Compare]
    #: True if the condition holds when no value of the policy matches.
    negated: bool = False
    #: Returns whether it can compare a value of a request; for others the condition does not hold.
    accepts: Callable[[str], bool] = _anything


#: Operator -> its negation, if there is one, and what the operator does.
_OPERATORS_AND_NEGATIONS: dict[str, tuple[str | None, Operator]] = {
    "StringEquals": ("StringNotEquals", Operator(_equal)),
    "StringEqualsIgnoreCase": ("StringNotEqualsIgnoreCase", Operator(_equal_ignoring_case)),
    "StringLike": ("StringNotLike", Operator(_like)),
    "Bool": (None, Operator(_bool)),
    "BinaryEquals": (None, Operator(_binary)),
    "IpAddress": ("NotIpAddress", Operator(_in_network, accepts=_is_address)),
    "ArnEquals": ("ArnNotEquals", Operator(_arn, accepts=_is_arn)),
    "ArnLike": ("ArnNotLike", Operator(_arn, accepts=_is_arn)),
    **{
        f"{kind}{comparison}": (f"{kind}NotEquals" if comparison == "Equals" else None, operator)
        for kind, read in (("Numeric", _number), ("Date", _date))
        for comparison, operator in (
            ("Equals", Operator(_ordered(read, lambda a, b: bool(a == b)))),
            ("LessThan", Operator(_ordered(read, lambda a, b: bool(a < b)))),
            ("LessThanEquals", Operator(_ordered(read, lambda a, b: bool(a <= b)))),
            ("GreaterThan", Operator(_ordered(read, lambda a, b: bool(a > b)))),
            ("GreaterThanEquals", Operator(_ordered(read, lambda a, b: bool(a >= b)))),
        )
    },
}
#: Operator -> what it does. Set qualifiers and ``IfExists`` come on top of each.
OPERATORS: dict[str, Operator] = {
    **{name: operator for name, (_, operator) in _OPERATORS_AND_NEGATIONS.items()},
    **{
        negation: Operator(operator.compile, negated=True, accepts=operator.accepts)
        for negation, operator in _OPERATORS_AND_NEGATIONS.values()
        if negation is not None
    },
}
NULL = "Null"


@dataclass(frozen=True, slots=True)
class Condition:
    """One test of a statement: an operator, a condition key, and the values it is tested with.

    Raises ValueError for an operator that does not exist.
    """

    #: The operator as written, with set qualifier and ``IfExists``.
    operator: str
    #: The condition key as written.
    key: str
    #: The values of the policy, as strings.
    values: tuple[str, ...]
    #: Whether ``${...}`` is substituted (policy version 2012-10-17).
    substitutes_variables: bool = True
    _lower_key: str = field(init=False)
    _base: Operator | None = field(init=False)
    _quantifier: str = field(init=False)
    _compares: tuple[Compare, ...] = field(init=False)
    _matches_if_key_absent: bool = field(init=False)
    _literals: frozenset[str | None] = field(init=False)
    _negated: bool = field(init=False)

    def __post_init__(self) -> None:
        name = self.operator
        quantifier = next((q for q in (_FOR_ALL, _FOR_ANY) if name.startswith(q)), "")
        name = name.removeprefix(quantifier)
        base = OPERATORS.get(name.removesuffix(_IF_EXISTS))
        if base is None and name != NULL:
            known = (*OPERATORS, NULL)
            meant = did_you_mean(name.removesuffix(_IF_EXISTS), known)
            raise ValueError(f"{self.operator} is not a condition operator{meant}")
        templates = [
            Template(v, substitutes_variables=self.substitutes_variables) for v in self.values
        ]
        compares = () if base is None else tuple(base.compile(t) for t in templates)
        literals: frozenset[str | None] = frozenset()
        if base is not None and base.compile is _equal and all(t.is_fixed for t in templates):
            literals = frozenset(t.text({}) for t in templates)
        matches_if_key_absent = quantifier == _FOR_ALL or (
            base is not None and (name.endswith(_IF_EXISTS) or (base.negated and not quantifier))
        )
        for member, value in (
            ("_lower_key", self.key.lower()),
            ("_base", base),
            ("_quantifier", quantifier),
            ("_compares", compares),
            ("_matches_if_key_absent", matches_if_key_absent),
            ("_literals", literals),
            ("_negated", base is not None and base.negated),
        ):
            object.__setattr__(self, member, value)

    @property
    def lower_key(self) -> str:
        """The condition key in lower case, as in condition contexts."""
        return self._lower_key

    @property
    def is_negated(self) -> bool:
        """Whether it holds for all values but those of the policy."""
        return self._negated

    @property
    def compares_wildcards_literally(self) -> bool:
        """Whether a value has a wildcard for an operator that takes none, as StringEquals."""
        base = self._base
        return (
            base is not None
            and base.compile in (_equal, _equal_ignoring_case)
            and any(_WILDCARD.search(value) for value in self.values)
        )

    def holds(self, context: Context, *, result_if_malformed: bool) -> bool:
        """Return whether the condition holds for a request.

        result_if_malformed: the result for a malformed ARN pattern in the policy: False in an Allow
        statement, True in a Deny statement.
        """
        value = context.get(self._lower_key)
        if self._literals and type(value) is str:
            # The most frequent kind of condition; there may be hundreds for one request.
            return (value in self._literals) is not self._negated
        base = self._base
        if base is None:
            return any((value is None) is (wanted.lower() == "true") for wanted in self.values)
        if value is None:
            return self._matches_if_key_absent
        if not self._compares or (isinstance(value, list) and not self._quantifier):
            return False
        if not isinstance(value, list):
            return self._matches(base, value, context, result_if_malformed)
        combine = any if self._quantifier == _FOR_ANY else all
        return combine(self._matches(base, item, context, result_if_malformed) for item in value)

    def _matches(self, base: Operator, value: str, context: Context, if_malformed: bool) -> bool:  # noqa: FBT001
        if not base.accepts(value):
            return False
        try:
            for compare in self._compares:
                if compare(value, context):
                    return not base.negated
        except MalformedValueError:
            return if_malformed
        return base.negated
