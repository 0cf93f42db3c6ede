"""Requests above a quota are throttled: which of them count together, for whom and where."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from typing import Any

import boto3
import pytest

from kmsmock import KMSMock, mock_kms
from tests.quotas.calls import OTHER, OWN, codes, count_answered, make_client, new_key
from tests.refusals import refused

TEXT = "You have exceeded the rate at which you may call KMS. Reduce the frequency of your calls."
TWO = dict.fromkeys(
    (
        *("cryptographic-symmetric", "cryptographic-rsa", "cryptographic-ecc"),
        *("cryptographic-ml-dsa", "cryptographic-ml-kem", "DescribeKey", "ListKeys"),
    ),
    2,
)


#: The key policy of a key that both accounts can use.
SHARED = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": {
            "Effect": "Allow",
            "Principal": {"AWS": [f"arn:aws:iam::{account}:root" for account in (OWN, OTHER)]},
            "Action": "kms:*",
            "Resource": "*",
        },
    }
)


@pytest.fixture
def kms() -> Iterator[KMSMock]:
    """A mock whose clock stands still, with low quotas."""
    with mock_kms(seed=1, quotas=TWO) as kms:
        yield kms


# --- off and on -----------------------------------------------------------------------------


def test_quotas_are_off_by_default() -> None:
    with mock_kms(seed=1):
        assert count_answered(make_client().create_key, most=7) == 7


def test_with_true_the_quotas_are_those_of_aws() -> None:
    with mock_kms(seed=1, quotas=True) as kms:
        assert kms.options["quotas"] is True
        assert count_answered(make_client().create_key) == 5


def test_with_a_dict_some_have_other_values_and_the_others_are_those_of_aws() -> None:
    with mock_kms(seed=1, quotas={"ListKeys": 3}):
        client = make_client()

        assert count_answered(client.list_keys) == 3
        assert count_answered(client.create_key) == 5


def test_a_mark_and_an_ini_option_switch_them_on(pytester: pytest.Pytester) -> None:
    pytester.makeini("[pytest]\nkms_quotas = true\n")
    pytester.makepyfile(
        """
        import pytest

        def test_ini(kms):
            assert kms.options["quotas"] is True

        @pytest.mark.kms(quotas={"CreateKey": 0.5})
        def test_mark(kms):
            assert kms.options["quotas"] == {"CreateKey": 0.5}
        """
    )

    pytester.runpytest_inprocess().assert_outcomes(passed=2)


@pytest.mark.parametrize(
    ("quotas", "error", "message"),
    [
        ({"CreateKye": 1}, ValueError, "no request quota 'CreateKye'; did you mean 'CreateKey'?"),
        ({"CreateKey": 0}, ValueError, "quotas['CreateKey'] must be a positive number"),
        ({"CreateKey": "5"}, TypeError, "quotas['CreateKey'] must be a number, not str: '5'"),
        ({5: 5}, TypeError, "a quota must be the name of a request quota"),
        ("yes", TypeError, "quotas must be True, False, or a dict such as {'CreateKey': 10}"),
    ],
    ids=["name", "zero", "text", "no name", "no dict"],
)
def test_a_wrong_value_of_the_option_is_told(
    quotas: Any, error: type[Exception], message: str
) -> None:
    with pytest.raises(error) as caught, mock_kms(quotas=quotas, isolated=True):
        pass

    assert message in str(caught.value)


def test_the_last_second_of_the_clock_is_throttled_like_any_other() -> None:
    last = datetime.max.replace(microsecond=500_000, tzinfo=timezone.utc)
    with mock_kms(seed=1, start_time=last, quotas={"ListKeys": 2}) as kms:
        assert count_answered(make_client().list_keys) == 2
        assert "ends in 0.499999 s, with the mock's clock" in kms.calls[-1].explanation
        assert not kms.quotas.headroom()


# --- intervals ------------------------------------------------------------------------------


def test_the_rest_of_a_second_is_throttled_and_the_next_one_is_not(kms: KMSMock) -> None:
    client = make_client()
    assert count_answered(client.list_keys) == 2

    kms.clock.advance(seconds=0.999)
    with refused("ThrottlingException", TEXT):
        client.list_keys()
    kms.clock.advance(seconds=0.001)

    assert count_answered(client.list_keys) == 2


@pytest.mark.parametrize(("per_second", "seconds"), [(0.5, 2), (0.1, 10), (1, 1)])
def test_a_quota_with_a_fraction_allows_one_request_in_a_longer_interval(
    per_second: float, seconds: int
) -> None:
    with mock_kms(seed=1, quotas={"ListKeys": per_second}) as kms:
        client = make_client()
        assert count_answered(client.list_keys) == 1
        kms.clock.advance(timedelta(seconds=seconds, milliseconds=-1))
        assert count_answered(client.list_keys) == 0
        kms.clock.advance(timedelta(milliseconds=1))
        assert count_answered(client.list_keys) == 1


def test_data_key_pairs_in_china_have_quotas_with_a_fraction() -> None:
    with mock_kms(seed=1, quotas=True) as kms:
        client = make_client(region="cn-north-1")
        key_id = client.create_key()["KeyMetadata"]["KeyId"]

        def generate() -> None:
            client.generate_data_key_pair(KeyId=key_id, KeyPairSpec="RSA_3072")

        assert count_answered(generate) == 1
        kms.clock.advance(seconds=1)
        assert count_answered(generate) == 0
        kms.clock.advance(seconds=1)
        assert count_answered(generate) == 1


# --- what counts together --------------------------------------------------------------------

SPECS = {
    "cryptographic-symmetric": ("SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT"),
    "cryptographic-symmetric of HMAC": ("HMAC_256", "GENERATE_VERIFY_MAC"),
    "cryptographic-rsa": ("RSA_2048", "SIGN_VERIFY"),
    "cryptographic-ecc": ("ECC_NIST_P256", "SIGN_VERIFY"),
}


def use(client: Any, key: str, usage: str) -> None:
    if usage == "ENCRYPT_DECRYPT":
        client.encrypt(KeyId=key, Plaintext=b"x")
    elif usage == "GENERATE_VERIFY_MAC":
        client.generate_mac(KeyId=key, Message=b"x", MacAlgorithm="HMAC_SHA_256")
    else:
        algorithms = client.get_public_key(KeyId=key)["SigningAlgorithms"]
        client.sign(KeyId=key, Message=b"x", SigningAlgorithm=algorithms[0])


@pytest.mark.parametrize("quota", SPECS)
def test_the_quota_of_a_cryptographic_operation_is_that_of_the_key(
    kms: KMSMock, quota: str
) -> None:
    spec, usage = SPECS[quota]
    key = new_key(kms, spec, usage)

    assert count_answered(lambda: use(make_client(), key, usage)) == 2
    assert quota.partition(" ")[0] in kms.calls[-1].explanation


def test_operations_with_keys_of_one_kind_share_a_quota(kms: KMSMock) -> None:
    key, client = new_key(kms), make_client()
    client.encrypt(KeyId=key, Plaintext=b"x")
    client.generate_random(NumberOfBytes=1)

    with refused("ThrottlingException"):
        client.generate_data_key(KeyId=key, KeySpec="AES_256")


def test_keys_of_different_kinds_and_other_operations_do_not(kms: KMSMock) -> None:
    keys = {spec: (new_key(kms, spec, usage), usage) for spec, usage in list(SPECS.values())[1:]}
    kms.clock.advance(seconds=1)
    client = make_client()

    for key, usage in keys.values():
        assert count_answered(lambda key=key, usage=usage: use(client, key, usage)) == 2
    assert count_answered(client.list_keys) == 2


def test_data_key_pairs_count_by_spec_and_not_as_symmetric() -> None:
    quotas = {"GenerateDataKeyPair-RSA_2048": 1, "GenerateDataKeyPair-ECC_NIST_P256": 1}
    with mock_kms(seed=1, quotas={**quotas, "cryptographic-symmetric": 1}) as kms:
        key, client = new_key(kms), make_client()

        for spec in ("RSA_2048", "ECC_NIST_P256"):
            client.generate_data_key_pair(KeyId=key, KeyPairSpec=spec)
            with refused("ThrottlingException"):
                client.generate_data_key_pair_without_plaintext(KeyId=key, KeyPairSpec=spec)
        client.encrypt(KeyId=key, Plaintext=b"x")


def test_a_re_encryption_counts_once_for_each_kind_of_key(kms: KMSMock) -> None:
    symmetric, rsa = new_key(kms), new_key(kms, "RSA_2048")
    blob = kms.client().encrypt(KeyId=symmetric, Plaintext=b"x")["CiphertextBlob"]
    kms.clock.advance(seconds=1)
    client = make_client()
    to_rsa = {"DestinationKeyId": rsa, "DestinationEncryptionAlgorithm": "RSAES_OAEP_SHA_256"}
    client.re_encrypt(CiphertextBlob=blob, **to_rsa)
    client.re_encrypt(CiphertextBlob=blob, DestinationKeyId=symmetric)

    with refused("ThrottlingException"):
        client.encrypt(KeyId=symmetric, Plaintext=b"x")
    client.encrypt(KeyId=rsa, Plaintext=b"x", EncryptionAlgorithm="RSAES_OAEP_SHA_256")
    with refused("ThrottlingException"):
        client.re_encrypt(CiphertextBlob=blob, **to_rsa)


def test_each_account_and_region_has_quotas_of_its_own(kms: KMSMock) -> None:
    for account in (OWN, OTHER):
        for region in ("us-east-1", "eu-west-1"):
            client = make_client(region=region, principal=kms.account(account).root)
            assert count_answered(client.list_keys) == 2
            assert f"account {account} in {region}" in kms.calls[-1].explanation


def test_a_call_with_a_key_of_another_account_counts_for_the_caller(kms: KMSMock) -> None:
    owner = kms.account(OTHER).client()
    key = owner.create_key(Policy=SHARED)["KeyMetadata"]["Arn"]

    assert count_answered(lambda: make_client().encrypt(KeyId=key, Plaintext=b"x")) == 2
    owner.encrypt(KeyId=key, Plaintext=b"x")
    owner.encrypt(KeyId=key, Plaintext=b"x")
    assert codes(kms, "Encrypt") == [None, None, "ThrottlingException", None, None]


def test_calls_that_fail_count(kms: KMSMock) -> None:
    client, role = make_client(), kms.account(OWN).role("App")
    with refused("NotFoundException"):
        client.describe_key(KeyId="alias/none")
    with refused("AccessDeniedException"):
        make_client(principal=role).describe_key(KeyId=new_key(kms))

    with refused("ThrottlingException", TEXT):
        client.describe_key(KeyId="alias/none")


def test_requests_that_cannot_be_parsed_count() -> None:
    with mock_kms(seed=1, quotas={"ListKeys": 2}, wire=True) as kms:
        client = make_client(parameter_validation=False)
        for _ in range(2):
            with refused("SerializationException"):
                client.list_keys(Limit="many")
        with refused("ThrottlingException"):
            client.list_keys(Limit="many")
        assert codes(kms, "ListKeys")[-1] == "ThrottlingException"


def test_dry_runs_count(kms: KMSMock) -> None:
    key, client = new_key(kms), make_client()
    for _ in range(2):
        with refused("DryRunOperationException"):
            client.encrypt(KeyId=key, Plaintext=b"x", DryRun=True)

    with refused("ThrottlingException"):
        client.encrypt(KeyId=key, Plaintext=b"x")


def test_requests_without_valid_credentials_do_not_count(kms: KMSMock) -> None:
    session = kms.client("sts").get_session_token()["Credentials"]
    names = {"aws_access_key_id": "AccessKeyId", "aws_secret_access_key": "SecretAccessKey"}
    expired = boto3.client(
        "kms",
        "us-east-1",
        aws_session_token=session["SessionToken"],
        **{name: session[member] for name, member in names.items()},
    )
    kms.clock.advance(days=2)
    for _ in range(3):
        with refused("ExpiredTokenException"):
            expired.list_keys()

    assert count_answered(make_client().list_keys) == 2


# --- Regions that a call affects beside its own ------------------------------------------------


def test_a_replica_key_counts_as_two_keys_in_its_region() -> None:
    with mock_kms(seed=1, quotas={"CreateKey": 3}) as kms:
        client, there = make_client(), make_client(region="eu-west-1")
        key = client.create_key(MultiRegion=True)["KeyMetadata"]["KeyId"]
        client.replicate_key(KeyId=key, ReplicaRegion="eu-west-1")

        assert count_answered(there.create_key) == 1
        kms.clock.advance(seconds=1)
        there.create_key()
        there.create_key()
        other = client.create_key(MultiRegion=True)["KeyMetadata"]["KeyId"]
        with refused("ThrottlingException") as caught:
            client.replicate_key(KeyId=other, ReplicaRegion="eu-west-1")

        note = caught.value.__notes__[0]
        assert "The request quota CreateKey of account 123456789012 in eu-west-1 is 3" in note
        assert "this request, which counts as 2 of them, is number 4" in note
        assert "after 2 CreateKey." in note
        assert count_answered(client.create_key) == 2


def test_a_note_shows_requests_that_count_twice_truly() -> None:
    with mock_kms(seed=1, quotas={"CreateKey": 5, "ReplicateKey": 9}):
        client = make_client()
        keys = [client.create_key(MultiRegion=True)["KeyMetadata"]["KeyId"] for _ in range(3)]
        for key in keys[:2]:
            client.replicate_key(KeyId=key, ReplicaRegion="eu-west-1")
        with refused("ThrottlingException") as caught:
            client.replicate_key(KeyId=keys[2], ReplicaRegion="eu-west-1")

        assert (
            "this request, which counts as 2 of them, is number 6 in one second after 2 "
            "ReplicateKey (each of which counts as 2)."
        ) in caught.value.__notes__[0]


def test_the_replication_itself_counts_in_the_region_of_the_primary_key() -> None:
    with mock_kms(seed=1, quotas={"ReplicateKey": 1}):
        client = make_client()
        key = client.create_key(MultiRegion=True)["KeyMetadata"]["KeyId"]
        client.replicate_key(KeyId=key, ReplicaRegion="eu-west-1")

        with refused("ThrottlingException") as caught:
            client.replicate_key(KeyId=key, ReplicaRegion="eu-west-2")
        assert "ReplicateKey of account 123456789012 in us-east-1" in caught.value.__notes__[0]


def test_an_update_of_the_primary_region_counts_in_both_regions() -> None:
    with mock_kms(seed=1, quotas={"UpdatePrimaryRegion": 1}, delays="none") as kms:
        client, there = make_client(), make_client(region="eu-west-1")
        key = client.create_key(MultiRegion=True)["KeyMetadata"]["KeyId"]
        client.replicate_key(KeyId=key, ReplicaRegion="eu-west-1")
        client.update_primary_region(KeyId=key, PrimaryRegion="eu-west-1")

        with refused("ThrottlingException"):
            there.update_primary_region(KeyId=key, PrimaryRegion="us-east-1")
        with refused("ThrottlingException"):
            client.update_primary_region(KeyId=key, PrimaryRegion="eu-west-1")
        kms.clock.advance(seconds=1)
        there.update_primary_region(KeyId=key, PrimaryRegion="us-east-1")
