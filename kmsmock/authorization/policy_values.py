"""The values of a policy in one condition, prepared so that none is looked at one by one.

A request that fits none of 5,000 values is compared with a set, with a bound, with sorted
networks or with an automaton, and not with each of them.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Any

from kmsmock.authorization.pattern_sets import Automaton, PatternSet
from kmsmock.authorization.request_values import (
    BEHIND_IPV4,
    Address,
    Forms,
    Read,
    without_leading_zeros,
)
from kmsmock.authorization.variables import Context, Template
from kmsmock.authorization.wildcards import Pattern, Token, Wildcard

_ARN_PARTS = 6
_FEW = 16


class PolicyValues:
    """The values of a policy in one condition, as an operator compares them."""

    #: Whether a value of the policy is malformed, so that the condition is neither true nor false
    #: for what those before it do not match.
    is_malformed = False

    def has(self, form: Any) -> bool:
        """Return whether one of them matches a value of the request, as the operator reads it."""
        raise NotImplementedError

    def has_all(self, forms: Forms) -> bool:
        """Return whether each of several values is matched."""
        return all(map(self.has, forms.distinct))

    def has_any(self, forms: Forms) -> bool:
        """Return whether one of several values is matched."""
        return any(map(self.has, forms.distinct))


class Equal(PolicyValues):
    """Values that are matched by equal ones."""

    def __init__(self, values: Iterable[Any]) -> None:
        self._values = frozenset(values) - {None}

    def has(self, form: Any) -> bool:
        """Return whether one of them matches a value."""
        return form in self._values

    def has_all(self, forms: Forms) -> bool:
        """Return whether each of several values is matched."""
        return forms.distinct <= self._values

    def has_any(self, forms: Forms) -> bool:
        """Return whether one of several values is matched."""
        return not forms.distinct.isdisjoint(self._values)


class Bound(PolicyValues):
    """The least or greatest value, which decides for all."""

    def __init__(self, values: Iterable[Any], holds: Callable[[Any, Any], bool]) -> None:
        readable = [value for value in values if value is not None]
        self._holds = holds
        #: What is less than one of the values is less than the greatest.
        is_upper = holds(0, 1)
        self._bound = (max if is_upper else min)(readable, default=None)
        self._first = 0 if is_upper else 1

    def has(self, form: Any) -> bool:
        """Return whether one of them matches a value."""
        return self._bound is not None and self._holds(form, self._bound)

    def has_all(self, forms: Forms) -> bool:
        """Return whether each of several values is matched."""
        return self.has(forms.extremes[1 - self._first])

    def has_any(self, forms: Forms) -> bool:
        """Return whether one of several values is matched."""
        return self.has(forms.extremes[self._first])


class Networks(PolicyValues):
    """Networks of IP addresses, as ranges that do not overlap, in order."""

    def __init__(self, networks: Iterable[IPv4Network | IPv6Network | None]) -> None:
        last_of: dict[Address, Address] = {}
        for network in networks:
            if network is not None:
                behind = 0 if network.version == 4 else BEHIND_IPV4
                first = behind + int(network.network_address)
                last = behind + int(network.broadcast_address)
                last_of[first] = max(last_of.get(first, 0), last)
        self._firsts: list[Address] = []
        self._lasts: list[Address] = []
        for first in sorted(last_of):
            # Networks are disjoint, or one has the other.
            if not self._lasts or last_of[first] > self._lasts[-1]:
                self._firsts.append(first)
                self._lasts.append(last_of[first])

    def has(self, form: Address) -> bool:
        """Return whether one of them matches a value."""
        place = bisect_right(self._firsts, form) - 1
        return place >= 0 and form <= self._lasts[place]


class Patterns(PolicyValues):
    """Patterns with wildcards."""

    def __init__(self, patterns: Iterable[Sequence[Token]]) -> None:
        self._patterns = PatternSet(patterns)

    def has(self, form: str) -> bool:
        """Return whether one of them matches a value."""
        return self._patterns.matches(form)


class Arns(PolicyValues):
    """Patterns of ARNs, whose wildcards stay inside of one part."""

    def __init__(self, patterns: Iterable[list[list[Token]] | None]) -> None:
        """patterns: the tokens of the six parts of each; None for a malformed one."""
        exact: set[str] = set()
        wild: list[list[list[Token]]] = []
        for parts in patterns:
            if parts is None:
                self.is_malformed = True
                break
            if any(isinstance(token, Wildcard) for part in parts for token in part):
                wild.append(parts)
            else:
                exact.add(":".join("".join(map(str, part)) for part in parts))
        self._exact = exact
        self._few = [list(map(Pattern, parts)) for parts in wild if len(wild) <= _FEW]
        self._by_head: dict[str, PatternSet] = {}
        self._many: Automaton | None = None
        if len(wild) > _FEW:
            self._collect_many(wild)

    def _collect_many(self, wild: list[list[list[Token]]]) -> None:
        """Collect those that have wildcards in the last part alone by their first parts."""
        heads: dict[str, list[list[Token]]] = {}
        others = []
        for parts in wild:
            if any(isinstance(token, Wildcard) for part in parts[:-1] for token in part):
                others.append(parts)
            else:
                head = ":".join("".join(map(str, part)) for part in parts[:-1])
                heads.setdefault(head, []).append(parts[-1])
        self._by_head = {head: PatternSet(patterns) for head, patterns in heads.items()}
        self._many = Automaton(map(_joined, others)) if others else None

    def has(self, form: str) -> bool:
        """Return whether one of them matches a value."""
        if form in self._exact:
            return True
        if self._by_head:
            *first, last = form.split(":", _ARN_PARTS - 1)
            patterns = self._by_head.get(":".join(first))
            if patterns is not None and patterns.matches(last):
                return True
        if self._many is not None:
            return self._many.matches(form)
        if not self._few:
            return False
        parts = form.split(":", _ARN_PARTS - 1)
        return any(
            all(pattern.matches(part) for pattern, part in zip(patterns, parts, strict=True))
            for patterns in self._few
        )


def _joined(parts: list[list[Token]]) -> list[Token]:
    """Return a pattern of an ARN as one pattern."""
    tokens: list[Token] = []
    for part in parts[:-1]:
        tokens += [_IN_PART.get(token, token) for token in part]
        tokens.append(":")
    return tokens + parts[-1]


_IN_PART: dict[Token, Token] = {
    Wildcard.ANY: Wildcard.ANY_IN_PART,
    Wildcard.ONE: Wildcard.ONE_IN_PART,
}


# --- from the values as they are written ---------------------------------------------------------

#: Prepares the values of a policy for a request, whose condition keys replace policy variables.
Collect = Callable[[Sequence[Template], Context], PolicyValues]


def equal(read: Read, *, has_variables: bool) -> Collect:
    """Return what collects values to be compared for equality."""

    def collect(templates: Sequence[Template], context: Context) -> PolicyValues:
        if not has_variables:
            return Equal(read(template.source) for template in templates)
        texts = (template.text(context) for template in templates)
        return Equal(read(text) for text in texts if text is not None)

    return collect


def ordered(read: Read, holds: Callable[[Any, Any], bool]) -> Collect:
    """Return what collects values to be compared by order."""
    return lambda templates, _: Bound((read(one.source) for one in templates), holds)


def patterns(templates: Sequence[Template], context: Context) -> PolicyValues:
    """Collect patterns of texts."""
    resolved = (template.tokens(context) for template in templates)
    return Patterns(tokens for tokens in resolved if tokens is not None)


def networks(templates: Sequence[Template], _: Context) -> PolicyValues:
    """Collect networks of IP addresses."""
    return Networks(_read_network(template.source) for template in templates)


def _read_network(text: str) -> IPv4Network | IPv6Network | None:
    text = text.strip()
    try:
        if ":" in text:
            head, slash, prefix = text.partition("/")
            return IPv6Network(f"{head}/{int(prefix)}" if slash else head)
        return ip_network(without_leading_zeros(text), strict=False)
    except ValueError:
        return None


def arns(templates: Sequence[Template], context: Context) -> PolicyValues:
    """Collect patterns of ARNs."""
    resolved = (template.tokens(context) for template in templates)
    return Arns(_split_arn(tokens) for tokens in resolved if tokens is not None)


def _split_arn(tokens: list[Token]) -> list[list[Token]] | None:
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
    return parts
