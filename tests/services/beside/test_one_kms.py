"""While a mock answers, services of moto that ask moto's KMS get the keys of the mock."""

from __future__ import annotations

import json
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from moto import mock_aws
from moto.ec2 import ec2_backends
from moto.kms import kms_backends

from kmsmock import KMSMock, mock_kms
from kmsmock.interception import moto_bridge

ACCOUNT, REGION = "123456789012", "us-east-1"
POLICY = {
    "Version": "2012-10-17",
    "Statement": {
        "Effect": "Allow",
        "Action": "kms:*",
        "Resource": "*",
        "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
    },
}


# --- Resource Groups Tagging API ---------------------------------------------------------------


@pytest.fixture
def tagging(kms: KMSMock) -> Any:
    assert not list(kms.calls)
    return boto3.client("resourcegroupstaggingapi", REGION)


def list_tagged(tagging):
    found = tagging.get_resources(ResourceTypeFilters=["kms"])["ResourceTagMappingList"]
    return {each["ResourceARN"]: {t["Key"]: t["Value"] for t in each["Tags"]} for each in found}


@pytest.fixture
def tagged_key(kms):
    tags = [{"TagKey": "team", "TagValue": "red"}]
    return kms.client().create_key(Tags=tags)["KeyMetadata"]["Arn"]


def test_keys_are_among_the_tagged_resources(tagging, tagged_key, key):
    assert key not in list_tagged(tagging)
    assert list_tagged(tagging) == {tagged_key: {"team": "red"}}


def test_reading_tags_makes_no_calls_of_kms(kms, tagging, tagged_key):
    before = len(kms.calls)
    assert tagged_key in list_tagged(tagging)
    assert tagging.get_tag_keys()["TagKeys"] == ["team"]
    assert tagging.get_tag_values(Key="team")["TagValues"] == ["red"]
    assert len(kms.calls) == before


def test_tagging_a_key_calls_kms(kms, tagging, key):
    tagging.tag_resources(ResourceARNList=[key], Tags={"team": "blue"})
    tags = kms.client().list_resource_tags(KeyId=key)["Tags"]
    assert tags == [{"TagKey": "team", "TagValue": "blue"}]
    kms.calls.assert_called("TagResource", key=key, times=1)


def test_untagging_a_key_calls_kms(kms, tagging, tagged_key):
    tagging.untag_resources(ResourceARNList=[tagged_key], TagKeys=["team"])
    assert kms.client().list_resource_tags(KeyId=tagged_key)["Tags"] == []
    assert list_tagged(tagging) == {}


def test_keys_of_other_regions_are_not_among_the_tagged_resources(kms, tagging):
    tags = [{"TagKey": "team", "TagValue": "red"}]
    kms.client(region="eu-west-1").create_key(Tags=tags)
    assert list_tagged(tagging) == {}


MISSING_KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/11111111-2222-3333-4444-555555555555"


@pytest.mark.parametrize(
    ("operation", "parameters"),
    [("tag_resources", {"Tags": {"team": "blue"}}), ("untag_resources", {"TagKeys": ["team"]})],
    ids=["tag", "untag"],
)
def test_keys_that_cannot_be_tagged_are_listed_with_the_error_of_kms(
    tagging, tagged_key, operation, parameters
):
    arns = [MISSING_KEY, tagged_key]
    failed = getattr(tagging, operation)(ResourceARNList=arns, **parameters)["FailedResourcesMap"]
    message = f"Key '{MISSING_KEY}' does not exist"
    failure = {"StatusCode": 400, "ErrorCode": "NotFoundException", "ErrorMessage": message}
    assert failed == {MISSING_KEY: failure}
    assert list_tagged(tagging) != {tagged_key: {"team": "red"}}


def test_reserved_tags_are_failures_of_the_key(tagging, tagged_key):
    failed = tagging.tag_resources(ResourceARNList=[tagged_key], Tags={"aws:team": "blue"})
    assert failed["FailedResourcesMap"][tagged_key]["ErrorCode"] == "TagException"


def test_tags_that_are_no_texts_are_failures_of_the_key(tagged_key):
    config = Config(parameter_validation=False)
    tagging = boto3.client("resourcegroupstaggingapi", REGION, config=config)
    failed = tagging.untag_resources(ResourceARNList=[tagged_key], TagKeys=[{"a": 1}])
    code = failed["FailedResourcesMap"][tagged_key]["ErrorCode"]
    assert code == "SerializationException"


