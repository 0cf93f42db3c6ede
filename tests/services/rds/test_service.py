"""What RDS is here: a part of it, and moto's when moto is there."""

from __future__ import annotations

import boto3
import pytest

from kmsmock import mock_kms
from tests.refusals import refused
from tests.services.rds.world import EAST, INSTANCE


def test_an_operation_that_is_not_emulated_names_moto(kms):
    with refused(
        "InvalidAction", "Could not find operation DescribeDBProxies for version 2014-10-31"
    ) as caught:
        kms.client("rds").describe_db_proxies()

    assert "While moto's mock_aws is active, moto answers rds." in caught.value.__notes__[0]


def test_rds_can_be_left_alone():
    class LeftTheClientError(Exception):
        """What becomes of a request that nobody has answered."""

    def stop(**_):
        raise LeftTheClientError

    with mock_kms(isolated=True, services=("kms",)):
        rds = boto3.client("rds", EAST)
        rds.meta.events.register("before-send.rds", stop)
        with pytest.raises(LeftTheClientError):
            rds.describe_db_instances()


@pytest.mark.parametrize("kms_first", [True, False])
def test_moto_answers_rds_while_it_is_active(kms_first):
    mock_aws = pytest.importorskip("moto").mock_aws

    managers = [mock_kms(isolated=True), mock_aws()]
    outer, inner = managers if kms_first else reversed(managers)
    with outer as first, inner as second:
        kms = first if kms_first else second
        assert boto3.client("rds", EAST).describe_db_proxies()["DBProxies"] == []
        assert boto3.client("kms", EAST).list_keys()["Keys"] == []
        assert len(kms.calls) == 1


def test_a_client_of_nobody_is_refused(kms):
    iam = kms.client("iam")
    iam.create_user(UserName="Gone")
    key = iam.create_access_key(UserName="Gone")["AccessKey"]
    rds = boto3.client(
        "rds",
        EAST,
        aws_access_key_id=key["AccessKeyId"],
        aws_secret_access_key=key["SecretAccessKey"],
    )
    iam.delete_access_key(UserName="Gone", AccessKeyId=key["AccessKeyId"])
    iam.delete_user(UserName="Gone")

    with refused("InvalidClientTokenId", "The security token included in the request is invalid."):
        rds.describe_db_instances()


def test_a_reset_forgets_databases():
    with mock_kms(isolated=True) as kms:
        kms.client("rds").create_db_instance(DBInstanceIdentifier="orders", **INSTANCE.asked)
        kms.reset()

        assert kms.client("rds").describe_db_instances()["DBInstances"] == []


def test_with_authorization_off_everybody_may():
    with mock_kms(isolated=True, authorization="off") as kms:
        rds = kms.account("111122223333").role("Nobody", policies=[]).client("rds")
        made = rds.create_db_instance(
            DBInstanceIdentifier="orders", StorageEncrypted=True, **INSTANCE.asked
        )["DBInstance"]

        assert made["StorageEncrypted"]
        assert rds.describe_db_instances()["DBInstances"][0]["DBInstanceStatus"] == "available"


def test_years_pass_quickly_over_databases():
    with mock_kms(isolated=True, seed=1) as kms:
        rds = kms.client("rds")
        made = rds.create_db_instance(
            DBInstanceIdentifier="orders", StorageEncrypted=True, **INSTANCE.asked
        )["DBInstance"]
        kms.clock.advance(days=3 * 365)

        assert rds.describe_db_instances()["DBInstances"][0]["DBInstanceStatus"] == "available"
        assert kms.rds.read(made["DBInstanceArn"], 0, 1) == b"\0"
