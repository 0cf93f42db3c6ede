"""Condition operators, case by case."""

from __future__ import annotations

import pytest

from kmsmock.authorization.conditions import Condition

KEY = "kms:Key"


def holds(operator, values, value, *, deny=False, **more):
    context = {name.lower(): found for name, found in more.items()}
    if value is not None:
        context[KEY.lower()] = value
    values = values if isinstance(values, list) else [values]
    return Condition(operator, KEY, tuple(values)).holds(context, result_if_malformed=deny)


@pytest.mark.parametrize(
    ("operator", "wanted", "given", "expected"),
    [
        ("StringEquals", "a", "a", True),
        ("StringEquals", "a", "A", False),
        ("StringEquals", "a*", "ab", False),
        ("StringEquals", ["a", "b"], "b", True),
        ("StringEquals", [], "b", False),
        ("StringNotEquals", ["a", "b"], "b", False),
        ("StringNotEquals", ["a", "b"], "c", True),
        ("StringEqualsIgnoreCase", "STRASSE", "strasse", True),
        ("StringEqualsIgnoreCase", "\u017f", "s", False),
        ("StringEqualsIgnoreCase", "\u212a", "k", True),
        ("StringNotEqualsIgnoreCase", "A", "a", False),
        ("StringLike", "a*c?", "a:b/cd", True),
        ("StringLike", "a", "b", False),
        ("StringNotLike", "a*", "b", True),
        ("NumericEquals", "1", "01", True),
        ("NumericEquals", "1.0", "+1", True),
        ("NumericEquals", "1", "1e0", True),
        ("NumericEquals", "1", "one", False),
        ("NumericNotEquals", "1", "one", True),
        ("NumericLessThan", "10", "9", True),
        ("NumericLessThan", "10", "10", False),
        ("NumericLessThanEquals", "10", "10", True),
        ("NumericGreaterThan", "10", "11", True),
        ("NumericGreaterThanEquals", "10", "9.99", False),
        ("NumericEquals", "nan", "nan", False),
        ("NumericEquals", "1" * 500, "1" * 500, False),
        ("DateEquals", "2030-01-01T00:00:00Z", "1893456000", True),
        ("DateEquals", "2030-01-01", "2030-01-01T01:00:00+01:00", True),
        ("DateLessThan", "2030-01-01T00:00:00Z", "2029-12-31T23:59:59.999Z", True),
        ("DateGreaterThan", "2030-01-01T00:00:00Z", "2030-01-01T00:00:00.0001Z", False),
        ("DateGreaterThanEquals", "2030-01-01T00:00:00Z", "2030-01-01", True),
        ("DateNotEquals", "2030-01-01", "someday", True),
        ("DateEquals", "2030-13-01", "2030-13-01", False),
        ("Bool", "true", "TRUE", True),
        ("Bool", "true", "yes", False),
        ("Bool", "false", "anything", True),
        ("BinaryEquals", "QUI=", "QUI=", True),
        ("BinaryEquals", "QUI=", "QUI", False),
        ("IpAddress", "10.0.0.0/8", "10.1.2.3", True),
        ("IpAddress", "10.1.2.3/8", "10.9.9.9", True),
        ("IpAddress", "010.0.0.0/08", "10.1.2.3", True),
        ("IpAddress", "10.0.0.1", "10.0.0.1", True),
        ("IpAddress", "10.0.0.1", "10.0.0.2", False),
        ("IpAddress", "2001:db8::/32", "2001:db8::1", True),
        ("IpAddress", "2001:db8::1/32", "2001:db8::1", False),
        ("IpAddress", "10.0.0.0/8", "::ffff:10.0.0.1", True),
        ("IpAddress", "::ffff:10.0.0.0/104", "10.0.0.1", False),
        ("NotIpAddress", "10.0.0.0/8", "11.0.0.1", True),
        ("IpAddress", "10.0.0.0/8", "localhost", False),
        ("NotIpAddress", "10.0.0.0/8", "localhost", False),
        ("ArnEquals", "arn:aws:iam::1:role/*", "arn:aws:iam::1:role/a:b/c", True),
        ("ArnLike", "arn:*:iam::1:role/a", "arn:aws:iam::1:role/a", True),
        ("ArnLike", "arn:*:role/a", "arn:aws:iam::1:role/a", False),
        ("ArnLike", "arn:aws:iam::1:role/a", "arn:aws:iam::1:role/A", False),
        ("ArnNotLike", "arn:aws:iam::1:role/a", "arn:aws:iam::1:role/b", True),
        ("ArnLike", "arn:aws:iam::1:role/a", "role/a", False),
        ("ArnNotLike", "arn:aws:iam::1:role/a", "role/a", False),
        ("Null", "true", None, True),
        ("Null", "TRUE", "", False),
        ("Null", "false", "", True),
        ("Null", "maybe", "x", True),
    ],
)
def test_an_operator_compares_as_documented(operator, wanted, given, expected):
    assert holds(operator, wanted, given) is expected


@pytest.mark.parametrize(
    ("operator", "expected"),
    [
        ("StringEquals", False),
        ("StringNotEquals", True),
        ("NotIpAddress", True),
        ("ArnNotLike", True),
        ("Bool", False),
        ("StringEqualsIfExists", True),
        ("StringNotEqualsIfExists", True),
        ("ForAllValues:StringEquals", True),
        ("ForAllValues:StringNotEquals", True),
        ("ForAnyValue:StringEquals", False),
        ("ForAnyValue:StringNotEquals", False),
        ("ForAnyValue:StringEqualsIfExists", True),
    ],
)
def test_a_missing_key_fulfils_what_is_negated_or_optional(operator, expected):
    assert holds(operator, "a", None) is expected