# --- CloudFormation ------------------------------------------------------------------------------


@pytest.fixture
def stacks(kms: KMSMock) -> Stacks:
    assert not list(kms.calls)
    pytest.importorskip("openapi_spec_validator")  # moto's CloudFormation needs it
    return Stacks()


class Stacks:
    """Changes one stack."""

    def __init__(self) -> None:
        self.client = boto3.client("cloudformation", REGION)

    def create(self, outputs: Any = None, /, **resources: Any) -> dict[str, str]:
        self.client.create_stack(StackName="s", TemplateBody=make_template(resources, outputs))
        shown = self.client.describe_stacks(StackName="s")["Stacks"][0].get("Outputs", ())
        return {each["OutputKey"]: each["OutputValue"] for each in shown}

    def update(self, **resources: Any) -> None:
        self.client.update_stack(StackName="s", TemplateBody=make_template(resources, None))

    def delete(self) -> None:
        self.client.delete_stack(StackName="s")

    def id_of(self, name: str) -> str:
        shown = self.client.describe_stack_resource(StackName="s", LogicalResourceId=name)
        physical: str = shown["StackResourceDetail"]["PhysicalResourceId"]
        return physical


def make_template(resources: Any, outputs: Any) -> str:
    shown = {name: {"Value": value} for name, value in (outputs or {}).items()}
    return json.dumps({"Resources": resources, **({"Outputs": shown} if shown else {})})


def key_of_stack(**properties: Any) -> dict[str, Any]:
    return {"Type": "AWS::KMS::Key", "Properties": {"KeyPolicy": POLICY, **properties}}


def alias_of_stack(name: str, target: Any) -> dict[str, Any]:
    properties = {"AliasName": name, "TargetKeyId": target}
    return {"Type": "AWS::KMS::Alias", "Properties": properties}


def describe(kms, key):
    return kms.client().describe_key(KeyId=key)["KeyMetadata"]


def test_the_key_of_a_stack_has_its_properties(kms, stacks):
    stacks.create(
        Key=key_of_stack(
            Description="of a stack",
            EnableKeyRotation=True,
            RotationPeriodInDays=180,
            Tags=[{"Key": "team", "Value": "red"}],
            MultiRegion=True,
        )
    )
    key, client = stacks.id_of("Key"), kms.client()
    metadata = describe(kms, key)
    assert (metadata["Description"], metadata["MultiRegion"]) == ("of a stack", True)
    assert client.get_key_rotation_status(KeyId=key)["RotationPeriodInDays"] == 180
    assert client.list_resource_tags(KeyId=key)["Tags"] == [{"TagKey": "team", "TagValue": "red"}]
    policy = json.loads(client.get_key_policy(KeyId=key)["Policy"])
    assert policy["Statement"][0]["Action"] == "kms:*" or policy["Statement"]["Action"] == "kms:*"


@pytest.mark.parametrize(
    ("properties", "member", "value"),
    [
        pytest.param(
            {"KeySpec": "ECC_NIST_P256", "KeyUsage": "SIGN_VERIFY"},
            "KeySpec",
            "ECC_NIST_P256",
            id="spec",
        ),
        pytest.param({"Enabled": False}, "KeyState", "Disabled", id="disabled"),
        pytest.param({"Enabled": "false"}, "KeyState", "Disabled", id="disabled by a parameter"),
        pytest.param({"Origin": "EXTERNAL"}, "Origin", "EXTERNAL", id="origin"),
    ],
)
def test_the_key_of_a_stack_is_as_its_template_says(kms, stacks, properties, member, value):
    stacks.create(Key=key_of_stack(**properties))
    assert describe(kms, stacks.id_of("Key"))[member] == value


def test_a_stack_refers_to_its_key(kms, stacks):
    outputs = {
        "Ref": {"Ref": "Key"},
        "Arn": {"Fn::GetAtt": ["Key", "Arn"]},
        "Id": {"Fn::GetAtt": ["Key", "KeyId"]},
        "Alias": {"Ref": "Alias"},
    }
    shown = stacks.create(
        outputs, Key=key_of_stack(), Alias=alias_of_stack("alias/stack", {"Ref": "Key"})
    )
    metadata = describe(kms, "alias/stack")
    assert shown == {
        "Ref": metadata["KeyId"],
        "Arn": metadata["Arn"],
        "Id": metadata["KeyId"],
        "Alias": "alias/stack",
    }


