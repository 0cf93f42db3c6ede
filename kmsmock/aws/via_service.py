"""The services that call KMS with the identity of a caller, as ``kms:ViaService`` names them."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from typing import NamedTuple

from kmsmock.aws.services import AWS_SERVICES
from kmsmock.misuse.suggestions import suggest
from kmsmock.misuse.values import require_type

#: Source: AWS KMS Developer Guide, "kms:ViaService", table of services.
_DOCUMENTED = (
    *("airflow", "apprunner", "appflow", "athena", "auditmanager", "backup", "backup-gateway"),
    *("cassandra", "codeartifact", "codeguru-reviewer", "comprehend", "connect", "dax"),
    *("directoryservice", "dms", "dynamodb", "ec2", "ecr", "eks", "elasticache"),
    *("elasticfilesystem", "es", "finspace", "firehose", "forecast", "fsx", "geo", "glue"),
    *("groundstation", "healthlake", "importexport", "iotsitewise", "kafka", "kendra", "kinesis"),
    *("kinesisvideo", "lambda", "lex", "license-manager", "lookoutequipment", "lookoutmetrics"),
    *("lookoutvision", "macie", "malware-protection", "managedblockchain", "mediatailor"),
    *("memorydb", "mgn", "monitron", "mq", "nimble", "omics", "profile", "proton", "qldb", "rds"),
    *("redshift", "redshift-serverless", "rekognition", "s3", "sagemaker", "secretsmanager"),
    *("ses", "sns", "sqlworkbench", "sqs", "ssm", "ssm-contacts", "ssm-incidents"),
    *("storagegateway", "timestream", "translate", "wisdom", "workmail", "workspaces"),
    *("workspaces-web", "xray"),
)
#: Other names of services -> those in ``kms:ViaService``. Source: as above.
_OTHER_NAMES = {
    "aurora": "rds",
    "customer-profiles": "profile",
    "docdb": "rds",
    "ds": "directoryservice",
    "efs": "elasticfilesystem",
    "guardduty": "malware-protection",
    "keyspaces": "cassandra",
    "location": "geo",
    "macie2": "macie",
    "mwaa": "airflow",
    "neptune": "rds",
    "opensearch": "es",
    "sesv2": "ses",
    "snowball": "importexport",
}
#: All names in ``kms:ViaService`` that are known here.
_KNOWN = frozenset(
    {*_DOCUMENTED, *(service.via or service.name for service in AWS_SERVICES.values())}
)
#: The name of a service, alone, as a service principal, or with a Region as in ``kms:ViaService``.
_NAME = re.compile(r"([\w-]+)(?:(?:\.([a-z0-9-]+))?\.amazonaws\.com)?", re.ASCII)


class ViaService(NamedTuple):
    """The service that calls KMS with the identity of a caller."""

    service: str
    #: The Region of the call, if it is known.
    region: str | None = None

    def __str__(self) -> str:
        region = self.region
        return self.service if region is None else f"{self.service}.{region}.amazonaws.com"


def read_via_service(value: object, name: str = "via_service") -> ViaService:
    """Read the name of a service; `require_via_service` requires that there is such a service.

    value: such as ``s3``, ``s3.amazonaws.com``, or the value of ``kms:ViaService``,
    ``s3.us-east-1.amazonaws.com``. name: of the argument. Raises TypeError for other types.
    """
    require_type(value, str, name, "a str")
    match = _NAME.fullmatch(str(value))
    return ViaService(str(value)) if match is None else ViaService(match[1], match[2])


def require_via_service(service: str, list_others: Callable[[], Collection[str]]) -> None:
    """Require that a service calls KMS with the identity of its callers (ValueError).

    service: its name in ``kms:ViaService``. list_others: returns further names that are accepted,
    since AWS adds new services.
    """
    other_name = _OTHER_NAMES.get(service.lower())
    if service in _KNOWN or (other_name is None and service in list_others()):
        return
    hint = f"; did you mean {other_name!r}?" if other_name else suggest(service, sorted(_KNOWN))
    raise ValueError(f"no service of AWS is {service!r} in kms:ViaService{hint}")
