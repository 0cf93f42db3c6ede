"""The classes of boto3 clients for type checkers, from boto3-stubs if that is installed.

Without it they are `Any`; at run time they are not imported.
"""

# mypy: disable-error-code="import-not-found"
# pyright: reportMissingImports=false

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, overload

from kmsmock.misuse.public_object import PublicObject

if TYPE_CHECKING:
    from mypy_boto3_cloudtrail import CloudTrailClient
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_ec2 import EC2Client
    from mypy_boto3_iam import IAMClient
    from mypy_boto3_kinesis import KinesisClient
    from mypy_boto3_kms import KMSClient as KMSClient  # noqa: PLC0414 - for other modules, too
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_logs import CloudWatchLogsClient
    from mypy_boto3_organizations import OrganizationsClient
    from mypy_boto3_rds import RDSClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_ssm import SSMClient
    from mypy_boto3_sts import STSClient


class ClientSource(PublicObject):
    """The base class of everything with a ``client`` method: a mock, an account, a principal."""

    @overload
    def client(self, service: Literal["kms"] = "kms", region: str | None = None) -> KMSClient: ...
    @overload
    def client(
        self, service: Literal["cloudtrail"], region: str | None = None
    ) -> CloudTrailClient: ...
    @overload
    def client(self, service: Literal["dynamodb"], region: str | None = None) -> DynamoDBClient: ...
    @overload
    def client(self, service: Literal["ec2"], region: str | None = None) -> EC2Client: ...
    @overload
    def client(self, service: Literal["iam"], region: str | None = None) -> IAMClient: ...
    @overload
    def client(self, service: Literal["kinesis"], region: str | None = None) -> KinesisClient: ...
    @overload
    def client(self, service: Literal["lambda"], region: str | None = None) -> LambdaClient: ...
    @overload
    def client(
        self, service: Literal["logs"], region: str | None = None
    ) -> CloudWatchLogsClient: ...
    @overload
    def client(
        self, service: Literal["organizations"], region: str | None = None
    ) -> OrganizationsClient: ...
    @overload
    def client(self, service: Literal["rds"], region: str | None = None) -> RDSClient: ...
    @overload
    def client(self, service: Literal["s3"], region: str | None = None) -> S3Client: ...
    @overload
    def client(
        self, service: Literal["secretsmanager"], region: str | None = None
    ) -> SecretsManagerClient: ...
    @overload
    def client(self, service: Literal["sns"], region: str | None = None) -> SNSClient: ...
    @overload
    def client(self, service: Literal["sqs"], region: str | None = None) -> SQSClient: ...
    @overload
    def client(self, service: Literal["ssm"], region: str | None = None) -> SSMClient: ...
    @overload
    def client(self, service: Literal["sts"], region: str | None = None) -> STSClient: ...
    @overload
    def client(self, service: str, region: str | None = None) -> Any: ...
    def client(self, service: str = "kms", region: str | None = None) -> Any:
        """Return a boto3 client of this principal.

        The principal of an account is its administrator, that of a mock its default principal.
        service: as boto3 names it. region: by default that of the mock. There is one client for
        each service and Region. With boto3-stubs, type checkers know its class. Raises ValueError
        for a service that boto3 does not have.
        """
        return self._client(service, region)

    def _client(self, service: str, region: str | None) -> Any:
        raise NotImplementedError
