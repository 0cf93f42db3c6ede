"""The errors of services for requests whose signature is missing parts, is wrong or too old.

The access key is valid; for those that are not see `kmsmock.aws.credential_errors`.

Sources: IAM User Guide, "Troubleshoot Signature Version 4 signing for AWS API requests", has the
texts with their variable parts; statuses, codes and today's wording are those of responses in
public issues: aws/aws-sdk-cpp#1681 and aws/aws-sdk-js-v3#6400 (KMS: mismatch, 5 minutes),
aws/aws-cli#6676 and hashicorp/terraform-provider-aws#34865 (STS: 15 minutes, Region),
JuliaCloud/AWS.jl#565 (IAM), JuliaCloud/AWS.jl#206 (status of JSON services),
cllunsford/aws-signing-proxy#25 (service), hashicorp/terraform-provider-aws#1102 and
aws/aws-sdk-java#519 (EC2: the same error for everything, a wrong clock, too),
brendanhay/amazonka#316 (status of incomplete signatures), Darbiol's
awslabs/aws-mobile-appsync-sdk-js#702 and aws/aws-sdk-php#2469 (signed headers). The order of the
checks is that which mhart/dynalite has recorded from DynamoDB.
"""

from __future__ import annotations

from typing import NamedTuple


class SignatureErrors(NamedTuple):
    """The errors of a service for signatures that it does not accept."""

    #: The code for a signature that does not match, is too old, or has a wrong scope.
    invalid: str
    #: The status of its HTTP response.
    status: int
    #: The code for a signature that lacks a part, or that cannot be read.
    incomplete: str
    #: The status of its HTTP response.
    incomplete_status: int
    #: By how many minutes the time of a request can differ from that of AWS.
    minutes: int
    #: The text of all these errors, for a service that does not say what is wrong.
    text: str | None = None


MISMATCH = (
    "The request signature we calculated does not match the signature you provided. Check your AWS "
    "Secret Access Key and signing method. Consult the service documentation for details."
)
EXPIRED = "Signature expired: {date} is now earlier than {limit} ({now} - {minutes} min.)"
NOT_YET_CURRENT = (
    "Signature not yet current: {date} is still later than {limit} ({now} + {minutes} min.)"
)
#: Those of a scope follow each other in one text; each but the last ends with a space.
WRONG_REGION = "Credential should be scoped to a valid region. "
WRONG_SERVICE = "Credential should be scoped to correct service: '{service}'. "
WRONG_TERMINATOR = "Credential should be scoped with a valid terminator: 'aws4_request'. "
WRONG_DATE = (
    "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: "
    "'{scope}' != '{day}', from '{date}'."
)
HOST_NOT_SIGNED = "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization."
MISSING_HEADER = "'{name}' is named as a SignedHeader, but it does not exist in the HTTP request."
SIGNED_TWICE = (
    "Found both 'X-Amz-Algorithm' as a query-string param and 'Authorization' as HTTP header."
)
#: Repeated for each parameter that is missing.
MISSING_IN_HEADER = "Authorization header requires '{name}' parameter. "
MISSING_DATE = (
    "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. "
)
#: AWS does not repeat the header, which could be a secret of something else.
HASHED_HEADER = "(Hashed with SHA-256 and encoded with Base64) Authorization={hash}"
NO_PAIR = (
    "Invalid key=value pair (missing equal-sign) in Authorization header (hashed with SHA-256 and "
    "encoded with Base64): '{hash}'."
)
MISSING_IN_QUERY = "AWS query-string parameters must include '{name}'. "
LOOK_AGAIN = "Re-examine the query-string parameters."
UNREADABLE_DATE = (
    "Date must be in ISO-8601 'basic format'. Got '{date}'. See "
    "http://en.wikipedia.org/wiki/ISO_8601"
)
UNSUPPORTED_ALGORITHM = (
    "Unsupported AWS 'algorithm': '{algorithm}' (only AWS4-HMAC-SHA256 for now). "
)
WRONG_CREDENTIAL = (
    "Credential must have exactly 5 slash-delimited elements, e.g. "
    "keyid/date/region/service/term, got '{credential}'"
)

#: Of services with a JSON protocol: KMS and CloudTrail.
JSON = SignatureErrors("InvalidSignatureException", 400, "IncompleteSignatureException", 400, 5)
#: Of IAM and STS.
QUERY = SignatureErrors("SignatureDoesNotMatch", 403, "IncompleteSignature", 400, 15)
#: Of RDS; the IAM User Guide, "Elements of an AWS API request signature", names five minutes for
#: services in general.
RDS = QUERY._replace(minutes=5)
#: For signatures that lack a part, by analogy; no published response of EC2 is known.
EC2 = SignatureErrors(
    *("AuthFailure", 401, "AuthFailure", 401, 15),
    text="AWS was not able to validate the provided access credentials",
)
