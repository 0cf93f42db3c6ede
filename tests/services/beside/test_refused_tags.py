"""Tags that EC2 and RDS refuse, also where moto would take them."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError

from tests.services.beside.conftest import ACCOUNT, error_of

DATABASE = f"arn:aws:rds:us-east-1:{ACCOUNT}:db:orders"
RESERVED = [{"Key": "aws:team", "Value": "orders"}]
REPEATED = [{"Key": "team", "Value": "orders"}, {"Key": "team", "Value": "bills"}]
NEW_DATABASE = {
    "DBInstanceIdentifier": "orders",
    "DBInstanceClass": "db.t3.micro",
    "Engine": "postgres",
}


def create_volume(client, tags):
    specification = {"ResourceType": "volume", "Tags": tags}
    client.create_volume(AvailabilityZone="us-east-1a", Size=1, TagSpecifications=[specification])


def create_tags(client, tags):
    client.create_tags(Resources=["vol-0123456789abcdef0"], Tags=tags)


def create_database(client, tags):
    client.create_db_instance(**NEW_DATABASE, Tags=tags)


def add_tags(client, tags):
    client.add_tags_to_resource(ResourceName=DATABASE, Tags=tags)


EC2_RESERVED = "Tag keys starting with 'aws:' are reserved for internal use"
RDS_RESERVED = 'Tag keys cannot start with the reserved prefix "aws:".'


@pytest.mark.parametrize(
    ("service", "request_tags", "tags", "code", "message"),
    [
        ("ec2", create_volume, RESERVED, "InvalidParameterValue", EC2_RESERVED),
        (
            *("ec2", create_tags, RESERVED, "InvalidParameterValue"),
            f"Value ( aws:team ) for parameter key is invalid. {EC2_RESERVED}",
        ),
        (
            *("ec2", create_volume, REPEATED, "InvalidParameterValue"),
            "Duplicate tag key 'team' specified.",
        ),
        ("rds", create_database, RESERVED, "InvalidParameterValue", RDS_RESERVED),
        ("rds", add_tags, RESERVED, "InvalidParameterValue", RDS_RESERVED),
        (
            *("rds", add_tags, REPEATED, "InvalidParameterCombination"),
            "Duplicate tag key found in request: team",
        ),
    ],
)
def test_tags_are_refused_in_the_words_of_the_service(
    kms, service, request_tags, tags, code, message
):
    with pytest.raises(ClientError) as caught:
        request_tags(kms.client(service), tags)
    assert error_of(caught) == (code, message)


def test_other_tags_are_stored(kms):
    ec2 = kms.client("ec2")
    create_volume(ec2, [{"Key": "team", "Value": "orders"}])
    [volume] = ec2.describe_volumes()["Volumes"]
    ec2.create_tags(Resources=[volume["VolumeId"]], Tags=[{"Key": "stage", "Value": "test"}])
    [volume] = ec2.describe_volumes()["Volumes"]
    assert {tag["Key"] for tag in volume["Tags"]} == {"team", "stage"}
