"""The Condition element: its operators, and how they compare values with those of a request.

Source: IAM User Guide, "IAM JSON policy elements: Condition operators".
"""

from __future__ import annotations

import operator as compare
import re
from dataclasses import dataclass, field, replace

from kmsmock.authorization.joined_texts import LongText
from kmsmock.authorization.policy_values import (
    Collect,
    PolicyValues,
    arns,
    equal,
    networks,
    ordered,
    patterns,
)
from kmsmock.authorization.request_values import (
    Forms,
    Read,
    forms_of,
    read_address,
    read_any_case,
    read_arn,
    read_binary,
    read_bool,
    read_date,
    read_number,
    read_text,
)
from kmsmock.authorization.variables import Context, Template
from kmsmock.misuse.suggestions import did_you_mean

_FOR_ALL, _FOR_ANY = "ForAllValues:", "ForAnyValue:"
_IF_EXISTS = "IfExists"
#: But not the variables that stand for these characters.
_WILDCARD = re.compile(r"(?<!\$\{)[*?]")


@dataclass(frozen=True, slots=True)
class Operator:
    """A condition operator."""

    #: Converts a value of the request to what is compared.
    read: Read
    #: Prepares the values of the policy.
    collect: Collect
    #: Whether it replaces policy variables.
    has_variables: bool = True
    #: True if the condition holds when no value of the policy matches.
    negated: bool = False
    #: Whether the condition does not hold for values that cannot be compared, even if negated.
    refuses_unreadable: bool = False
    #: Whether it takes wildcards literally.
    is_literal: bool = False


_EQUAL = Operator(read_text, equal(read_text, has_variables=True), is_literal=True)
_EQUAL_IN_ANY_CASE = Operator(
    read_any_case, equal(read_any_case, has_variables=True), is_literal=True
)
_BINARY = Operator(read_binary, equal(read_binary, has_variables=False), has_variables=False)
_IP_ADDRESS = Operator(read_address, networks, has_variables=False, refuses_unreadable=True)
_ARN = Operator(read_arn, arns, refuses_unreadable=True)
#: Operator -> its negation, if there is one, and what the operator does.
_OPERATORS_AND_NEGATIONS: dict[str, tuple[str | None, Operator]] = {
    "StringEquals": ("StringNotEquals", _EQUAL),
    "StringEqualsIgnoreCase": ("StringNotEqualsIgnoreCase", _EQUAL_IN_ANY_CASE),
    "StringLike": ("StringNotLike", Operator(read_text, patterns)),
    "Bool": (None, Operator(read_bool, equal(read_bool, has_variables=True))),
    "BinaryEquals": (None, _BINARY),
    "IpAddress": ("NotIpAddress", _IP_ADDRESS),
    "ArnEquals": ("ArnNotEquals", _ARN),
    "ArnLike": ("ArnNotLike", _ARN),
    **{
        f"{kind}{comparison}": (
            f"{kind}NotEquals" if comparison == "Equals" else None,
            Operator(read, collect, has_variables=False),
        )
        for kind, read in (("Numeric", read_number), ("Date", read_date))
        for comparison, collect in (
            ("Equals", equal(read, has_variables=False)),
            ("LessThan", ordered(read, compare.lt)),
            ("LessThanEquals", ordered(read, compare.le)),
            ("GreaterThan", ordered(read, compare.gt)),
            ("GreaterThanEquals", ordered(read, compare.ge)),
        )
    },
}
#: Operator -> what it does. Set qualifiers and ``IfExists`` come on top of each.
OPERATORS: dict[str, Operator] = {
    **{name: operator for name, (_, operator) in _OPERATORS_AND_NEGATIONS.items()},
    **{
        negation: replace(operator, negated=True)
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
    _lower_key: str = field(init=False, compare=False)
    _base: Operator | None = field(init=False, compare=False)
    _quantifier: str = field(init=False, compare=False)
    _matches_if_key_absent: bool = field(init=False, compare=False)
    #: The values of StringEquals and its negation, unless one has policy variables.
    _literals: frozenset[str] = field(init=False, compare=False)
    _negated: bool = field(init=False, compare=False)
    _templates: tuple[Template, ...] = field(init=False, compare=False, repr=False)
    #: Whether the values have policy variables.
    _varies: bool = field(init=False, compare=False)
    #: The prepared values, if they have no policy variables; made when they are first needed.
    _prepared: PolicyValues | None = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        name = self.operator
        quantifier = next((q for q in (_FOR_ALL, _FOR_ANY) if name.startswith(q)), "")
        name = name.removeprefix(quantifier)
        base = OPERATORS.get(name.removesuffix(_IF_EXISTS))
        if base is None and name != NULL:
            known = (*OPERATORS, NULL)
            meant = did_you_mean(name.removesuffix(_IF_EXISTS), known)
            raise ValueError(f"{self.operator} is not a condition operator{meant}")
        substitutes = self.substitutes_variables
        templates = tuple(Template(v, substitutes_variables=substitutes) for v in self.values)
        is_fixed = all(template.is_fixed for template in templates)
        literals: frozenset[str] = frozenset()
        if base is not None and base.read is read_text and base.is_literal and is_fixed:
            literals = frozenset(text for t in templates if (text := t.text({})) is not None)
        matches_if_key_absent = quantifier == _FOR_ALL or (
            base is not None and (name.endswith(_IF_EXISTS) or (base.negated and not quantifier))
        )
        for member, value in (
            ("_lower_key", self.key.lower()),
            ("_base", base),
            ("_quantifier", quantifier),
            ("_matches_if_key_absent", matches_if_key_absent),
            ("_literals", literals),
            ("_negated", base is not None and base.negated),
            ("_templates", templates),
            ("_varies", base is not None and base.has_variables and not is_fixed),
            ("_prepared", None),
        ):
            object.__setattr__(self, member, value)

    @property
    def lower_key(self) -> str:
        """The condition key in lower case, as contexts have it."""
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
            and base.is_literal
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
        if value is None or not self.values:
            return value is None and self._matches_if_key_absent
        prepared = self._prepared or self._prepare(base, context)
        unmatched = result_if_malformed if prepared.is_malformed else base.negated
        if isinstance(value, list):
            return self._holds_for_list(base, forms_of(value, base.read), prepared, unmatched)
        form = value.read(base.read) if isinstance(value, LongText) else base.read(value)
        if form is None:
            return unmatched and not base.refuses_unreadable
        return not base.negated if prepared.has(form) else unmatched

    def _holds_for_list(
        self,
        base: Operator,
        forms: Forms,
        prepared: PolicyValues,
        unmatched: bool,  # noqa: FBT001
    ) -> bool:
        """Return whether the condition holds for all or any of the values of a request.

        unmatched: the result for a value that no value of the policy matches.
        """
        if not self._quantifier:
            return False
        matched, is_for_all = not base.negated, self._quantifier == _FOR_ALL
        if forms.some_unreadable:
            result = unmatched and not base.refuses_unreadable
            if result is not is_for_all:
                return result
        if not forms.distinct:
            return is_for_all
        if matched is unmatched:
            return matched
        if is_for_all:
            return prepared.has_all(forms) if matched else not prepared.has_any(forms)
        return prepared.has_any(forms) if matched else not prepared.has_all(forms)

    def _prepare(self, base: Operator, context: Context) -> PolicyValues:
        prepared = base.collect(self._templates, context)
        if not self._varies:
            object.__setattr__(self, "_prepared", prepared)
        return prepared
