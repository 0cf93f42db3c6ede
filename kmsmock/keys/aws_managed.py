"""AWS managed keys: the predefined aliases, with the description and key policy of each key.

Source: AWS KMS Developer Guide, "AWS managed keys"; the policies are those that KMS returned in
us-east-1 (2025-05).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kmsmock.aws.arns import AWS_ALIAS_PREFIX
from kmsmock.keys import aws_managed_policies as policies
from kmsmock.keys.aws_managed_policies import (
    USE,
    USE_BY_GRANT,
    USE_BY_LISTED_GRANT,
    Element,
    allow_metadata_access,
    allow_service_to_describe,
    allow_via_service,
    render_policy,
    via_service_sid,
)


@dataclass(frozen=True, slots=True)
class AwsManagedKey:
    """One kind of AWS managed key."""

    #: The part of the alias name after ``alias/aws/``.
    name: str
    #: What the description says that the key protects.
    protects: str
    #: The ``Id`` of the key policy.
    policy_id: str
    #: The statements of the key policy, with placeholders for account, Region and partition.
    statements: Sequence[Element]

    @property
    def alias(self) -> str:
        """The predefined alias name."""
        return AWS_ALIAS_PREFIX + self.name

    @property
    def description(self) -> str:
        """The description in the metadata of the key."""
        return f"Default key that protects my {self.protects} when no other key is defined"

    def policy(self, account: str, region: str) -> str:
        """Return the key policy as JSON text, formatted as KMS formats it."""
        return render_policy(self.policy_id, self.statements, account, region)


def _key(
    name: str,
    protects: str,
    service_text: str,
    actions: Sequence[str] = USE_BY_GRANT,
    *,
    version: int = 1,
    service: str | None = None,
    describer: str | None = None,
) -> AwsManagedKey:
    """Return a key with the usual key policy: one service uses it, the account may describe it.

    service_text: the name of the service in the Sid. version: of the policy. service: the name in
    ``kms:ViaService``, if it differs from that of the alias. describer: the service in the Sid of
    the statement that lets the service itself describe the key; None if there is no such statement.
    """
    statements = [
        allow_via_service(via_service_sid(service_text), [service or name], actions),
        allow_metadata_access(actions),
    ]
    if describer is not None:
        sid = f"Allow {describer} to describe the key directly"
        statements.append(allow_service_to_describe(sid, name))
    return AwsManagedKey(name, protects, f"auto-{name}-{version}", statements)


# --- the keys -------------------------------------------------------------------------------

_OPENSEARCH = "Amazon OpenSearch Service (successor to Amazon Elasticsearch Service) data"
_XRAY = "X-Ray Service with service principal name xray.amazonaws.com"
_CODEARTIFACT = "CodeArtifact Service with service principal name codeartifact.amazonaws.com"
_LIGHTSAIL = "Lightsail with service principal name lightsail.amazonaws.com"
_TRANSLATE = "Translate Service with service principal name translate.amazonaws.com"

#: Keys whose descriptions are known from AWS.
_DESCRIBED = (
    AwsManagedKey("acm", "ACM private keys", "auto-acm-4", policies.ACM),
    AwsManagedKey("backup", "Backup data", "auto-backup-1", policies.BACKUP),
    _key("codecommit", "CodeCommit repositories", "CodeCommit", USE, version=2),
    _key("dms", "DMS replication instance volumes", "DMS", USE_BY_LISTED_GRANT),
    AwsManagedKey("dynamodb", "DynamoDB data", "auto-dynamodb-3", policies.DYNAMODB),
    _key("ebs", "EBS volumes", "EBS", version=2, service="ec2"),
    _key("ecr", "ECR data", "Amazon ECR", (*USE_BY_GRANT, "kms:RetireGrant")),
    AwsManagedKey(
        "elasticfilesystem",
        "EFS filesystems",
        "auto-elasticfilesystem-1",
        policies.ELASTIC_FILE_SYSTEM,
    ),
    _key(
        "es",
        _OPENSEARCH,
        "OpenSearch Service",
        version=2,
        describer="OpenSearch service principals",
    ),
    _key("glue", "Glue data", "Glue"),
    _key("kafka", "Kafka data", "Kafka", USE_BY_LISTED_GRANT),
    _key("kinesisvideo", "kinesis video data", "Kinesis Video Streams"),
    AwsManagedKey("lambda", "Lambda functions", "auto-awslambda", policies.LAMBDA),
    _key("lightsail", "Lightsail signing keys", "Lightsail", USE, describer=_LIGHTSAIL),
    _key("rds", "RDS database volumes", "RDS", USE_BY_LISTED_GRANT, version=2),
    _key("s3", "S3 objects", "S3", USE, version=2),
    AwsManagedKey(
        "secretsmanager",
        "Secrets Manager data",
        "auto-secretsmanager-2",
        policies.SECRETS_MANAGER,
    ),
    AwsManagedKey("sns", "SNS data", "auto-sns-2", policies.SNS),
    AwsManagedKey("sqs", "SQS messages", "auto-sqs-1", policies.SQS),
    _key("ssm", "SSM parameters", "SSM", USE),
    _key("xray", "X-Ray data", "X-Ray", describer=_XRAY),
)
#: Keys of which only the policies are known from AWS; the descriptions are guesses.
_GUESSED = (
    AwsManagedKey("appflow", "AppFlow data", "auto-appflow-2", policies.APPFLOW),
    _key("cloud9", "Cloud9 data", "Cloud9", USE),
    _key("codeartifact", "CodeArtifact data", "Amazon CodeArtifact", describer=_CODEARTIFACT),
    AwsManagedKey("connect", "Connect data", "auto-connect-3", policies.CONNECT),
    _key("dax", "DAX data", "DAX", USE_BY_LISTED_GRANT),
    _key("eks", "EKS data", "Amazon EKS", describer="the EKS Service"),
    _key(
        "elasticache",
        "ElastiCache data",
        "ElastiCache Service",
        USE_BY_LISTED_GRANT,
        describer="ElastiCache service principals",
    ),
    _key("fsx", "FSx file systems", "FSx", USE_BY_LISTED_GRANT),
    _key(
        "imagebuilder",
        "Image Builder data",
        "Amazon EC2 Image Builder",
        describer="the EC2 Image Builder Service",
    ),
    _key("kendra", "Kendra data", "Amazon Kendra", describer="Kendra Service"),
    _key("kinesis", "Kinesis data", "Amazon Kinesis", USE),
    _key("lex", "Lex data", "lex"),
    AwsManagedKey("mq", "MQ data", "auto-mq-1", policies.MQ),
    AwsManagedKey("redshift", "Redshift clusters", "auto-redshift-3", policies.REDSHIFT),
    AwsManagedKey("ses", "SES messages", "auto-ses-2", policies.SES),
    _key("timestream", "Timestream data", "Amazon Timestream", describer="the Timestream Service"),
    _key("translate", "Translate data", "Amazon Translate", describer=_TRANSLATE),
    AwsManagedKey("workspaces", "WorkSpaces volumes", "auto-workspaces-1", policies.WORKSPACES),
)

#: Predefined alias name -> its key, sorted by name.
AWS_MANAGED_KEYS: dict[str, AwsManagedKey] = {
    managed.alias: managed
    for managed in sorted((*_DESCRIBED, *_GUESSED), key=lambda managed: managed.name)
}