def test_an_update_changes_the_key_of_a_stack(kms, stacks):
    stacks.create(Key=key_of_stack(Description="old", Tags=[{"Key": "a", "Value": "1"}]))
    key = stacks.id_of("Key")
    stacks.update(
        Key=key_of_stack(
            Description="new",
            Enabled=False,
            EnableKeyRotation=True,
            Tags=[{"Key": "b", "Value": "2"}],
            KeyPolicy={**POLICY, "Id": "changed"},
        )
    )
    client = kms.client()
    metadata = describe(kms, key)
    assert (metadata["Description"], metadata["KeyState"]) == ("new", "Disabled")
    assert client.list_resource_tags(KeyId=key)["Tags"] == [{"TagKey": "b", "TagValue": "2"}]
    assert json.loads(client.get_key_policy(KeyId=key)["Policy"])["Id"] == "changed"
    assert client.get_key_rotation_status(KeyId=key)["KeyRotationEnabled"]


def test_an_update_cannot_change_what_is_fixed(stacks):
    stacks.create(Key=key_of_stack())
    with pytest.raises(ClientError, match="MultiRegion"):
        stacks.update(Key=key_of_stack(MultiRegion=True))


def test_an_update_moves_and_renames_aliases(kms, stacks, key):
    stacks.create(Key=key_of_stack(), Alias=alias_of_stack("alias/one", {"Ref": "Key"}))
    stacks.update(Key=key_of_stack(), Alias=alias_of_stack("alias/one", key))
    assert describe(kms, "alias/one")["Arn"] == key
    stacks.update(Key=key_of_stack(), Alias=alias_of_stack("alias/two", key))
    aliases = kms.client().list_aliases(KeyId=key)["Aliases"]
    assert [alias["AliasName"] for alias in aliases] == ["alias/two"]


def test_a_stack_takes_its_keys_with_it(kms, stacks):
    stacks.create(
        Key=key_of_stack(PendingWindowInDays=7), Alias=alias_of_stack("alias/s", {"Ref": "Key"})
    )
    key = stacks.id_of("Key")
    stacks.delete()
    assert describe(kms, key)["KeyState"] == "PendingDeletion"
    kms.calls.assert_called("ScheduleKeyDeletion", times=1)
    assert not [a for a in kms.client().list_aliases()["Aliases"] if a["AliasName"] == "alias/s"]


def test_a_key_that_is_to_be_retained_stays(kms, stacks):
    stacks.create(Key={**key_of_stack(), "DeletionPolicy": "Retain"})
    key = stacks.id_of("Key")
    stacks.delete()
    assert describe(kms, key)["KeyState"] == "Enabled"


def test_a_stack_makes_and_deletes_replicas(kms, stacks):
    primary = kms.client(region="eu-west-1").create_key(MultiRegion=True)["KeyMetadata"]
    properties = {"PrimaryKeyArn": primary["Arn"], "KeyPolicy": POLICY, "Description": "replica"}
    shown = stacks.create(
        {"Arn": {"Fn::GetAtt": ["Replica", "Arn"]}},
        Replica={"Type": "AWS::KMS::ReplicaKey", "Properties": properties},
    )
    replica = describe(kms, primary["KeyId"])
    assert (replica["Arn"], replica["Description"]) == (shown["Arn"], "replica")
    assert replica["MultiRegionConfiguration"]["PrimaryKey"]["Arn"] == primary["Arn"]
    stacks.delete()
    assert describe(kms, primary["KeyId"])["KeyState"] == "PendingDeletion"


def test_kms_refuses_a_stack_as_it_refuses_its_caller(stacks):
    statement = {**POLICY["Statement"], "Principal": {"AWS": "arn:aws:iam::111122223333:root"}}
    with pytest.raises(ClientError, match="MalformedPolicyDocumentException"):
        stacks.create(Key=key_of_stack(KeyPolicy={**POLICY, "Statement": statement}))


def test_the_calls_of_a_stack_are_those_of_its_caller(kms, stacks):
    stacks.create(Key=key_of_stack())
    call = kms.calls[-1]
    assert (call.operation, call.caller) == (
        "CreateKey",
        f"arn:aws:iam::{ACCOUNT}:user/Administrator",
    )


# --- others --------------------------------------------------------------------------------------


def test_the_default_key_of_ebs_is_a_key_of_the_mock(kms):
    boto3.client("resourcegroupstaggingapi", REGION).get_tag_keys()
    arn = ec2_backends[ACCOUNT][REGION].modify_ebs_default_kms_key_id("")
    assert arn == describe(kms, "alias/aws/ebs")["Arn"]


