"""The errors of services for requests without valid credentials.

AWS refuses such a request before anything else. The error depends on the protocol of the service,
except for EC2, S3 and SQS.

Sources: "Common errors" in the API references of the services; Amazon EC2 API Reference, "Error
codes for the Amazon EC2 API"; Amazon S3 API Reference, "Error responses". They have the codes.
Statuses and texts are those of responses in public issues of AWS's SDKs and of their users, among
others aws/aws-sdk-go#249 (SQS) and #253, aws/aws-sdk-go-v2#1674 (EC2), aws/aws-sdk-java#2508 (EC2),
aws/aws-sdk-java-v2#1477 (S3) and #1649 (STS), awslabs/amazon-kinesis-producer#49,
cloudquery/cq-provider-aws#1171 (Lambda), aws-controllers-k8s/community#2435 (RDS),
external-secrets/external-secrets#4254 (Secrets Manager), ibi-group/datatools-ui#10 (S3).

For unsigned requests: amzn/selling-partner-api-docs#3081 (STS), brefphp/bref#1250 (Lambda),
amazon-archives/aws-dynamodb-session-tomcat#42 (DynamoDB), test-kitchen/kitchen-ec2#440 (EC2),
aws/aws-cli#1006 (S3), brefphp/symfony-messenger#45 (SQS).
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

_INVALID = "The security token included in the request is invalid."
#: AWS writes this text without a full stop.
_EXPIRED = "The security token included in the request is expired"
_MISSING = "Request is missing Authentication Token"


class CredentialError(NamedTuple):
    """An error for credentials that are not valid."""

    code: str
    #: The message, in which a name in braces stands for a parameter of the request.
    text: str
    #: The status of the HTTP response.
    status: int
    #: The code that SDKs report instead, for a service that once used the query protocol.
    query_code: str | None = None
    #: The member of the error that repeats the access key, if there is one.
    key_member: str | None = None
    #: Further members of the error: name -> value.
    members: Mapping[str, str] = MappingProxyType({})


class CredentialErrors(NamedTuple):
    """The errors of a service for requests without valid credentials."""

    #: For an access key that is inactive, or that AWS does not know, or no longer.
    deleted: CredentialError
    #: For temporary credentials after their expiration.
    expired: CredentialError
    #: For requests that are not signed.
    missing: CredentialError


#: Of services with the JSON protocol: KMS, CloudTrail, CloudWatch Logs, Kinesis, Secrets Manager
#: and Systems Manager.
JSON = CredentialErrors(
    CredentialError("UnrecognizedClientException", _INVALID, 400),
    CredentialError("ExpiredTokenException", _EXPIRED, 400),
    CredentialError("MissingAuthenticationTokenException", "Missing Authentication Token", 400),
)
DYNAMODB = JSON._replace(missing=JSON.missing._replace(text=_MISSING))
#: Of services with the REST-JSON protocol, such as Lambda: the same with another status.
REST_JSON = CredentialErrors(*(error._replace(status=403) for error in JSON))
#: Of services with the query protocol: IAM, RDS, SNS and STS.
QUERY = CredentialErrors(
    CredentialError("InvalidClientTokenId", _INVALID, 403),
    CredentialError("ExpiredToken", _EXPIRED, 403),
    CredentialError("MissingAuthenticationToken", _MISSING, 403),
)
#: Of SQS, whose JSON protocol has the codes of the query protocol for SDKs. Its own codes are
#: by analogy those of other JSON services; no published response that has them is known.
QUERY_COMPATIBLE = CredentialErrors(
    REST_JSON.deleted._replace(query_code=QUERY.deleted.code),
    REST_JSON.expired._replace(query_code=QUERY.expired.code),
    # It takes unsigned requests, unless these need KMS.
    CredentialError(
        "AccessDeniedException",
        "Access to the resource {QueueUrl} is denied.",
        403,
        query_code="AccessDenied",
    ),
)
EC2 = CredentialErrors(
    CredentialError(
        "AuthFailure", "AWS was not able to validate the provided access credentials", 401
    ),
    CredentialError("RequestExpired", "Request has expired.", 400),
    CredentialError(
        "MissingParameter", "The request must contain the parameter AWSAccessKeyId", 400
    ),
)
S3 = CredentialErrors(
    CredentialError(
        "InvalidAccessKeyId",
        "The AWS Access Key Id you provided does not exist in our records.",
        403,
        key_member="AWSAccessKeyId",
    ),
    CredentialError("ExpiredToken", "The provided token has expired.", 400),
    # It takes unsigned requests, unless these need KMS.
    CredentialError(
        "InvalidArgument",
        "Requests specifying Server Side Encryption with AWS KMS managed keys require AWS "
        "Signature Version 4.",
        400,
        members=MappingProxyType({"ArgumentName": "Authorization", "ArgumentValue": "null"}),
    ),
)
