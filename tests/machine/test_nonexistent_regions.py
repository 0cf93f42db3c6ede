"""Regions that AWS does not have: no endpoint answers there, or errors say that it is not known."""

from __future__ import annotations

import boto3
import botocore
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, EndpointConnectionError

from kmsmock import WorldError, mock_kms
from kmsmock.aws.installed_model import read_partitions
from kmsmock.aws.regions import REGIONS, is_known_region, is_region, list_regions, partition_of

KEYS = {"aws_access_key_id": "testing", "aws_secret_access_key": "testing"}
DOORS = pytest.mark.parametrize("wire", [False, True], ids=["before-call", "wire"])
#: Service -> a request.
REQUESTS = {
    "kms": lambda client: client.list_keys(),
    "sts": lambda client: client.get_caller_identity(),
    "ec2": lambda client: client.describe_volumes(),
    "rds": lambda client: client.describe_db_instances(),
    "cloudtrail": lambda client: client.describe_trails(),
}


@DOORS
@pytest.mark.parametrize("service", REQUESTS)
@pytest.mark.parametrize(
    "region", ["mars-central-1", "us-east-1a", "europe-west1", "local", "US-EAST-1"]
)
def test_no_endpoint_answers_in_a_region_that_cannot_exist(service, region, wire):
    with mock_kms(wire=wire) as kms:
        client = boto3.client(service, region, **KEYS)
        with pytest.raises(EndpointConnectionError) as caught:
            REQUESTS[service](client)

    url = f'"https://{service}.{region}.amazonaws.com/"'
    assert str(caught.value) == f"Could not connect to the endpoint URL: {url}"
    assert f"{region}; the nearest Region is " in caught.value.__notes__[0]
    assert len(kms.calls) == 0


@DOORS
def test_the_clients_of_a_mock_have_no_endpoint_there_either(wire):
    with mock_kms(wire=wire) as kms:
        for source in (kms, kms.account("444455556666"), kms.account("444455556666").user("Ada")):
            with pytest.raises(EndpointConnectionError, match=r"https://kms\.mars-central-1\."):
                source.client(region="mars-central-1").list_keys()


def test_the_environment_can_name_a_region_that_cannot_exist(machine):
    machine.set(AWS_DEFAULT_REGION="mars-central-1")

    with mock_kms() as kms:
        for client in (boto3.client("kms"), kms.client()):
            with pytest.raises(EndpointConnectionError):
                client.list_keys()


@DOORS
@pytest.mark.parametrize("region", ["aws-global", "aws-cn-global"])
def test_kms_has_no_global_endpoint(region, wire):
    with mock_kms(wire=wire), pytest.raises(EndpointConnectionError):
        boto3.client("kms", region, **KEYS).list_keys()


def test_the_endpoint_of_iam_is_the_same_in_all_regions():
    with mock_kms():
        assert boto3.client("iam", "mars-central-1", **KEYS).list_groups()["Groups"] == []


@DOORS
@pytest.mark.parametrize(
    ("service", "region", "arguments"),
    [
        ("kms", "eu-west-1", {}),
        ("kms", "fips-us-east-1", {}),
        ("kms", "us-gov-west-1", {"config": Config(use_fips_endpoint=True)}),
        ("kms", "cn-north-1", {}),
        ("kms", "eusc-de-east-1", {}),
        ("sts", "aws-global", {}),
        ("kms", "us-east-9", {}),
        ("kms", "cn-south-2", {}),
        ("kms", "local", {"endpoint_url": "http://127.0.0.1:4566"}),
        ("kms", "mars-central-1", {"endpoint_url": "https://kms.us-east-1.amazonaws.com"}),
    ],
    ids=[
        *("Region", "pseudo-Region", "FIPS", "China", "Europe", "global", "unlisted"),
        *("unlisted of China", "emulator", "other host"),
    ],
)
@pytest.mark.filterwarnings("ignore:.*fips.*")
def test_any_other_endpoint_answers(service, region, arguments, wire):
    with mock_kms(wire=wire):
        assert REQUESTS[service](boto3.client(service, region, **KEYS, **arguments))


# --- Regions that botocore does not list ---------------------------------------------------------


@DOORS
@pytest.mark.parametrize(
    ("service", "code", "request_"),
    [
        ("kms", "NotFoundException", lambda client: client.describe_key(KeyId="alias/x")),
        (
            "ec2",
            "InvalidSnapshot.NotFound",
            lambda client: client.describe_snapshots(SnapshotIds=["snap-1234567890abcdef0"]),
        ),
        (
            "rds",
            "DBInstanceNotFound",
            lambda client: client.describe_db_instances(DBInstanceIdentifier="x"),
        ),
    ],
    ids=["kms", "ec2", "rds"],
)
def test_errors_in_a_region_that_is_not_listed_say_so(service, code, request_, wire):
    with mock_kms(wire=wire), pytest.raises(ClientError, match=code) as caught:
        request_(boto3.client(service, "us-east-9", **KEYS))

    assert caught.value.__notes__[-1].endswith(
        f"botocore {botocore.__version__} does not list the Region us-east-9; the nearest one that "
        "it lists is us-east-1."
    )


def test_errors_in_a_region_of_aws_do_not():
    with mock_kms(), pytest.raises(ClientError) as caught:
        boto3.client("kms", "us-east-2", **KEYS).describe_key(KeyId="alias/x")

    assert "does not list" not in caught.value.__notes__[0]


# --- names ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("region", "partition"),
    [
        ("eu-west-1", "aws"),
        ("us-east-9", "aws"),
        ("mx-central-1", "aws"),
        ("cn-south-2", "aws-cn"),
        ("us-gov-west-9", "aws-us-gov"),
        ("us-iso-east-1", "aws-iso"),
        ("us-isob-south-9", "aws-iso-b"),
        ("eusc-de-east-1", "aws-eusc"),
    ],
)
def test_a_region_is_of_the_partition_whose_names_it_is_like(region, partition):
    assert is_region(region)
    assert partition_of(region) == partition


@pytest.mark.parametrize(
    "name", ["mars-central-1", "eu-west", "us-east-1a", "EU-WEST-1", "eu-west-1\n", "", "x", None]
)
def test_no_region_has_another_name(name):
    assert not is_region(name)


def test_all_regions_that_botocore_lists_are_known():
    listed = {
        name
        for partition in read_partitions()
        for name in partition["regions"]
        if not name.endswith("-global")
    }

    assert all(is_region(name) and is_known_region(name) for name in listed)
    assert set(list_regions()) == listed | {name for names in REGIONS.values() for name in names}
    assert {partition["id"] for partition in read_partitions()} <= REGIONS.keys()


@pytest.mark.parametrize("region", ["mars-central-1", "eu-wets-1a", "eu west 1"])
def test_options_and_worlds_take_names_of_regions_only(region):
    with pytest.raises(TypeError, match="region must be a Region such as eu-west-1, not "):
        mock_kms(region=region)
    for world in ({"region": region}, {"keys": [{"region": region}]}):
        with pytest.raises(WorldError, match="must be a Region such as eu-west-1, not "):
            mock_kms(world=world).start()


def test_a_misspelt_region_of_the_options_gets_a_suggestion():
    with pytest.raises(TypeError, match="; did you mean 'eu-west-1'"):
        mock_kms(region="eu-wets1")