@pytest.mark.parametrize("form", ["id", "arn", "alias", "alias arn"])
def test_keys_are_found_by_each_identifier(kms, key, form):
    kms.client().create_alias(AliasName="alias/mine", TargetKeyId=key)
    boto3.client("resourcegroupstaggingapi", REGION).get_tag_keys()
    names = {
        "id": key.rpartition("/")[2],
        "arn": key,
        "alias": "alias/mine",
        "alias arn": f"arn:aws:kms:{REGION}:{ACCOUNT}:alias/mine",
    }
    assert kms_backends[ACCOUNT][REGION].describe_key(names[form]).arn == key


def test_a_key_that_is_not_there_is_none_of_moto_either(tagging):
    tagging.get_tag_keys()
    with pytest.raises(KeyError):
        kms_backends[ACCOUNT][REGION].describe_key("alias/none")


def test_without_a_mock_moto_has_its_own_kms(kms, tagging, key):
    tagging.get_tag_keys()
    with kms.pause():
        made = boto3.client("kms", REGION).create_key()["KeyMetadata"]["Arn"]
        assert [each.arn for each in kms_backends[ACCOUNT][REGION].list_keys()] == [made]
    assert [each.arn for each in kms_backends[ACCOUNT][REGION].list_keys()] == [key]


def test_a_key_of_moto_from_before_the_mock_is_no_key_of_the_mock():
    with mock_aws():
        boto3.client("kms", REGION).create_key(Tags=[{"TagKey": "a", "TagValue": "b"}])
        with mock_kms():
            tagging = boto3.client("resourcegroupstaggingapi", REGION)
            assert list_tagged(tagging) == {}


def test_a_moto_whose_kms_has_moved_is_told_once(kms, monkeypatch):
    monkeypatch.setattr(moto_bridge, "_is_installed", [])
    monkeypatch.delattr("moto.kms.models.KmsBackend.describe_key")
    sqs = kms.client("sqs")
    with pytest.warns(UserWarning, match="lets moto's services use moto's KMS"):
        sqs.list_queues()
    sqs.list_queues()  # a second warning would be an error
    assert kms.client().create_key()


def test_a_moto_whose_cloudformation_has_moved_keeps_the_rest(monkeypatch, tagged_key):
    monkeypatch.setattr(moto_bridge, "_is_installed", [])
    monkeypatch.delattr("moto.core.common_models.CloudFormationModel")
    tagging = boto3.client("resourcegroupstaggingapi", REGION)
    with pytest.warns(UserWarning, match="lets stacks make keys in moto's KMS"):
        tagging.get_tag_keys()
    assert list_tagged(tagging) == {tagged_key: {"team": "red"}}


@pytest.mark.parametrize(
    ("kind", "properties", "message"),
    [
        ("Key", {"RotationPeriodInDays": "", "EnableKeyRotation": True}, "RotationPeriodInDays"),
        ("Key", {"Tags": 0}, "Tags"),
        ("Key", {"Tags": [{"Key": "team"}]}, "Tags"),
        ("Key", {"Enabled": "perhaps"}, "Enabled"),
        ("Key", {"KeyPolicy": 1}, "KeyPolicy"),
        ("Key", {"KeySpec": "AES"}, "keySpec"),
        ("Key", {"KeyUsage": True}, "keyUsage"),
        ("Alias", {"TargetKeyId": "x"}, "AliasName"),
        ("Alias", {"AliasName": {"a": 1}, "TargetKeyId": "x"}, "AliasName"),
        ("ReplicaKey", {}, "PrimaryKeyArn"),
    ],
    ids=str,
)
def test_properties_of_another_type_are_refused(stacks, kind, properties, message):
    with pytest.raises(ClientError, match=message) as caught:
        stacks.create(It={"Type": f"AWS::KMS::{kind}", "Properties": properties})
    assert caught.value.response["Error"]["Code"] == "ValidationError"


def test_numbers_and_booleans_of_templates_can_be_texts(kms, stacks):
    stacks.create(
        It=key_of_stack(EnableKeyRotation="true", RotationPeriodInDays="100", Description=5)
    )
    key = stacks.id_of("It")
    assert kms.client().get_key_rotation_status(KeyId=key)["RotationPeriodInDays"] == 100
    assert describe(kms, key)["Description"] == "5"
