"""The table of AWS services, from which every other list of services is derived.

The modules that it names are only imported when they are used.
"""

from __future__ import annotations

from typing import NamedTuple

from kmsmock.aws import credential_errors, parameter_errors, signature_errors
from kmsmock.aws.credential_errors import CredentialErrors
from kmsmock.aws.parameter_errors import MissingParameter
from kmsmock.aws.signature_errors import SignatureErrors


class AwsService(NamedTuple):
    """The facts about an AWS service.

    Source: IAM User Guide, "AWS global condition context keys", for ``aws:CalledVia``.
    """

    #: The name of the service in boto3.
    name: str
    #: The name of the service in botocore's events, by default `name`.
    event_name: str | None = None
    #: The name of the service in ``kms:ViaService`` and service principals, by default `name`.
    via: str | None = None
    #: The module whose ``SERVICE`` answers its requests, unless moto does; None if only moto can.
    answered: str | None = None
    #: The module whose ``BESIDE`` makes its KMS calls if something else, such as moto, answers its
    #: requests.
    beside: str | None = None
    #: Whether it appears in ``aws:CalledVia``.
    shows_called_via: bool = False
    #: The source that CloudTrail shows for KMS requests with the caller's identity, by default
    #: ``<via>.amazonaws.com``.
    frontend: str | None = None
    #: Whether CloudTrail leaves out the key of a KMS request with the caller's identity if the
    #: request was denied.
    hides_denied_key: bool = False
    #: Whether CloudTrail leaves out a key that only the ciphertext identifies.
    hides_decrypting_key: bool = False
    #: The KMS operations that it calls through an endpoint inside AWS.
    internal_endpoint: tuple[str, ...] = ()
    #: Whether KMS requests of its service principal are not charged.
    is_free: bool = False
    #: Its errors for requests without valid credentials.
    credential_errors: CredentialErrors = credential_errors.JSON
    #: Its errors for wrong signatures, if the mock answers its requests.
    signature_errors: SignatureErrors = signature_errors.JSON
    #: Its error for a required parameter that is missing; None if each parameter has its own.
    missing_parameter: MissingParameter | None = parameter_errors.JSON
    #: Whether its resource policies can allow unsigned requests.
    takes_unsigned: bool = False

    @property
    def sender(self) -> str:
        """The source that CloudTrail shows for KMS requests with the caller's identity."""
        return self.frontend or f"{self.via or self.name}.amazonaws.com"


_SERVICES = "kmsmock.services"
_DECLARED = (
    AwsService("kms", shows_called_via=True),
    AwsService(
        "sts",
        answered=f"{_SERVICES}.sts.answered",
        beside=f"{_SERVICES}.sts.beside",
        credential_errors=credential_errors.QUERY,
        signature_errors=signature_errors.QUERY,
        missing_parameter=parameter_errors.QUERY,
    ),
    AwsService(
        "iam",
        answered=f"{_SERVICES}.iam.answered",
        beside=f"{_SERVICES}.iam.beside",
        credential_errors=credential_errors.QUERY,
        signature_errors=signature_errors.QUERY,
        missing_parameter=parameter_errors.QUERY,
    ),
    AwsService(
        "ec2",
        answered=f"{_SERVICES}.ec2.answered",
        beside=f"{_SERVICES}.ec2.beside",
        frontend="ec2-frontend-api.amazonaws.com",
        hides_denied_key=True,
        hides_decrypting_key=True,
        internal_endpoint=("DescribeKey",),
        credential_errors=credential_errors.EC2,
        signature_errors=signature_errors.EC2,
        missing_parameter=parameter_errors.EC2,
    ),
    AwsService(
        "rds",
        answered=f"{_SERVICES}.rds.answered",
        beside=f"{_SERVICES}.rds.beside",
        credential_errors=credential_errors.QUERY,
        signature_errors=signature_errors.RDS,
        missing_parameter=parameter_errors.EC2,
    ),
    AwsService("cloudtrail", answered=f"{_SERVICES}.cloudtrail.answered", is_free=True),
    AwsService("organizations", answered=f"{_SERVICES}.organizations.answered"),
    AwsService(
        "dynamodb",
        beside=f"{_SERVICES}.dynamodb.beside",
        shows_called_via=True,
        credential_errors=credential_errors.DYNAMODB,
    ),
    AwsService("kinesis", beside=f"{_SERVICES}.kinesis.beside"),
    AwsService(
        "lambda",
        beside=f"{_SERVICES}.lambda_.beside",
        credential_errors=credential_errors.REST_JSON,
    ),
    AwsService(
        "logs",
        "cloudwatch-logs",
        beside=f"{_SERVICES}.logs.beside",
        missing_parameter=parameter_errors.LOGS,
    ),
    AwsService(
        "s3",
        beside=f"{_SERVICES}.s3.beside",
        hides_denied_key=True,
        credential_errors=credential_errors.S3,
        missing_parameter=None,
        takes_unsigned=True,
    ),
    AwsService(
        "secretsmanager",
        "secrets-manager",
        beside=f"{_SERVICES}.secretsmanager.beside",
        hides_decrypting_key=True,
    ),
    AwsService(
        "sns",
        beside=f"{_SERVICES}.sns.beside",
        hides_denied_key=True,
        credential_errors=credential_errors.QUERY,
        missing_parameter=parameter_errors.SNS,
    ),
    AwsService(
        "sqs",
        beside=f"{_SERVICES}.sqs.beside",
        credential_errors=credential_errors.QUERY_COMPATIBLE,
        missing_parameter=parameter_errors.SQS,
        takes_unsigned=True,
    ),
    AwsService("ssm", beside=f"{_SERVICES}.ssm.beside"),
    # Not mocked; for `Principal.via` in tests.
    AwsService("ebs", hides_denied_key=True),
    AwsService("athena", shows_called_via=True),
    AwsService("backup", shows_called_via=True),
    AwsService("cloud9", shows_called_via=True),
    AwsService("cloudformation", shows_called_via=True),
    AwsService("databrew", shows_called_via=True),
    AwsService("dataexchange", shows_called_via=True),
    AwsService("omics", shows_called_via=True),
    AwsService("ram", shows_called_via=True),
    AwsService("servicecatalog-appregistry", "service-catalog-appregistry", shows_called_via=True),
    AwsService("sqlworkbench", shows_called_via=True),
)
#: Name -> service.
AWS_SERVICES = {service.name: service for service in _DECLARED}
#: The names of services that a mock can answer.
ANSWERED = ("kms", *(service.name for service in _DECLARED if service.answered))
#: The names of services for which a mock only makes the KMS calls.
ONLY_BESIDE = tuple(s.name for s in _DECLARED if s.beside and not s.answered)
#: The names of all these services.
MOCKED = (*ANSWERED, *ONLY_BESIDE)
_BY_VIA = {service.via or service.name: service for service in _DECLARED}


def find_calling_service(via: str | None) -> AwsService:
    """Return the service that makes a KMS request; for an unknown one, just its name.

    via: its name in ``kms:ViaService``; None for requests that no service makes.
    """
    return _BY_VIA.get(via or "") or AwsService(via or "")