@pytest.mark.parametrize(
    ("operator", "wanted", "given", "expected"),
    [
        ("StringEquals", "a", ["a"], False),
        ("StringNotEquals", "a", ["b"], False),
        ("StringEqualsIfExists", "a", ["a"], False),
        ("ForAllValues:StringEquals", ["a", "b"], ["a"], True),
        ("ForAllValues:StringEquals", ["a", "b"], ["a", "c"], False),
        ("ForAllValues:StringEquals", ["a"], [], True),
        ("ForAnyValue:StringEquals", ["a"], [], False),
        ("ForAnyValue:StringEquals", ["a"], ["b", "a"], True),
        ("ForAnyValue:StringNotEquals", ["a", "b"], ["a", "c"], True),
        ("ForAllValues:StringNotEquals", ["a", "b"], ["c", "a"], False),
        ("ForAllValues:StringLike", "a*", "ab", True),
    ],
)
def test_a_multivalued_key_needs_a_set_operator(operator, wanted, given, expected):
    assert holds(operator, wanted, given) is expected


@pytest.mark.parametrize(
    ("operator", "wanted", "expected"),
    [
        ("StringEquals", "${aws:username}", True),
        ("StringEquals", "${AWS:UserName}", True),
        ("StringEquals", "${aws:none, 'bo*b'}", True),
        ("StringEquals", "${aws:none}", False),
        ("StringNotEquals", "${aws:none}", True),
        ("StringEquals", "${aws:many, 'bo*b'}", False),
        ("StringEqualsIgnoreCase", "${aws:none}", False),
        ("StringNotEqualsIgnoreCase", "${aws:none}", True),
        ("StringLike", "${aws:none}*", False),
        ("StringNotLike", "${aws:none}*", True),
        ("StringLike", "*${aws:many}*", False),
        ("StringNotLike", "*${aws:many}*", True),
        ("Bool", "${aws:none}", False),
        ("StringEquals", "bo${*}b", True),
        ("StringEquals", "bo${*}${*}b", False),
        ("StringEquals", " bo${*}b", False),
        ("StringLike", "${ aws:username }", True),
        ("StringLike", "${aws:none, '*'}", False),
        ("StringLike", "bo${aws:none,''}*b", True),
        ("StringLike", "${aws:username}", True),
        ("StringLike", "bo*", True),
        ("StringLike", "bo${?}b", False),
        ("StringEquals", "${aws:username", False),
    ],
)
def test_policy_variables_stand_for_what_the_request_has(operator, wanted, expected):
    context = {"aws:username": "bo*b", "aws:many": ["a"]}

    assert holds(operator, wanted, "bo*b", **context) is expected


@pytest.mark.parametrize("name", ["Arn{}Equals", "Arn{}Like"])
def test_an_arn_with_an_unresolved_variable_matches_none(name):
    wanted, arn = "arn:aws:iam::${aws:none}:role/*", "arn:aws:iam::1:role/a"

    assert holds(name.format(""), wanted, arn) is False
    assert holds(name.format("Not"), wanted, arn) is True


@pytest.mark.parametrize("wanted", ["a${$}b", "a$b"])
def test_a_dollar_sign_can_be_written_as_a_variable(wanted):
    assert holds("StringEquals", wanted, "a$b") is True
    assert holds("StringEquals", wanted, "ab") is False


def test_what_a_variable_stands_for_is_literal():
    assert holds("StringLike", "${aws:username}", "boob", **{"aws:username": "bo*b"}) is False


def test_policies_of_the_old_version_have_no_variables():
    condition = Condition("StringEquals", KEY, ("${a}",), substitutes_variables=False)

    assert condition.holds({KEY.lower(): "${a}"}, result_if_malformed=False)


@pytest.mark.parametrize("operator", ["ArnLike", "ArnNotLike"])
def test_a_malformed_arn_never_allows_and_always_denies(operator):
    arn = "arn:aws:iam::1:role/a"

    assert holds(operator, "arn:aws", arn) is False
    assert holds(operator, "arn:aws", arn, deny=True) is True


@pytest.mark.parametrize("operator", ["StringSimilar", "stringequals", "NullIfExists", ""])
def test_an_operator_that_does_not_exist_is_refused(operator):
    with pytest.raises(ValueError, match="is not a condition operator"):
        Condition(operator, KEY, ("a",))


@pytest.mark.parametrize(
    "value", ["arn:aws:s3:eu:1:a:b", "arn:aws:s3:a:b:1:a", "arn:aws:s3::x", ""]
)
@pytest.mark.parametrize("pattern", ["arn:aws:*:1:*", "arn:*:s3:??:?:*b", "arn:aws:s3:*:*:?:?"])
def test_many_arns_are_compared_as_each_of_them(pattern, value):
    many = tuple(f"arn:aws:sns:*:*:{number}" for number in range(20))

    alone, among_many = (
        Condition("ArnLike", "aws:PrincipalArn", values).holds(
            {"aws:principalarn": value}, result_if_malformed=False
        )
        for values in ((pattern,), (*many, pattern))
    )

    assert alone is among_many
