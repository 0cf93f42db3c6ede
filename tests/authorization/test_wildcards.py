"""Wildcard patterns."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kmsmock.authorization.joined_texts import JoinedTexts
from kmsmock.authorization.pattern_sets import PatternSet, PatternTree
from kmsmock.authorization.wildcards import Pattern, tokens_of


@pytest.mark.parametrize(
    ("pattern", "text", "fits"),
    [
        ("", "", True),
        ("", "a", False),
        ("a", "a", True),
        ("a", "A", False),
        ("*", "", True),
        ("*", "any:thing/at\nall", True),
        ("?", "", False),
        ("?", "a", True),
        ("a*", "a", True),
        ("*a", "ba", True),
        ("a*a", "a", False),
        ("a*b*c", "aXbYc", True),
        ("a*b*c", "acb", False),
        ("*a?c*", "xxabcxx", True),
        ("*a?c", "aacac", False),
        ("a**b", "ab", True),
        ("kms:*key", "kms:generatedatakey", True),
        ("??", "\U0001f511", True),
        ("?", "\U0001f511", False),
        ("[a]", "a", False),
        ("a.c", "abc", False),
    ],
)
def test_a_pattern_fits_the_whole_text(pattern, text, fits):
    assert Pattern.of(pattern).matches(text) is fits


@given(st.text("ab*?", max_size=12), st.text("ab", max_size=14))
def test_patterns_agree_with_regular_expressions(pattern, text):
    wanted = "".join({"*": ".*", "?": "."}.get(c, c) for c in pattern)

    assert Pattern.of(pattern).matches(text) is bool(re.fullmatch(wanted, text, re.DOTALL))


@given(st.lists(st.text("ab*?", max_size=6), min_size=17, max_size=25), st.text("ab", max_size=8))
def test_many_patterns_agree_with_each_of_them(patterns, text):
    fits = any(Pattern.of(pattern).matches(text) for pattern in patterns)

    assert PatternSet.of(patterns).matches(text) is fits
    assert PatternTree(map(tokens_of, patterns)).match_any(JoinedTexts([text])) is fits


@pytest.mark.parametrize("length", [300, 3_000])
def test_a_segment_is_found_near_and_far(length):
    pattern = Pattern.of("*a?c*")

    assert pattern.matches("x" * length + "abc")
    assert pattern.matches("x" * 199 + "abc" + "x" * length)
    assert not pattern.matches("x" * length + "ab")


@pytest.mark.parametrize(
    "pattern", ["*a" * 10_000, "*a?" * 8_000, "?" * 20_000 + "*", "a*" * 9_999]
)
def test_a_hostile_pattern_is_matched_in_no_time(pattern):
    start = time.process_time()

    assert not Pattern.of(pattern).matches("a" * 8_000 + "b")

    assert time.process_time() - start < 30
