"""The AWS services: each is declared here once, and every list of services is derived from it.

Importing this imports nothing else: the modules that it names are imported when they are used.
"""

from __future__ import annotations

from typing import NamedTuple


class AwsService(NamedTuple):
    """What is known of an AWS service.

    name: what boto3 calls it. event_name: what botocore's events call it, its hyphenized service
    id. via: what ``kms:ViaService`` and service principals call it. Both are the name when None.
    answered: the module
    whose ``SERVICE`` answers its requests. beside: the module whose ``BESIDE`` does this service's
    part when something else stores, such as moto. Both are None where there is nothing to do; with
    both, the first one answers unless moto does. shows_called_via: whether it appears in
    ``aws:CalledVia``. frontend: what CloudTrail shows as the source of the requests that it makes
    with its caller's identity; ``<via>.amazonaws.com`` when None. hides_denied_key: whether
    CloudTrail leaves out the key of such a request that was denied. hides_decrypting_key: whether
    it leaves out the key that only the ciphertext names. internal_endpoint: operations of KMS that
    it calls through an endpoint within AWS. is_free: whether nobody pays for the requests that it
    makes in its own name.

    Source: IAM User Guide, "AWS global condition context keys", for ``aws:CalledVia``.
    """

    name: str
    event_name: str | None = None
    via: str | None = None
    answered: str | None = None
    beside: str | None = None
    shows_called_via: bool = False
    frontend: str | None = None
    hides_denied_key: bool = False
    hides_decrypting_key: bool = False
    internal_endpoint: tuple[str, ...] = ()
    is_free: bool = False

    @property
    def sender(self) -> str:
        """What CloudTrail shows as the source of requests made with the caller's identity."""
        return self.frontend or f"{self.via or self.name}.amazonaws.com"


_SERVICES = "kmsmock.services"
_DECLARED = (
    AwsService("kms", shows_called_via=True),
    AwsService("sts", answered=f"{_SERVICES}.sts.answered", beside=f"{_SERVICES}.sts.beside"),
    AwsService("iam", answered=f"{_SERVICES}.iam.answered", beside=f"{_SERVICES}.iam.beside"),
    AwsService(
        "ec2",
        answered=f"{_SERVICES}.ec2.answered",
        beside=f"{_SERVICES}.ec2.beside",
        frontend="ec2-frontend-api.amazonaws.com",
        hides_denied_key=True,
        hides_decrypting_key=True,
        internal_endpoint=("DescribeKey",),
    ),
    AwsService("rds", answered=f"{_SERVICES}.rds.answered", beside=f"{_SERVICES}.rds.beside"),
    AwsService("cloudtrail", answered=f"{_SERVICES}.cloudtrail.answered", is_free=True),
    AwsService("dynamodb", beside=f"{_SERVICES}.dynamodb.beside", shows_called_via=True),
    AwsService("kinesis", beside=f"{_SERVICES}.kinesis.beside"),
    AwsService("lambda", beside=f"{_SERVICES}.lambda_.beside"),
    AwsService("logs", "cloudwatch-logs", beside=f"{_SERVICES}.logs.beside"),
    AwsService("s3", beside=f"{_SERVICES}.s3.beside", hides_denied_key=True),
    AwsService(
        "secretsmanager",
        "secrets-manager",
        beside=f"{_SERVICES}.secretsmanager.beside",
        hides_decrypting_key=True,
    ),
    AwsService("sns", beside=f"{_SERVICES}.sns.beside", hides_denied_key=True),
    AwsService("sqs", beside=f"{_SERVICES}.sqs.beside"),
    AwsService("ssm", beside=f"{_SERVICES}.ssm.beside"),
    # Those that only principals of tests go through.
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
#: The services by their names.
AWS_SERVICES = {service.name: service for service in _DECLARED}
#: Names of the services that a mock answers itself, as long as nothing else does.
ANSWERED = ("kms", *(service.name for service in _DECLARED if service.answered))
#: Names of the services for which a mock does the part with KMS only, and something else stores.
ONLY_BESIDE = tuple(s.name for s in _DECLARED if s.beside and not s.answered)
#: Names of all of these.
MOCKED = (*ANSWERED, *ONLY_BESIDE)
_BY_VIA = {service.via or service.name: service for service in _DECLARED}


def calling_service(via: str | None) -> AwsService:
    """Give what is known of the service that makes a request; of others that is only the name.

    via: as ``kms:ViaService`` calls it; None for requests that no service makes.
    """
    return _BY_VIA.get(via or "") or AwsService(via or "")
