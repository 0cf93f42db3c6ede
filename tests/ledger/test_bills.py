"""What worlds of keys and requests cost: bills, against figures worked out by hand."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timezone
from decimal import Decimal
from typing import Any

import pytest

from kmsmock import KMSMock, mock_kms

ACCOUNT, OTHER = "123456789012", "444455556666"
SIGNING = {
    "RSA_2048": "RSASSA_PSS_SHA_256",
    "RSA_4096": "RSASSA_PSS_SHA_256",
    "ECC_NIST_P256": "ECDSA_SHA_256",
    "ECC_NIST_EDWARDS25519": "ED25519_SHA_512",
}


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=timezone.utc)


def to_a_millionth(usd: Decimal) -> Decimal:
    return usd.quantize(Decimal("0.000001"))


def new_key(client: Any, spec: str = "SYMMETRIC_DEFAULT", **more: Any) -> str:
    usage = "SIGN_VERIFY" if spec in SIGNING else "ENCRYPT_DECRYPT"
    usage = "GENERATE_VERIFY_MAC" if spec == "HMAC_256" else usage
    return client.create_key(KeySpec=spec, KeyUsage=usage, **more)["KeyMetadata"]["Arn"]


def call(client: Any, operation: str, spec: str, key: str) -> None:
    """Make one request: an operation, with a key, or for pairs with a pair spec."""
    if operation == "Encrypt":
        client.encrypt(KeyId=key, Plaintext=b"text")
    elif operation == "GenerateDataKey":
        client.generate_data_key(KeyId=key, KeySpec="AES_256")
    elif operation == "GenerateDataKeyPair":
        client.generate_data_key_pair(KeyId=key, KeyPairSpec=spec)
    elif operation == "Sign":
        client.sign(KeyId=key, Message=b"text", SigningAlgorithm=SIGNING[spec])
    else:
        assert operation == "GenerateMac"
        client.generate_mac(KeyId=key, Message=b"text", MacAlgorithm="HMAC_SHA_256")


# --- requests by the million, and keys that are there all month ---------------------------------


@dataclass(frozen=True)
class Volume:
    """A month: keys by key spec, and requests, all of them so many times.

    requests: operation, and key spec or pair spec, of each.
    """

    usd: str
    times: int = 0
    requests: list[tuple[str, str]] = field(default_factory=list)
    keys: tuple[str, ...] = ("SYMMETRIC_DEFAULT",)


ENCRYPT, DATA_KEY = ("Encrypt", "SYMMETRIC_DEFAULT"), ("GenerateDataKey", "SYMMETRIC_DEFAULT")
PAIR, MAC = "GenerateDataKeyPair", ("GenerateMac", "HMAC_256")
VOLUMES = {
    "one key, 10,000 files written and 2,000,000 reads": Volume("6.97", 10_000, [ENCRYPT] * 201),
    "15,000 requests are free": Volume("1.00", 15_000, [ENCRYPT]),
    "100,000 requests": Volume("1.24", 100_000, [ENCRYPT]),
    "20,000 requests are free": Volume("1.00", 20_000, [ENCRYPT]),
    "the next one is not": Volume("1.000003", 20_001, [ENCRYPT]),
    "RSA_2048 has its own price": Volume("1.15", 50_000, [("Sign", "RSA_2048")], ("RSA_2048",)),
    "RSA_4096 is asymmetric": Volume("1.75", 50_000, [("Sign", "RSA_4096")], ("RSA_4096",)),
    "ECC is asymmetric": Volume("1.75", 50_000, [("Sign", "ECC_NIST_P256")], ("ECC_NIST_P256",)),
    "RSA data key pairs": Volume("13.00", 10_000, [(PAIR, "RSA_2048")]),
    "ECC data key pairs": Volume("1.10", 10_000, [(PAIR, "ECC_NIST_P384")]),
    "HMAC has the free tier": Volume("1.03", 30_000, [MAC], ("HMAC_256",)),
    "four keys together": Volume(
        "4.93",
        10_000,
        [MAC] * 3 + [("Sign", "RSA_2048"), ("Sign", "RSA_4096")] * 5,
        ("SYMMETRIC_DEFAULT", "RSA_2048", "RSA_4096", "HMAC_256"),
    ),
    "a bucket key at one in a hundred": Volume("1.0003", 20_100, [DATA_KEY]),
    "a queue that asks every 300 seconds in January": Volume("1.020352", 8_928, [DATA_KEY] * 3),
    "500 Ed25519 signatures": Volume(
        "1.0075", 500, [("Sign", "ECC_NIST_EDWARDS25519")], ("ECC_NIST_EDWARDS25519",)
    ),
}


@pytest.mark.parametrize("volume", VOLUMES.values(), ids=VOLUMES)
def test_a_month_costs(volume: Volume) -> None:
    with mock_kms() as kms:
        client = kms.client()
        keys = {spec: new_key(client, spec) for spec in volume.keys}
        for operation, spec in volume.requests:
            call(client, operation, spec, keys.get(spec) or next(iter(keys.values())))

        requests = kms.calls[len(volume.keys) :]
        assert kms.costs.project(requests, times=volume.times).total == Decimal(volume.usd)


def test_calls_on_an_aws_managed_key_cost_and_the_key_does_not() -> None:
    with mock_kms() as kms:
        arn = kms.client().describe_key(KeyId="alias/aws/s3")["KeyMetadata"]["Arn"]
        through_s3 = kms.account(ACCOUNT).role("App").via("s3").client()
        through_s3.generate_data_key(KeyId=arn, KeySpec="AES_256")

        calls = kms.calls.filter("GenerateDataKey")
        assert kms.costs.project(calls, times=2_010_000).total == Decimal("5.97")


def test_the_free_tier_is_one_for_all_regions() -> None:
    with mock_kms() as kms:
        for region in ("us-east-1", "eu-west-1"):
            client = kms.client(region=region)
            client.encrypt(KeyId=new_key(client), Plaintext=b"text")

        assert kms.costs.project(kms.calls.filter("Encrypt"), times=15_000).total == Decimal("2.03")


def test_the_free_tier_is_one_for_each_account_and_one_for_an_organization() -> None:
    with mock_kms() as kms:
        for account in (ACCOUNT, OTHER):
            kms.account(account).client().generate_random(NumberOfBytes=8)

        assert kms.costs.project(times=20_000).total == 0
        for account in (ACCOUNT, OTHER):
            kms.account(account).join_organization("o-abcdefghij")
        assert kms.costs.project(times=20_000).total == Decimal("0.06")


def test_replicas_are_keys_of_their_own() -> None:
    with mock_kms() as kms:
        key = new_key(kms.client(), MultiRegion=True)
        for region in ("eu-west-1", "eu-central-1"):
            kms.client().replicate_key(KeyId=key, ReplicaRegion=region)

        assert kms.costs.project(times=1).total == Decimal("3.00")


def test_who_calls_pays_the_request_and_who_owns_the_key_its_storage() -> None:
    with mock_kms() as kms:
        owner = kms.client()
        key = new_key(owner)
        statements = [
            {"Effect": "Allow", "Action": "kms:*", "Resource": "*", "Principal": {"AWS": account}}
            for account in (ACCOUNT, OTHER)
        ]
        owner.put_key_policy(KeyId=key, Policy=str({"Statement": statements}).replace("'", '"'))
        blob = owner.encrypt(KeyId=key, Plaintext=b"text")["CiphertextBlob"]
        kms.account(OTHER).client().decrypt(CiphertextBlob=blob)

        invoice = kms.costs.project(kms.calls.filter("Decrypt"), times=1_020_000)

        assert invoice.by_account() == {ACCOUNT: Decimal("1.00"), OTHER: Decimal("3.00")}
        groups = kms.costs.by_account()
        assert groups == {ACCOUNT: 3, OTHER: 1}
        assert groups[OTHER].storage == 0


def test_volumes_made_with_a_key_stay_within_the_free_tier() -> None:
    with mock_kms() as kms:
        client = kms.client()
        key = new_key(client)
        role = kms.account(ACCOUNT).role("App")
        ec2 = role.via("ec2").client()
        made = client.generate_data_key_without_plaintext(KeyId=key, KeySpec="AES_256")
        client.create_grant(KeyId=key, GranteePrincipal=role.arn, Operations=["Decrypt"])
        ec2.decrypt(CiphertextBlob=made["CiphertextBlob"])

        assert kms.costs.project(kms.calls[1:], times=250).total == Decimal("1.00")


# --- keys that come, change and go in the course of a month --------------------------------------


@pytest.fixture
def april() -> Iterator[KMSMock]:
    """Give a mock whose clock stands at the beginning of April, which has 720 hours."""
    with mock_kms(seed=1, start_time=utc(2026, 4, 1)) as kms:
        yield kms


def bill_of(kms: KMSMock, month: str = "2026-04") -> Decimal:
    kms.clock.move_to(max(utc(2026, 5, 1), kms.clock.now()))
    return to_a_millionth(kms.costs.invoice(month).total)


def test_a_key_costs_a_dollar_a_month(april: KMSMock) -> None:
    new_key(april.client())

    assert bill_of(april) == 1


@pytest.mark.parametrize(
    "kind",
    [
        {"Origin": "EXTERNAL"},
        {"MultiRegion": True},
        {"KeySpec": "ECC_NIST_P256", "KeyUsage": "KEY_AGREEMENT"},
        {"KeySpec": "HMAC_256", "KeyUsage": "GENERATE_VERIFY_MAC"},
    ],
    ids=str,
)
def test_keys_of_all_kinds_cost_the_same(april: KMSMock, kind: dict[str, Any]) -> None:
    april.client().create_key(**kind)

    assert bill_of(april) == 1


def test_a_disabled_key_costs_as_an_enabled_one(april: KMSMock) -> None:
    april.client().disable_key(KeyId=new_key(april.client()))

    assert bill_of(april) == 1


def test_a_key_is_charged_from_its_creation_on(april: KMSMock) -> None:
    april.clock.move_to(utc(2026, 4, 15, 12))
    new_key(april.client())

    assert bill_of(april) == Decimal("0.516667")


def test_a_part_of_an_hour_is_a_whole_one(april: KMSMock) -> None:
    new_key(april.client())
    assert april.costs.storage == 0
    april.clock.advance(seconds=1)
    assert to_a_millionth(april.costs.storage) == Decimal("0.001389")
    april.clock.advance(seconds=3599)
    assert to_a_millionth(april.costs.storage) == Decimal("0.001389")


def schedule_deletion_on_the_eleventh(kms: KMSMock) -> str:
    key = new_key(kms.client())
    kms.clock.move_to(utc(2026, 4, 11))
    kms.client().schedule_key_deletion(KeyId=key, PendingWindowInDays=30)
    return key


def test_a_key_that_waits_for_its_deletion_is_not_charged(april: KMSMock) -> None:
    schedule_deletion_on_the_eleventh(april)

    assert bill_of(april) == Decimal("0.333333")
    april.clock.advance(days=60)
    assert april.keys == ()
    assert bill_of(april) == Decimal("0.333333")
    assert bill_of(april, "2026-05") == 0


def test_a_deletion_that_is_cancelled_is_charged_as_if_it_had_never_been(april: KMSMock) -> None:
    key = schedule_deletion_on_the_eleventh(april)
    april.clock.move_to(utc(2026, 4, 20))
    april.client().cancel_key_deletion(KeyId=key)

    assert bill_of(april) == 1


def test_a_rotation_costs_from_its_time_on(april: KMSMock) -> None:
    key = new_key(april.client())
    april.clock.move_to(utc(2026, 4, 16))
    april.client().rotate_key_on_demand(KeyId=key)

    assert bill_of(april) == Decimal("1.50")


def test_only_two_rotations_are_charged(april: KMSMock) -> None:
    key = new_key(april.client())
    for _ in range(5):
        april.client().rotate_key_on_demand(KeyId=key)
        april.clock.advance(hours=1)
    bill_of(april)

    assert bill_of(april, "2026-05") == 0
    april.clock.move_to(utc(2026, 6, 1))
    assert bill_of(april, "2026-05") == 3
    assert april.costs.project(times=0).total == 3


@pytest.mark.parametrize(
    ("charged", "dollars"), [(2, [1, 2, 3, 3]), (None, [1, 2, 3, 7])], ids=["now", "until 2024"]
)
def test_a_key_that_rotates_each_year_costs_more_in_its_first_years(
    charged: int | None, dollars: list[int]
) -> None:
    prices = {"surcharged_rotations": charged}
    with mock_kms(seed=1, start_time=utc(2026, 4, 1), prices=prices) as kms:
        key = new_key(kms.client())
        kms.client().enable_key_rotation(KeyId=key)
        kms.clock.move_to(utc(2033, 4, 1))

        months = [f"{2026 + year}-02" for year in (1, 2, 3, 7)]
        assert [bill_of(kms, month) for month in months] == dollars


def test_rotations_of_aws_managed_keys_are_free(april: KMSMock) -> None:
    april.client().describe_key(KeyId="alias/aws/s3")
    april.clock.advance(days=800)

    assert len(april.trail.lookup("RotateKey")) == 2
    assert april.costs.storage == 0


# --- the bill itself -----------------------------------------------------------------------------


def test_the_lines_of_an_invoice_have_the_usage_types_of_aws(april: KMSMock) -> None:
    client, eu = april.client(), april.client(region="eu-west-1")
    key, rsa = new_key(client), new_key(eu, "RSA_4096")
    for region_client, operation, spec, arn in (
        (client, "GenerateDataKeyPair", "RSA_2048", key),
        (client, "GenerateDataKeyPair", "ECC_NIST_P256", key),
        (eu, "Sign", "RSA_4096", rsa),
    ):
        call(region_client, operation, spec, arn)
    eu.create_key(KeySpec="RSA_2048", KeyUsage="ENCRYPT_DECRYPT")
    eu.get_public_key(KeyId=april.keys[-1].arn)
    april.clock.move_to(utc(2026, 5, 1))

    invoice = april.costs.invoice("2026-04")

    assert [(line.usage_type, line.quantity, line.amount) for line in invoice.lines] == [
        ("eu-west-1-KMS-Keys", 2, 2),
        ("eu-west-1-KMS-Requests", 2, 0),
        ("eu-west-1-KMS-Requests-Asymmetric", 1, Decimal("0.000015")),
        ("eu-west-1-KMS-Requests-Asymmetric-RSA_2048", 1, Decimal("0.000003")),
        ("us-east-1-KMS-Keys", 1, 1),
        ("us-east-1-KMS-Requests", 1, 0),
        ("us-east-1-KMS-Requests-GenerateDatakeyPair-ECC", 1, Decimal("0.00001")),
        ("us-east-1-KMS-Requests-GenerateDatakeyPair-RSA", 1, Decimal("0.0012")),
    ]
    units = {(line.usage_type.endswith("-KMS-Keys"), line.unit) for line in invoice.lines}
    assert units == {(True, "Keys"), (False, "Requests")}
    assert invoice.total == april.costs.total == Decimal("3.001228")
    assert april.costs.invoice().lines == ()


def test_an_invoice_is_written_as_a_table(april: KMSMock) -> None:
    new_key(april.client())
    april.clock.advance(days=15)

    table = april.costs.invoice("2026-04").table()

    assert [line.rstrip() for line in table.splitlines()] == [
        "2026-04",
        "account       usage type              quantity  price                    amount",
        "123456789012  us-east-1-KMS-Keys           0.5  $1.00 per key and month   $0.50",
        "123456789012  us-east-1-KMS-Requests         1  free tier                 $0.00",
        "              total                                                       $0.50",
    ]
    assert str(april.costs) == table.replace("2026-04", "so far", 1)


def test_what_is_above_the_free_tier_has_a_line_of_its_own() -> None:
    with mock_kms(prices={"free_requests": 2}) as kms:
        for _ in range(5):
            kms.client().list_keys()

        lines = kms.costs.invoice().lines

        assert [(line.quantity, line.description) for line in lines] == [
            (2, "free tier"),
            (3, "$0.03 per 10,000 requests"),
        ]


@pytest.mark.parametrize(
    "month", [utc(2026, 4, 30, 23), utc(2026, 4, 2).date(), "2026-04"], ids=str
)
def test_a_month_is_named_by_text_or_by_any_of_its_days(april: KMSMock, month: Any) -> None:
    april.client().list_keys()

    assert april.costs.invoice(month).title == "2026-04"
    assert len(april.costs.invoice(month).lines) == 1


@pytest.mark.parametrize("month", ["April", "2026-13", "2026-4", 4])
def test_what_is_no_month_is_refused(april: KMSMock, month: Any) -> None:
    with pytest.raises(ValueError, match="a month is written such as 2026-04"):
        april.costs.invoice(month)
