"""Services whose KMS calls a request quota throttles answer with errors of their own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from kmsmock import KMSMock


def begin_s3(client: Any, key: str) -> Callable[[], object]:
    client.create_bucket(Bucket="bucket")
    encryption = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": key}
    return lambda: client.put_object(Bucket="bucket", Key="a", Body=b"x", **encryption)


def begin_ssm(client: Any, key: str) -> Callable[[], object]:
    return lambda: client.put_parameter(Name="a", Value="x", Type="SecureString", KeyId=key)


def begin_secretsmanager(client: Any, key: str) -> Callable[[], object]:
    return lambda: client.create_secret(Name="a", SecretString="x", KmsKeyId=key)


def begin_sqs(client: Any, key: str) -> Callable[[], object]:
    attributes = {"KmsMasterKeyId": key}
    url = client.create_queue(QueueName="queue", Attributes=attributes)["QueueUrl"]
    return lambda: client.send_message(QueueUrl=url, MessageBody="x")


def begin_sns(client: Any, key: str) -> Callable[[], object]:
    topic = client.create_topic(Name="topic", Attributes={"KmsMasterKeyId": key})["TopicArn"]
    return lambda: client.publish(TopicArn=topic, Message="x")


def begin_kinesis(client: Any, key: str) -> Callable[[], object]:
    client.create_stream(StreamName="stream", ShardCount=1)
    client.start_stream_encryption(StreamName="stream", EncryptionType="KMS", KeyId=key)
    return lambda: client.put_record(StreamName="stream", Data=b"x", PartitionKey="a")


@pytest.mark.parametrize(
    ("begin", "code"),
    [
        pytest.param(begin_s3, "KMS.ThrottlingException", id="s3"),
        pytest.param(begin_ssm, "ThrottlingException", id="ssm"),
        pytest.param(begin_secretsmanager, "ThrottlingException", id="secretsmanager"),
        pytest.param(begin_sqs, "KMS.ThrottlingException", id="sqs"),
        pytest.param(begin_sns, "KMSThrottling", id="sns"),
        pytest.param(begin_kinesis, "KMSThrottlingException", id="kinesis"),
    ],
)
def test_a_throttled_service_says_so_in_its_own_way(
    kms: KMSMock, key: str, begin: Callable[[Any, str], Callable[[], object]], code: str
) -> None:
    service = begin.__name__.removeprefix("begin_")
    once = Config(retries={"total_max_attempts": 1})
    use = begin(boto3.client(service, "us-east-1", config=once), key)  # type: ignore[call-overload]
    kms.faults.quota("cryptographic-symmetric", per_second=5)
    for _ in range(5):
        kms.client(region="us-east-1").generate_random(NumberOfBytes=1)

    with pytest.raises(ClientError) as caught:
        use()
    assert caught.value.response["Error"]["Code"] == code
    assert "The request quota cryptographic-symmetric" in caught.value.__notes__[0]
    # What botocore retries, as in botocore.retries.standard.
    is_retried = code == "ThrottlingException"
    assert (f"botocore retries {code} with" in caught.value.__notes__[0]) is is_retried
    assert (f"botocore does not retry {code}: retry" in caught.value.__notes__[0]) is not is_retried
    assert "Retry with backoff, as botocore does" not in caught.value.__notes__[0]
    assert kms.calls[-1].error_code == "ThrottlingException"

    kms.clock.advance(seconds=1)
    use()
    kms.faults.assert_all_fired()
