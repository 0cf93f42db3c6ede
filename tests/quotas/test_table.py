"""The names and default values of request quotas are those of AWS's tables."""

from __future__ import annotations

from fractions import Fraction

import pytest

import kmsmock.operations  # noqa: F401 - fills the table of operations
from kmsmock.aws.operations import OPERATION_FACTS, QuotaGroup
from kmsmock.aws.quotas import (
    SHARED,
    Rate,
    count_requests,
    get_default,
    list_quotas,
    quota_of_key_spec,
    require_quota,
)
from kmsmock.keys.specs import DATA_KEY_PAIR_SPECS, KEY_SPECS

MOST = ("us-east-1", "us-west-2", "eu-west-1")
MORE = (
    *("us-east-2", "ap-southeast-1", "ap-southeast-2", "ap-northeast-1", "eu-central-1"),
    "eu-west-2",
)
OTHERS = ("us-west-1", "eu-west-3", "eu-north-1", "sa-east-1", "cn-north-1", "us-gov-west-1")


@pytest.mark.parametrize(
    ("region", "value"),
    [
        *((region, 100_000) for region in MOST),
        *((region, 20_000) for region in MORE),
        *((region, 10_000) for region in OTHERS),
    ],
)
def test_the_symmetric_quota_depends_on_the_region(region: str, value: int) -> None:
    assert get_default("cryptographic-symmetric", region) == value


@pytest.mark.parametrize("region", ["us-east-1", "cn-north-1"])
@pytest.mark.parametrize(
    ("quota", "value"),
    [
        ("cryptographic-rsa", 1_000),
        ("cryptographic-ecc", 1_000),
        ("cryptographic-ml-dsa", 1_000),
        ("cryptographic-ml-kem", 1_000),
        ("custom-key-store", 1_800),
        ("GenerateDataKeyPair-ECC_NIST_P256", 100),
        ("GenerateDataKeyPair-ECC_NIST_P384", 100),
        ("GenerateDataKeyPair-ECC_NIST_P521", 100),
        ("GenerateDataKeyPair-ECC_SECG_P256K1", 100),
        ("GenerateDataKeyPair-ECC_NIST_EDWARDS25519", 100),
        ("GenerateDataKeyPair-SM2", 25),
        ("CreateKey", 5),
        ("CreateGrant", 50),
        ("DescribeKey", 2_000),
        ("GetParametersForImport", 1),
        ("GetKeyLastUsage", 5),
    ],
)
def test_the_other_quotas_have_the_same_value_in_each_region(
    quota: str, value: int, region: str
) -> None:
    assert get_default(quota, region) == value


@pytest.mark.parametrize(
    ("spec", "value", "in_china"),
    [("RSA_2048", 20, 1), ("RSA_3072", 4, Fraction(1, 2)), ("RSA_4096", 1, Fraction(1, 10))],
)
def test_rsa_data_key_pairs_have_lower_quotas_in_china(
    spec: str, value: int, in_china: Fraction
) -> None:
    quota = f"GenerateDataKeyPair-{spec}"

    assert get_default(quota, "eu-west-1") == value
    assert {get_default(quota, region) for region in ("cn-north-1", "cn-northwest-1")} == {in_china}


@pytest.mark.parametrize("spec", KEY_SPECS)
def test_each_key_spec_has_a_quota(spec: str) -> None:
    expected = {
        "SYMMETRIC": "symmetric",
        "HMAC": "symmetric",
        "RSA": "rsa",
        "ECC": "ecc",
        "SM2": "ecc",
        "ML_DSA": "ml-dsa",
        "ML_KEM": "ml-kem",
    }
    [quota] = [name for start, name in expected.items() if spec.startswith(start)]

    assert quota_of_key_spec(spec) == f"cryptographic-{quota}"


def test_each_spec_of_data_key_pairs_has_a_quota() -> None:
    assert {name for name in SHARED if name.startswith("GenerateDataKeyPair-")} == {
        f"GenerateDataKeyPair-{spec}" for spec in DATA_KEY_PAIR_SPECS
    }


@pytest.mark.parametrize("operation", sorted(OPERATION_FACTS))
def test_each_operation_counts_against_quotas_that_have_a_value(operation: str) -> None:
    parameters = {
        "KeyPairSpec": "RSA_2048",
        "ReplicaRegion": "eu-west-1",
        "PrimaryRegion": "eu-west-1",
    }

    counted = count_requests(OPERATION_FACTS[operation], "1", "us-east-1", [], parameters.get)

    assert counted
    for scope, count in counted:
        assert scope.quota in list_quotas()
        assert Rate.of(get_default(scope.quota, scope.region)).requests >= count > 0


@pytest.mark.parametrize(
    ("per_second", "rate", "text"),
    [
        (10_000, (10_000, 1), "10,000 per second"),
        (0.5, (1, 2), "0.5 per second (1 in each 2-second interval)"),
        (0.1, (1, 10), "0.1 per second (1 in each 10-second interval)"),
        (2.5, (5, 2), "2.5 per second (5 in each 2-second interval)"),
    ],
    ids=str,
)
def test_a_value_with_a_fraction_is_a_number_in_a_longer_interval(
    per_second: float, rate: tuple[int, int], text: str
) -> None:
    assert Rate.of(per_second) == rate
    assert str(Rate.of(per_second)) == text


@pytest.mark.parametrize("value", [0, -1, float("inf"), float("nan")], ids=str)
def test_a_value_must_be_possible(value: float) -> None:
    with pytest.raises(ValueError, match="per_second must be a positive number of requests"):
        Rate.of(value)


@pytest.mark.parametrize("value", [1e-300, 1e-9, 1 / 86_401], ids=str)
def test_a_value_must_be_at_least_a_request_in_a_day(value: float) -> None:
    with pytest.raises(ValueError, match="per_second must be at least one request in a day, which"):
        Rate.of(value)
    assert Rate.of(1 / 86_400) == (1, 86_400)


@pytest.mark.parametrize("value", ["10", None, True, [1]], ids=repr)
def test_a_value_must_be_a_number(value: object) -> None:
    with pytest.raises(TypeError, match="per_second must be a number, not"):
        Rate.of(value)


@pytest.mark.parametrize("name", list_quotas())
def test_each_quota_is_known_by_its_name(name: str) -> None:
    assert require_quota(name) == name


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("CreateKye", "there is no request quota 'CreateKye'; did you mean 'CreateKey'?"),
        ("symmetric", "; did you mean 'cryptographic-symmetric'?"),
        ("cryptographic-RSA", "; did you mean 'cryptographic-rsa'?"),
        ("Encrypt", "Encrypt has no request quota of its own, but shares cryptographic-symmetric"),
        ("GenerateDataKeyPair", "but shares GenerateDataKeyPair-RSA_2048, "),
    ],
)
def test_an_unknown_name_raises_with_the_nearest_one(name: str, message: str) -> None:
    with pytest.raises(ValueError) as caught:
        require_quota(name)

    assert message in str(caught.value)


def test_the_quotas_of_operations_are_declared_once() -> None:
    own = {n for n, facts in OPERATION_FACTS.items() if facts.quota.group is QuotaGroup.OWN}

    assert own.isdisjoint(SHARED)
    assert {*list_quotas()} == own | {*SHARED}
