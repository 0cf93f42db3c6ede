"""The errors of services for requests that are signed with credentials that are not valid.

AWS refuses such a request before anything else. The error depends on the protocol of the service,
except for EC2 and S3.

Sources: "Common errors" in the API references of the services; Amazon EC2 API Reference, "Error
codes for the Amazon EC2 API"; Amazon S3 API Reference, "Error responses". They have the codes.
Statuses and texts are those of responses in public issues of AWS's SDKs and of their users, among
others aws/aws-sdk-go#249 (SQS) and #253, aws/aws-sdk-go-v2#1674 (EC2), aws/aws-sdk-java#2508 (EC2),
aws/aws-sdk-java-v2#1477 (S3) and #1649 (STS), awslabs/amazon-kinesis-producer#49,
cloudquery/cq-provider-aws#1171 (Lambda), aws-controllers-k8s/community#2435 (RDS),
external-secrets/external-secrets#4254 (Secrets Manager), ibi-group/datatools-ui#10 (S3).
"""

from __future__ import annotations

from typing import NamedTuple

_INVALID = "The security token included in the request is invalid."
#: AWS writes this text without a full stop.
_EXPIRED = "The security token included in the request is expired"


class CredentialError(NamedTuple):
    """An error for credentials that are not valid."""

    code: str
    text: str
    #: The status of the HTTP response.
    status: int
    #: The code that SDKs report instead, for a service that once used the query protocol.
    query_code: str | None = None
    #: The member of the error that repeats the access key, if there is one.
    key_member: str | None = None


class CredentialErrors(NamedTuple):
    """The errors of a service for credentials that are not valid."""

    #: For an access key that is inactive, or that AWS does not know, or no longer.
    deleted: CredentialError
    #: For temporary credentials after their expiration.
    expired: CredentialError


#: Of services with the JSON protocol: KMS, CloudTrail, CloudWatch Logs, DynamoDB, Kinesis, Secrets
#: Manager and Systems Manager.
JSON = CredentialErrors(
    CredentialError("UnrecognizedClientException", _INVALID, 400),
    CredentialError("ExpiredTokenException", _EXPIRED, 400),
)
#: Of services with the REST-JSON protocol, such as Lambda: the same with another status.
REST_JSON = CredentialErrors(
    JSON.deleted._replace(status=403),
    JSON.expired._replace(status=403),
)
#: Of services with the query protocol: IAM, RDS, SNS and STS.
QUERY = CredentialErrors(
    CredentialError("InvalidClientTokenId", _INVALID, 403),
    CredentialError("ExpiredToken", _EXPIRED, 403),
)
#: Of SQS, whose JSON protocol has the codes of the query protocol for SDKs. Its own codes are
#: by analogy those of other JSON services; no published response that has them is known.
QUERY_COMPATIBLE = CredentialErrors(
    REST_JSON.deleted._replace(query_code=QUERY.deleted.code),
    REST_JSON.expired._replace(query_code=QUERY.expired.code),
)
EC2 = CredentialErrors(
    CredentialError(
        "AuthFailure", "AWS was not able to validate the provided access credentials", 401
    ),
    CredentialError("RequestExpired", "Request has expired.", 400),
)
S3 = CredentialErrors(
    CredentialError(
        "InvalidAccessKeyId",
        "The AWS Access Key Id you provided does not exist in our records.",
        403,
        key_member="AWSAccessKeyId",
    ),
    CredentialError("ExpiredToken", "The provided token has expired.", 400),
)
