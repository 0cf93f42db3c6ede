"""Each kind of resource that moto stores, and a use of it for which its key is needed."""

from __future__ import annotations

import io
import json
import time
import zipfile
from typing import Any, NamedTuple, Protocol

from tests.services.beside.hosts import get_client

REGION, ACCOUNT = "us-east-1", "123456789012"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/App"


class Kind(Protocol):
    """A kind of resource. key: the ARN of its key; None for an encryption without KMS."""

    def make(self, key: str | None) -> None:
        """Create the resource, which has one name."""

    def remove(self) -> None:
        """Delete it."""

    def use(self) -> None:
        """Use it, which needs the key."""


def client(service: str) -> Any:
    return get_client(service, REGION)


def given(**parameters: Any) -> dict[str, Any]:
    return {name: value for name, value in parameters.items() if value is not None}


class Queue:
    def make(self, key: str | None) -> None:
        attributes = given(KmsMasterKeyId=key)
        client("sqs").create_queue(QueueName="jobs", Attributes=attributes)

    def remove(self) -> None:
        client("sqs").delete_queue(QueueUrl=self.url)

    def use(self) -> None:
        client("sqs").send_message(QueueUrl=self.url, MessageBody="x")

    @property
    def url(self) -> str:
        return f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/jobs"


class Topic:
    arn = f"arn:aws:sns:{REGION}:{ACCOUNT}:news"

    def make(self, key: str | None) -> None:
        client("sns").create_topic(Name="news", Attributes=given(KmsMasterKeyId=key))

    def remove(self) -> None:
        client("sns").delete_topic(TopicArn=self.arn)

    def use(self) -> None:
        client("sns").publish(TopicArn=self.arn, Message="x")


class Stream:
    def make(self, key: str | None) -> None:
        kinesis = client("kinesis")
        kinesis.create_stream(StreamName="events", ShardCount=1)
        if key is not None:
            kinesis.start_stream_encryption(StreamName="events", EncryptionType="KMS", KeyId=key)

    def remove(self) -> None:
        client("kinesis").delete_stream(StreamName="events")

    def use(self) -> None:
        client("kinesis").put_record(StreamName="events", Data=b"x", PartitionKey="a")


class Bucket:
    """A bucket with a default encryption."""

    def make(self, key: str | None) -> None:
        s3 = client("s3")
        s3.create_bucket(Bucket="papers")
        if key is not None:
            applied = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key}
            rules = {"Rules": [{"ApplyServerSideEncryptionByDefault": applied}]}
            s3.put_bucket_encryption(Bucket="papers", ServerSideEncryptionConfiguration=rules)

    def remove(self) -> None:
        s3 = client("s3")
        for each in s3.list_objects_v2(Bucket="papers").get("Contents", ()):
            s3.delete_object(Bucket="papers", Key=each["Key"])
        s3.delete_bucket(Bucket="papers")

    def use(self) -> None:
        client("s3").put_object(Bucket="papers", Key="new", Body=b"x")


class Object(Bucket):
    """An object that is read."""

    def make(self, key: str | None) -> None:
        s3 = client("s3")
        s3.create_bucket(Bucket="papers")
        kms = {} if key is None else {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": key}
        s3.put_object(Bucket="papers", Key="a b", Body=b"x" if key else b"y", **kms)

    def use(self) -> None:
        client("s3").get_object(Bucket="papers", Key="a b")


class CopiedObject(Object):
    """An object that is copied."""

    def use(self) -> None:
        client("s3").copy_object(
            Bucket="papers", Key="copy", CopySource={"Bucket": "papers", "Key": "a b"}
        )


class Secret:
    def make(self, key: str | None) -> None:
        client("secretsmanager").create_secret(Name="db", SecretString="x", **given(KmsKeyId=key))

    def remove(self) -> None:
        client("secretsmanager").delete_secret(SecretId="db", ForceDeleteWithoutRecovery=True)

    def use(self) -> None:
        client("secretsmanager").get_secret_value(SecretId="db")


class Parameter:
    def make(self, key: str | None) -> None:
        client("ssm").put_parameter(
            Name="/app/p", Value="x", Type="SecureString", **given(KeyId=key)
        )

    def remove(self) -> None:
        client("ssm").delete_parameter(Name="/app/p")

    def use(self) -> None:
        client("ssm").get_parameter(Name="/app/p", WithDecryption=True)


class Group:
    """A log group."""

    def make(self, key: str | None) -> None:
        logs = client("logs")
        logs.create_log_group(logGroupName="app", **given(kmsKeyId=key))
        logs.create_log_stream(logGroupName="app", logStreamName="one")

    def remove(self) -> None:
        client("logs").delete_log_group(logGroupName="app")

    def use(self) -> None:
        now = int(time.time() * 1000)  # moto has a clock of its own
        client("logs").put_log_events(
            logGroupName="app", logStreamName="one", logEvents=[{"timestamp": now, "message": "x"}]
        )


class Table:
    def make(self, key: str | None) -> None:
        encryption = {"Enabled": True, "SSEType": "KMS", "KMSMasterKeyId": key}
        client("dynamodb").create_table(
            TableName="orders",
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
            **({} if key is None else {"SSESpecification": encryption}),
        )

    def remove(self) -> None:
        client("dynamodb").delete_table(TableName="orders")

    def use(self) -> None:
        client("dynamodb").put_item(TableName="orders", Item={"id": {"S": "1"}})


class Function:
    def make(self, key: str | None) -> None:
        trust = {"Version": "2012-10-17", "Statement": []}
        iam = client("iam")
        if not iam.list_roles()["Roles"]:
            iam.create_role(RoleName="App", AssumeRolePolicyDocument=json.dumps(trust))
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w") as written:
            written.writestr("job.py", "def run(event, context): pass")
        client("lambda").create_function(
            FunctionName="job",
            Runtime="python3.12",
            Role=ROLE,
            Handler="job.run",
            Code={"ZipFile": archive.getvalue()},
            Environment={"Variables": {"A": "b"} if key is not None else {}},
            **given(KMSKeyArn=key),
        )

    def remove(self) -> None:
        client("lambda").delete_function(FunctionName="job")

    def use(self) -> None:
        client("lambda").invoke(FunctionName="job")


class Named(NamedTuple):
    """A kind, and the operation of KMS that its use calls."""

    kind: Kind
    operation: str


KINDS = {
    "queue": Named(Queue(), "GenerateDataKey"),
    "topic": Named(Topic(), "GenerateDataKey"),
    "stream": Named(Stream(), "GenerateDataKey"),
    "bucket": Named(Bucket(), "GenerateDataKey"),
    "object": Named(Object(), "Decrypt"),
    "copied object": Named(CopiedObject(), "Decrypt"),
    "secret": Named(Secret(), "Decrypt"),
    "parameter": Named(Parameter(), "Decrypt"),
    "log group": Named(Group(), "GenerateDataKey"),
    "table": Named(Table(), "Decrypt"),
    "function": Named(Function(), "Decrypt"),
}
