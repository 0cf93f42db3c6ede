"""The errors of services for requests that lack a required parameter.

boto3 refuses such requests itself, unless it is configured with ``parameter_validation=False``.

Sources: "Common errors" in the API references of the services; Amazon EC2 API Reference, "Error
codes for the Amazon EC2 API". Texts are those of responses in public issues of AWS's SDKs and of
their users.
"""

from __future__ import annotations

from typing import NamedTuple


class MissingParameter(NamedTuple):
    """An error for a parameter that is missing.

    text: the message, with ``{name}`` for the name of the parameter, and ``{path}`` for its path in
    lower camel case, such as ``tags.1.member.key``.
    """

    code: str
    text: str


#: Input shape -> the required parameters whose absence the operation refuses with an error of its
#: own. CopySnapshot ends in InternalError without SourceRegion.
REFUSED_BY_OPERATION = {"CopySnapshotRequest": ("SourceRegion",)}
_NULL = (
    "1 validation error detected: Value null at '{path}' failed to satisfy constraint: Member must "
    "not be null"
)
#: Of services with the JSON protocols.
JSON = MissingParameter("ValidationException", _NULL)
LOGS = MissingParameter("InvalidParameterException", _NULL)
#: Of IAM and STS.
QUERY = MissingParameter("ValidationError", _NULL)
#: Of EC2 and RDS.
EC2 = MissingParameter("MissingParameter", "The request must contain the parameter {name}")
SQS = MissingParameter("MissingParameter", "The request must contain the parameter {name}.")
SNS = MissingParameter(
    "InvalidParameter", "Invalid parameter: {name} Reason: no value for required parameter"
)
