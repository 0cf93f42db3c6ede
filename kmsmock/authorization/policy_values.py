"""The values of a policy in one condition, prepared so that none is looked at one by one.

A request that fits none of 5,000 values is compared with a set, with a bound, with sorted
networks or with an automaton, and not with each of them.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Any

from kmsmock.authorization.arn_patterns import ArnPatternSet, read_arn_pattern
from kmsmock.authorization.pattern_sets import PatternSet
from kmsmock.authorization.request_values import (
    BEHIND_IPV4,
    Address,
    Forms,
    Read,
    read_bool,
    without_leading_zeros,
)
from kmsmock.authorization.variables import LONG, Context, Template, measure, write
from kmsmock.authorization.wildcards import Token


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


class EqualToLong(PolicyValues):
    """Values of which some have long values of policy variables; one is written at a time."""

    def __init__(self, values: Iterable[Sequence[Token]], read: Read) -> None:
        sizes = [(measure(tokens), tokens) for tokens in values]
        self._short = Equal(read(write(tokens)) for size, tokens in sizes if size <= LONG)
        self._long = [(size, tokens) for size, tokens in sizes if size > LONG]
        self._read = read

    def has(self, form: str) -> bool:
        """Return whether one of them matches a value."""
        if self._short.has(form):
            return True
        # In lower case a text is never shorter.
        longest = len(form)
        return longest > LONG and any(
            size <= longest and self._read(write(tokens)) == form for size, tokens in self._long
        )

    def has_any(self, forms: Forms) -> bool:
        """Return whether one of several values is matched."""
        return self._short.has_any(forms) or any(map(self.has, forms.long))


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

    def has_all(self, forms: Forms) -> bool:
        """Return whether each of several values is matched."""
        return sum(self._counts(forms.in_order)) == len(forms.distinct)

    def has_any(self, forms: Forms) -> bool:
        """Return whether one of several values is matched."""
        return any(self._counts(forms.in_order))

    def _counts(self, addresses: list[Address]) -> Iterator[int]:
        """Yield how many addresses each range has."""
        for first, last in zip(self._firsts, self._lasts, strict=True):
            yield bisect_right(addresses, last) - bisect_left(addresses, first)


class Patterns(PolicyValues):
    """Patterns with wildcards."""

    def __init__(self, patterns: Iterable[Sequence[Token]]) -> None:
        self._patterns: PatternSet = PatternSet(patterns)

    def has(self, form: str) -> bool:
        """Return whether one of them matches a value."""
        return self._patterns.matches(form)

    def has_all(self, forms: Forms) -> bool:
        """Return whether each of several values is matched."""
        return self._patterns.match_all(forms)

    def has_any(self, forms: Forms) -> bool:
        """Return whether one of several values is matched."""
        return self._patterns.match_any(forms)


class Arns(Patterns):
    """Patterns of ARNs, whose wildcards stay inside of one part."""

    def __init__(self, patterns: Iterable[Sequence[Token]]) -> None:
        well_formed: list[Sequence[Token]] = []
        for tokens in patterns:
            pattern = read_arn_pattern(tokens)
            if pattern is None:
                self.is_malformed = True
                break
            well_formed.append(pattern)
        self._patterns = ArnPatternSet(well_formed)


# --- from the values as they are written ---------------------------------------------------------

#: Prepares the values of a policy for a request, whose condition keys replace policy variables.
Collect = Callable[[Sequence[Template], Context], PolicyValues]


def equal(read: Read, *, has_variables: bool) -> Collect:
    """Return what collects values to be compared for equality."""

    def collect(templates: Sequence[Template], context: Context) -> PolicyValues:
        if not has_variables:
            return Equal(read(template.source) for template in templates)
        resolved = [tokens for one in templates if (tokens := one.tokens(context)) is not None]
        if read is read_bool or all(measure(tokens) <= LONG for tokens in resolved):
            return Equal(read(write(tokens)) for tokens in resolved)
        return EqualToLong(resolved, read)

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
    return Arns(tokens for tokens in resolved if tokens is not None)
