"""What a request is charged, and price lists that a project brings itself."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from kmsmock import KMSMock, mock_kms
from kmsmock.aws.prices import OF_KEY_SPEC, OF_PAIR_SPEC
from kmsmock.keys.specs import KEY_SPECS
from tests.refusals import refused

STANDARD, ASYMMETRIC = Decimal("0.000003"), Decimal("0.000015")
RSA_PAIR, ECC_PAIR = Decimal("0.0012"), Decimal("0.00001")
MESSAGE = {"Message": b"text"}


def key_of(kms: KMSMock, spec: str, usage: str) -> str:
    return kms.client().create_key(KeySpec=spec, KeyUsage=usage)["KeyMetadata"]["KeyId"]


#: Key spec, key usage, method, parameters, price of the request.
REQUESTS = [
    ("SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT", "encrypt", {"Plaintext": b"t"}, STANDARD),
    ("SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT", "describe_key", {}, STANDARD),
    (
        *("SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT", "generate_data_key_pair_without_plaintext"),
        *({"KeyPairSpec": "RSA_3072"}, RSA_PAIR),
    ),
    (
        *("SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT", "generate_data_key_pair"),
        *({"KeyPairSpec": "ECC_NIST_EDWARDS25519"}, ECC_PAIR),
    ),
    (
        *("HMAC_384", "GENERATE_VERIFY_MAC", "generate_mac"),
        *({**MESSAGE, "MacAlgorithm": "HMAC_SHA_384"}, STANDARD),
    ),
    (
        *("RSA_2048", "ENCRYPT_DECRYPT", "encrypt"),
        *({"Plaintext": b"t", "EncryptionAlgorithm": "RSAES_OAEP_SHA_256"}, STANDARD),
    ),
    (
        *("RSA_3072", "ENCRYPT_DECRYPT", "encrypt"),
        *({"Plaintext": b"t", "EncryptionAlgorithm": "RSAES_OAEP_SHA_256"}, ASYMMETRIC),
    ),
    ("RSA_3072", "SIGN_VERIFY", "get_public_key", {}, ASYMMETRIC),
    ("RSA_3072", "SIGN_VERIFY", "describe_key", {}, STANDARD),
    (
        *("ECC_SECG_P256K1", "SIGN_VERIFY", "sign"),
        *({**MESSAGE, "SigningAlgorithm": "ECDSA_SHA_256"}, ASYMMETRIC),
    ),
]


@pytest.mark.parametrize(
    ("spec", "usage", "method", "parameters", "price"),
    REQUESTS,
    ids=[f"{method} {spec} {p.get('KeyPairSpec', '')}" for spec, _, method, p, _ in REQUESTS],
)
def test_a_request_has_the_price_of_its_operation_and_spec(
    spec: str, usage: str, method: str, parameters: dict[str, Any], price: Decimal
) -> None:
    with mock_kms() as kms:
        key_id = key_of(kms, spec, usage)

        getattr(kms.client(), method)(KeyId=key_id, **parameters)

        assert kms.calls[-1].price == price


def test_re_encryption_is_priced_by_the_asymmetric_key() -> None:
    with mock_kms() as kms:
        client = kms.client()
        source = key_of(kms, "SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT")
        destination = key_of(kms, "RSA_4096", "ENCRYPT_DECRYPT")
        blob = client.encrypt(KeyId=source, Plaintext=b"text")["CiphertextBlob"]

        client.re_encrypt(
            CiphertextBlob=blob,
            DestinationKeyId=destination,
            DestinationEncryptionAlgorithm="RSAES_OAEP_SHA_1",
        )

        assert kms.calls[-1].price == ASYMMETRIC


def test_every_key_spec_and_every_spec_of_data_key_pairs_has_a_price() -> None:
    with mock_kms() as kms:
        pair_specs = kms.client().meta.service_model.shape_for("DataKeyPairSpec").enum

    assert OF_KEY_SPEC.keys() == KEY_SPECS.keys()
    assert OF_PAIR_SPEC.keys() >= set(pair_specs)


def test_requests_that_fail_are_counted_and_not_charged() -> None:
    with mock_kms() as kms:
        with refused("NotFoundException"):
            kms.client().encrypt(KeyId="alias/none", Plaintext=b"text")

        assert kms.costs.requests == 1
        assert kms.calls[-1].price == 0
        assert kms.costs.by_operation()["Encrypt"].usd == 0


def test_a_price_list_can_charge_requests_that_fail_but_never_throttled_ones() -> None:
    with mock_kms(prices={"charges_failed_calls": True}) as kms:
        with refused("NotFoundException"):
            kms.client().encrypt(KeyId="alias/none", Plaintext=b"text")
        kms.faults.throttle("ListKeys", times=1)
        kms.client().list_keys()

        assert [call.price for call in kms.calls] == [STANDARD, 0, STANDARD]


def test_a_dry_run_is_charged() -> None:
    with mock_kms() as kms:
        key_id = key_of(kms, "SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT")
        with refused("DryRunOperationException"):
            kms.client().encrypt(KeyId=key_id, Plaintext=b"text", DryRun=True)

        assert kms.calls[-1].price == STANDARD


def test_a_service_in_its_own_name_spends_the_money_of_whom_it_works_for() -> None:
    with mock_kms() as kms:
        key = kms.client().create_key()["KeyMetadata"]
        statement = {"Effect": "Allow", "Action": "kms:*", "Resource": "*"}
        services = [
            {**statement, "Principal": {"Service": f"{name}.amazonaws.com"}}
            for name in ("sns", "cloudtrail")
        ]
        root = {**statement, "Principal": {"AWS": "123456789012"}}
        kms.client().put_key_policy(
            KeyId=key["KeyId"], Policy=json.dumps({"Statement": [root, *services]})
        )
        topic = "arn:aws:sns:us-east-1:444455556666:news"
        sns = kms.principal("sns.amazonaws.com")
        for principal in (sns, sns.on_behalf_of(topic), kms.principal("cloudtrail.amazonaws.com")):
            principal.client().generate_data_key(KeyId=key["Arn"], KeySpec="AES_256")

        # CloudTrail's own requests are free.
        assert [call.price for call in kms.calls[-3:]] == [STANDARD, STANDARD, 0]
        payers = kms.costs.by_account()
        assert payers["444455556666"] == 1


# --- where prices are known, and others ----------------------------------------------------------


@pytest.mark.parametrize(
    ("region", "is_estimate"),
    [
        ("us-east-1", False),
        ("eu-central-1", False),
        ("us-gov-west-1", True),
        ("cn-north-1", True),
        ("us-moon-1", True),
    ],
)
def test_where_prices_are_not_known_the_bill_is_an_estimate(region: str, is_estimate: bool) -> None:
    with mock_kms(region=region) as kms:
        kms.client(region=region).list_keys()

        invoice = kms.costs.invoice()

        assert kms.costs.is_estimate is invoice.is_estimate is is_estimate
        assert invoice.estimated_regions == ((region,) if is_estimate else ())
        assert (f"an estimate: prices in {region} are not known" in str(invoice)) is is_estimate
        assert ("an estimate" in repr(kms.costs)) is is_estimate


def test_a_project_can_bring_its_own_prices(tmp_path: Path) -> None:
    path = tmp_path / "prices.json"
    given = {"KMS-Keys": "2", "KMS-Requests": 0.00001, "free_requests": 0, "partitions": "aws-cn"}
    path.write_text(json.dumps(given))

    for prices in (given, path, str(path)):
        with mock_kms(prices=prices, region="cn-north-1") as kms:
            client = kms.client(region="cn-north-1")
            client.encrypt(KeyId=client.create_key()["KeyMetadata"]["KeyId"], Plaintext=b"t")

            estimate = kms.costs.project(kms.calls[1:], times=100)

            assert estimate.total == Decimal("2.001")
            assert not estimate.is_estimate
            assert kms.costs.prices.source == "prices of this project"


def test_the_price_list_tells_its_date_and_source() -> None:
    with mock_kms() as kms:
        assert kms.costs.prices.date == "2026-09-11"
        assert kms.costs.prices.source == "AWS Price List, awskms"


@pytest.mark.parametrize(
    ("prices", "said"),
    [
        ({"KMS-Request": "1"}, "a price list has no 'KMS-Request'; it has KMS-Keys, KMS-Requests"),
        ({"KMS-Requests": "cheap"}, "KMS-Requests must be an amount in USD"),
        ({"KMS-Requests": "-1"}, "KMS-Requests must be an amount in USD"),
        ({"KMS-Keys": True}, "KMS-Keys must be an amount in USD"),
        ({"KMS-Keys": "NaN"}, "KMS-Keys must be an amount in USD"),
        ({"free_requests": "many"}, "free_requests of a price list cannot be 'many'"),
    ],
    ids=str,
)
def test_a_price_list_that_cannot_be_is_refused(prices: dict[str, Any], said: str) -> None:
    with pytest.raises(TypeError, match=said):
        mock_kms(prices=prices)


def test_a_price_list_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "prices.json").write_text("{")
    for name in ("none.json", "prices.json"):
        with pytest.raises(ValueError, match=f"the price list .*{name} cannot be read"):
            mock_kms(prices=tmp_path / name)
