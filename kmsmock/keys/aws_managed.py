"""AWS managed keys: the predefined aliases, with description and key policy of each.

Source: AWS KMS Developer Guide, "AWS managed keys"; the policies are those that KMS showed in
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
    described,
    in_place,
    metadata_beside,
    sid_of,
    through,
)


@dataclass(frozen=True, slots=True)
class ManagedKey:
    """One kind of AWS managed key.

    name: that of the alias behind ``alias/aws/``. protects: the words of the description.
    statements: those of the key policy, for any account and Region.
    """

    name: str
    protects: str
    policy_id: str
    statements: Sequence[Element]

    @property
    def alias(self) -> str:
        """The predefined alias name."""
        return AWS_ALIAS_PREFIX + self.name

    @property
    def description(self) -> str:
        """The description that the key carries."""
        return f"Default key that protects my {self.protects} when no other key is defined"

    def policy(self, account: str, region: str) -> str:
        """Give the key policy, as KMS prints it."""
        return in_place(self.policy_id, self.statements, account, region)


def _key(
    name: str,
    protects: str,
    words: str,
    actions: Sequence[str] = USE_BY_GRANT,
    *,
    version: int = 1,
    service: str | None = None,
    describer: str | None = None,
) -> ManagedKey:
    """Give a key of the common form: used through one service, and read by the account.

    words: what the Sid calls the service. version: of the policy. service: in
    ``kms:ViaService``, if it is not the name. describer: the words for the service where that may
    read about the key in its own name.
    """
    statements = [through(sid_of(words), [service or name], actions), metadata_beside(actions)]
    if describer is not None:
        sid = f"Allow {describer} to describe the key directly"
        statements.append(described(sid, name))
    return ManagedKey(name, protects, f"auto-{name}-{version}", statements)


# --- the keys -------------------------------------------------------------------------------

_OPENSEARCH = "Amazon OpenSearch Service (successor to Amazon Elasticsearch Service) data"
_XRAY = "X-Ray Service with service principal name xray.amazonaws.com"
_CODEARTIFACT = "CodeArtifact Service with service principal name codeartifact.amazonaws.com"
_LIGHTSAIL = "Lightsail with service principal name lightsail.amazonaws.com"
_TRANSLATE = "Translate Service with service principal name translate.amazonaws.com"

#: Those whose descriptions have been seen.
_DESCRIBED = (
    ManagedKey("acm", "ACM private keys", "auto-acm-4", policies.ACM),
    ManagedKey("backup", "Backup data", "auto-backup-1", policies.BACKUP),
    _key("codecommit", "CodeCommit repositories", "CodeCommit", USE, version=2),
    _key("dms", "DMS replication instance volumes", "DMS", USE_BY_LISTED_GRANT),
    ManagedKey("dynamodb", "DynamoDB data", "auto-dynamodb-3", policies.DYNAMODB),
    _key("ebs", "EBS volumes", "EBS", version=2, service="ec2"),
    _key("ecr", "ECR data", "Amazon ECR", (*USE_BY_GRANT, "kms:RetireGrant")),
    ManagedKey(
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
    ManagedKey("lambda", "Lambda functions", "auto-awslambda", policies.LAMBDA),
    _key("lightsail", "Lightsail signing keys", "Lightsail", USE, describer=_LIGHTSAIL),
    _key("rds", "RDS database volumes", "RDS", USE_BY_LISTED_GRANT, version=2),
    _key("s3", "S3 objects", "S3", USE, version=2),
    ManagedKey(
        "secretsmanager",
        "Secrets Manager data",
        "auto-secretsmanager-2",
        policies.SECRETS_MANAGER,
    ),
    ManagedKey("sns", "SNS data", "auto-sns-2", policies.SNS),
    ManagedKey("sqs", "SQS messages", "auto-sqs-1", policies.SQS),
    _key("ssm", "SSM parameters", "SSM", USE),
    _key("xray", "X-Ray data", "X-Ray", describer=_XRAY),
)
#: Those of which only the policies have been seen: the words of their descriptions are guesses.
_GUESSED = (
    ManagedKey("appflow", "AppFlow data", "auto-appflow-2", policies.APPFLOW),
    _key("cloud9", "Cloud9 data", "Cloud9", USE),
    _key("codeartifact", "CodeArtifact data", "Amazon CodeArtifact", describer=_CODEARTIFACT),
    ManagedKey("connect", "Connect data", "auto-connect-3", policies.CONNECT),
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
    ManagedKey("mq", "MQ data", "auto-mq-1", policies.MQ),
    ManagedKey("redshift", "Redshift clusters", "auto-redshift-3", policies.REDSHIFT),
    ManagedKey("ses", "SES messages", "auto-ses-2", policies.SES),
    _key("timestream", "Timestream data", "Amazon Timestream", describer="the Timestream Service"),
    _key("translate", "Translate data", "Amazon Translate", describer=_TRANSLATE),
    ManagedKey("workspaces", "WorkSpaces volumes", "auto-workspaces-1", policies.WORKSPACES),
)

#: Predefined alias name -> the key behind it, in the order of the names.
MANAGED_KEYS: dict[str, ManagedKey] = {
    managed.alias: managed
    for managed in sorted((*_DESCRIBED, *_GUESSED), key=lambda managed: managed.name)
}
