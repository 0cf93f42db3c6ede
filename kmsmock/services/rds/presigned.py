"""The presigned URL with which an encrypted snapshot is copied from another Region.

It stands for the same request in the source's Region, so that RDS may use the key there as the
caller. The SDK makes it of the parameter SourceRegion. The signature is not verified.

Source: Amazon RDS API Reference, CopyDBSnapshot, CopyDBClusterSnapshot: PreSignedUrl.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from urllib.parse import parse_qs, urlsplit

from kmsmock.aws.hosts import is_aws_host, read_host
from kmsmock.services.rds.errors import InvalidParameterValue
from kmsmock.services.rds.kinds import Kind
from kmsmock.services.registry import ServiceCall


def require_url(call: ServiceCall, kind: Kind, source_region: str) -> None:
    """Require a presigned URL that fits the request, or the parameter from which SDKs make one."""
    url = call.parameters.get("PreSignedUrl")
    if url:
        why = _what_is_wrong(call, kind, source_region, url)
    elif "SourceRegion" in call.parameters:
        name_or_arn = call.parameters["SourceRegion"]
        why = (
            None
            if name_or_arn == source_region
            else f"SourceRegion is not {source_region}, but {name_or_arn}."
        )
    else:
        raise InvalidParameterValue(
            "A pre-signed url must be specified for copying encrypted snapshot across region.",
            explanation=f"boto3 makes one for the parameter SourceRegion={source_region!r}.",
        )
    if why is not None:
        raise InvalidParameterValue("PreSignedurl could not be authenticated", explanation=why)


def _what_is_wrong(call: ServiceCall, kind: Kind, source_region: str, url: str) -> str | None:
    parts = urlsplit(url)
    query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    source = f"Source{kind.snapshot_identifier}"
    expected = {
        "Action": f"Copy{kind.snapshot}",
        "DestinationRegion": call.region,
        source: call.parameters[source],
        "KmsKeyId": call.parameters["KmsKeyId"],
    }
    # Clients with an endpoint URL, such as that of a server with the mock, presign that.
    is_of_aws, labels = is_aws_host(read_host(url)), f"rds.{source_region}."
    if is_of_aws and not (parts.scheme == "https" and parts.netloc.startswith(labels)):
        return f"The URL is not one of RDS in {source_region}."
    for name, value in expected.items():
        if query.get(name) != value:
            return f"{name} in the URL is {query.get(name)!r}, not {value!r}."
    credential = query.get("X-Amz-Credential", "").split("/")
    if credential[2:4] != [source_region, "rds"] or "X-Amz-Signature" not in query:
        return f"The URL is not signed for RDS in {source_region}."
    try:
        signed = datetime.strptime(f"{query['X-Amz-Date']}+0000", "%Y%m%dT%H%M%SZ%z")
        until = signed + timedelta(seconds=int(query["X-Amz-Expires"]))
    except (KeyError, ValueError, OverflowError):
        return "The URL has no expiry."
    return None if call.now <= until else f"The URL has expired at {until}."
