"""Requests that cannot be answered as asked: too large, for nobody, or garbage."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from kmsmock import KMSMock, mock_kms
from kmsmock.protocols.messages import HttpRequest, HttpResponse
from tests.protocols.requests import make_request, parse, send, service_model
from tests.thoroughness import examples

SIGNED = (
    "AWS4-HMAC-SHA256 Credential=testing/20261201/{region}/{service}/aws4_request, "
    "SignedHeaders=host;x-amz-date, Signature=0"
)
FORM = "application/x-www-form-urlencoded; charset=utf-8"
JSON = "application/x-amz-json-1.1"
VERSIONS = {"sts": "2011-06-15", "iam": "2010-05-08", "ec2": "2016-11-15", "rds": "2014-10-31"}
#: An operation of each service.
OPERATIONS = {
    "kms": "ListKeys",
    "cloudtrail": "DescribeTrails",
    "sts": "GetCallerIdentity",
    "iam": "ListUsers",
    "ec2": "DescribeVolumes",
    "rds": "DescribeDBInstances",
}


def make_form(service: str, fields: dict[str, str], **changes: Any) -> HttpRequest:
    """Return a signed request with a form."""
    headers = {
        "authorization": SIGNED.format(region="us-east-1", service=service),
        "content-type": FORM,
    }
    request = HttpRequest("POST", "/", headers, urlencode(fields).encode())
    return request._replace(**changes)


def make_json(service: str, body: bytes) -> HttpRequest:
    """Return a signed request with a JSON body, to the operation of `OPERATIONS`."""
    request = make_request(service, OPERATIONS[service])
    return request._replace(body=body)


def error_of(response: HttpResponse, service: str) -> tuple[str, str]:
    """Return code and text of an error, as botocore reads them."""
    error = parse(response, service, OPERATIONS[service])["Error"]
    return error["Code"], error["Message"]


# --- which service, and which operation --------------------------------------------------------


@pytest.mark.parametrize(
    ("service", "code", "text"),
    [
        ("kms", "MissingAuthenticationTokenException", "Missing Authentication Token"),
        ("cloudtrail", "MissingAuthenticationTokenException", "Missing Authentication Token"),
        ("sts", "MissingAuthenticationToken", "Request is missing Authentication Token"),
        ("iam", "MissingAuthenticationToken", "Request is missing Authentication Token"),
        ("rds", "MissingAuthenticationToken", "Request is missing Authentication Token"),
        ("ec2", "MissingParameter", "The request must contain the parameter AWSAccessKeyId"),
    ],
)
def test_unsigned_requests_are_refused_in_the_protocol_of_the_service(
    kms: KMSMock, service: str, code: str, text: str
):
    response = send(kms, make_request(service, OPERATIONS[service], access_key=None))

    assert error_of(response, service) == (code, text)


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({}, b"<Code>MissingAuthenticationToken</Code>"),
        ({"content-type": JSON}, b'"MissingAuthenticationTokenException"'),
        ({"x-amz-target": "Nobody.X"}, b'"MissingAuthenticationTokenException"'),
    ],
    ids=["query", "json", "target"],
)
def test_a_request_for_no_service_lacks_a_signature(
    kms: KMSMock, headers: dict[str, str], code: bytes
):
    assert code in send(kms, HttpRequest("POST", "/", headers, b"")).body


def test_operations_that_need_no_signature_are_answered_without_one(kms: KMSMock):
    operation = service_model("sts").operation_model("AssumeRoleWithWebIdentity")
    if operation.auth_type != "none":
        pytest.skip("an older botocore does not know which operations these are")
    parameters = {
        "RoleArn": "arn:aws:iam::123456789012:role/App",
        "RoleSessionName": "x",
        "WebIdentityToken": "token",
    }
    request = make_request("sts", "AssumeRoleWithWebIdentity", parameters, access_key=None)

    response = send(kms, request)

    assert error_of(response, "sts") == (
        "InvalidAction",
        "Could not find operation AssumeRoleWithWebIdentity for version 2011-06-15",
    )


@pytest.mark.parametrize("prefix", ["", "com.amazonaws.cloudtrail.v20131101."])
def test_cloudtrail_has_the_targets_of_all_sdks(kms: KMSMock, prefix: str):
    target = f"{prefix}CloudTrail_20131101.DescribeTrails"
    request = make_request("cloudtrail", "DescribeTrails", headers={"x-amz-target": target})

    assert json.loads(send(kms, request).body) == {"trailList": []}


def test_parameters_of_the_query_protocol_can_be_in_the_url(kms: KMSMock):
    fields = urlencode({"Action": "GetCallerIdentity", "Version": "2011-06-15"})
    request = make_form("sts", {}, method="GET", target=f"/?{fields}")

    parsed = parse(send(kms, request), "sts", "GetCallerIdentity")

    assert parsed["Account"] == "123456789012"


@pytest.mark.parametrize("host", ["", "localhost", "kms.eu-west-1.amazonaws.com", "[::1]:80", "ü"])
def test_the_host_can_be_any(kms: KMSMock, host: str):
    fields = {"Action": "GetCallerIdentity", "Version": "2011-06-15"}
    request = make_form("sts", fields)

    response = send(kms, request._replace(headers={**request.headers, "host": host}))

    assert parse(response, "sts", "GetCallerIdentity")["Account"] == "123456789012"


def test_a_presigned_request_of_the_query_protocol_tells_its_caller(kms: KMSMock):
    role = kms.account("222222222222").role("App")
    url = role.client("sts").generate_presigned_url("get_caller_identity", HttpMethod="GET")
    parts = urlsplit(url)
    request = HttpRequest("GET", f"/?{parts.query}", {"host": parts.netloc}, b"")

    parsed = parse(send(kms, request), "sts", "GetCallerIdentity")

    assert parsed["Arn"] == "arn:aws:sts::222222222222:assumed-role/App/session"


@pytest.mark.parametrize("service", ["s3", "lambda", "dynamodb", "sns", "nothing", "ü"])
def test_a_service_that_is_not_answered_says_so(kms: KMSMock, service: str):
    request = make_form(service, {"Action": "X"})

    response = send(kms, request)

    assert response.status == 400
    text = f"The service {service} is not emulated here; those that are: kms, sts, iam, ec2, rds"
    assert text in response.body.decode()


def test_a_service_that_the_mock_leaves_to_others_is_not_answered():
    with mock_kms(services=["kms", "sts"]) as kms:
        response = send(kms, make_request("iam", "ListUsers"))

    code, text = error_of(response, "iam")
    assert code == "InvalidAction"
    assert text == "The service iam is not emulated here; those that are: kms, sts."


@pytest.mark.parametrize(
    ("service", "fields", "code", "text"),
    [
        ("sts", {}, "MissingAction", "The request is missing an action or a required parameter."),
        (
            "iam",
            {"Action": "ListUsers"},
            "InvalidAction",
            "Could not find operation ListUsers for version NO_VERSION_SPECIFIED",
        ),
        (
            "iam",
            {"Action": "ListUsers", "Version": "2009-01-01"},
            "InvalidAction",
            "Could not find operation ListUsers for version 2009-01-01",
        ),
        (
            "rds",
            {"Action": "{name}", "Version": "2014-10-31"},
            "InvalidAction",
            "Could not find operation {name} for version 2014-10-31",
        ),
        (
            "ec2",
            {"Action": "Describe", "Version": "2016-11-15"},
            "InvalidAction",
            "The action Describe is not valid for this web service.",
        ),
    ],
)
def test_an_action_that_a_service_does_not_have_is_refused(
    kms: KMSMock, service: str, fields: dict[str, str], code: str, text: str
):
    assert error_of(send(kms, make_form(service, fields)), service) == (code, text)


@pytest.mark.parametrize("method", ["GET", "PUT", "HEAD", "DELETE", "é"])
@pytest.mark.parametrize("service", ["kms", "cloudtrail"])
def test_json_services_have_post_only(kms: KMSMock, service: str, method: str):
    request = make_request(service, OPERATIONS[service])._replace(method=method)

    assert error_of(send(kms, request), service) == ("UnknownOperationException", "")


@pytest.mark.parametrize(
    ("content_type", "is_json"),
    [
        ("application/x-amz-json-1.1", True),
        ("application/x-amz-json-1.0; charset=utf-8", True),
        ("", True),
        ("application/json", False),
        (FORM, False),
    ],
)
@pytest.mark.parametrize("service", ["kms", "cloudtrail"])
def test_json_has_a_content_type_of_aws(
    kms: KMSMock, service: str, content_type: str, is_json: bool
):
    headers = {"content-type": content_type}
    response = send(kms, make_request(service, OPERATIONS[service], headers=headers))

    assert response.status == (200 if is_json else 400)
    if not is_json:
        assert error_of(response, service) == (
            "UnknownOperationException",
            f"The content type must be application/x-amz-json-1.1, not {content_type}.",
        )


@pytest.mark.parametrize("method", ["PUT", "DELETE", "OPTIONS"])
def test_query_services_have_get_and_post_only(kms: KMSMock, method: str):
    response = send(kms, make_form("sts", {}, method=method))

    assert error_of(response, "sts") == (
        "MalformedHttpRequestException",
        f"The request method {method} is not supported.",
    )


@pytest.mark.parametrize("service", OPERATIONS)
def test_the_only_path_is_the_root(kms: KMSMock, service: str):
    request = make_request(service, OPERATIONS[service])._replace(target="/kms/%41?x=1")

    assert error_of(send(kms, request), service) == (
        "MalformedHttpRequestException",
        "The service has no path /kms/%41; its only path is /.",
    )


# --- limits --------------------------------------------------------------------------------------


@pytest.mark.parametrize("service", OPERATIONS)
def test_a_body_has_a_mebibyte_at_most(kms: KMSMock, service: str):
    request = make_request(service, OPERATIONS[service])
    largest = request._replace(body=b" " * 2**20)
    larger = request._replace(body=b" " * (2**20 + 1))

    refused = send(kms, larger)

    assert send(kms, largest).status != 413
    assert refused.status == 413
    assert error_of(refused, service) == (
        "RequestEntityTooLargeException",
        "The body of the request has more than 1048576 bytes.",
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"headers": {f"x-{n}": "" for n in range(101)}},
        {"headers": {"x": "y" * 2**16}},
        {"target": "/?" + "x" * 2**16},
    ],
    ids=["number", "size", "url"],
)
def test_headers_and_urls_have_limits(kms: KMSMock, changes: dict[str, Any]):
    response = send(kms, HttpRequest("POST", "/", {}, b"")._replace(**changes))

    assert response.status == 400
    assert b"<Code>MalformedHttpRequestException</Code>" in response.body


@pytest.mark.parametrize("service", OPERATIONS)
def test_an_encoded_body_is_refused(kms: KMSMock, service: str):
    request = make_request(service, OPERATIONS[service], headers={"content-encoding": "gzip"})

    assert error_of(send(kms, request), service) == (
        "MalformedHttpRequestException",
        "The content encoding gzip is not supported.",
    )


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"[]",
        b'"x"',
        b"nul",
        b'{"x": 1e999}',
        b'{"Limit": 1e999}',
        b'{"Limit": ' + b"9" * 5000 + b"}",
        b'{"Limit": NaN}',
        b"\xff\xfe",
        b'{"Marker": "\xff"}',
        b'{"Marker": "\\ud800"}',
        b"[" * 100_000,
        b'{"x":' * 150_000,
        b'{"x": "\\ud800", "y": ' + b"[" * 5000 + b"]" * 5000 + b"}",
        b"\xef\xbb\xbf{}",
    ],
    ids=lambda body: repr(body[:20]),
)
@pytest.mark.parametrize("service", ["kms", "cloudtrail"])
def test_json_that_cannot_be_read_is_a_serialization_exception(
    kms: KMSMock, service: str, body: bytes
):
    code, _ = error_of(send(kms, make_json(service, body)), service)

    assert code == "SerializationException"


def test_brackets_inside_of_texts_are_not_deep(kms: KMSMock):
    policy = json.dumps({"Statement": [[["\\", "[" * 500]]]})
    response = send(kms, make_json("kms", json.dumps({"Marker": policy}).encode()))

    assert error_of(response, "kms")[0] == "InvalidMarkerException"


def of_iam(**fields: str) -> dict[str, str]:
    return {"Action": "CreateUser", "Version": VERSIONS["iam"], "UserName": "ann", **fields}


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"Tags.member.999999999.Key": "a", "Tags.member.999999999.Value": "b"}, None),
        ({"Tags.1.Key": "a"}, "MalformedInput"),
        ({"Tags.member.x.Key": "a"}, "MalformedInput"),
        ({"Tags.member.1": "a"}, "MalformedInput"),
        ({"Tags.member.1.Key.x": "a"}, "MalformedInput"),
        ({"Tags": "a"}, "MalformedInput"),
        ({"UserNames": "a"}, "MalformedInput"),
        ({"Path" + ".a" * 100_000: "a"}, "MalformedInput"),
        ({"Tags.member.99999999999.Key": "a"}, "MalformedInput"),
        ({"UserName": "\ud800"}, "MalformedQueryString"),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_the_structure_of_parameters_of_the_query_protocol_is_checked(
    kms: KMSMock, fields: dict[str, str], code: str | None
):
    body = urlencode(of_iam(**fields), errors="surrogatepass").encode()
    response = send(kms, make_form("iam", {}, body=body))

    assert parse(response, "iam", "CreateUser").get("Error", {}).get("Code") == code


def test_items_of_lists_are_in_the_order_of_their_numbers(kms: KMSMock):
    tags = {"Tags.member.10.Key": "b", "Tags.member.10.Value": "2"}
    tags |= {"Tags.member.9.Key": "a", "Tags.member.9.Value": "1"}

    parsed = parse(send(kms, make_form("iam", of_iam(**tags))), "iam", "CreateUser")

    assert parsed["User"]["Tags"] == [{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}]


@pytest.mark.parametrize(
    "body",
    [
        b"Action=ListUsers&Version=2010-05-08&MaxItems=many",
        b"Action=ListUsers&Version=2010-05-08&MaxItems=" + b"9" * 50,
        b"Action=ListUsers&Version=2010-05-08&PathPrefix=%ff",
        b"Action=ListUsers&Version=2010-05-08&PathPrefix=\xff",
        b"Action=ListUsers&Version=2010-05-08&Action=ListRoles",
        b"Action=ListUsers&Version=2010-05-08" + b"&a=" * 10_001,
    ],
    ids=lambda body: repr(body[-20:]),
)
def test_a_form_that_cannot_be_read_is_a_malformed_query_string(kms: KMSMock, body: bytes):
    response = send(kms, make_form("iam", {}, body=body))

    assert error_of(response, "iam") == (
        "MalformedQueryString",
        "The query string contains a syntax error.",
    )


@pytest.mark.parametrize(
    ("name", "shown"),
    [("volumeId", "volumeId"), ("Filter.1.Names", "Filter"), ("VolumeId.x", "VolumeId")],
)
def test_ec2_names_the_parameter_that_it_does_not_have(kms: KMSMock, name: str, shown: str):
    fields = {"Action": "DescribeVolumes", "Version": VERSIONS["ec2"], name: "a"}

    assert error_of(send(kms, make_form("ec2", fields)), "ec2") == (
        "UnknownParameter",
        f"The parameter {shown} is not recognized",
    )


def test_what_xml_cannot_have_is_replaced_in_answers(kms: KMSMock):
    fields = {"Action": "DeleteVolume", "Version": VERSIONS["ec2"], "VolumeId": "\x00\x1b\ufffe"}

    _, text = error_of(send(kms, make_form("ec2", fields)), "ec2")

    assert "\ufffd\ufffd\ufffd" in text


XML_BOMB = b"""<?xml version="1.0"?>
<!DOCTYPE b [<!ENTITY a "aaaaaaaaaa"><!ENTITY c "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>
<b>&c;</b>"""


@pytest.mark.parametrize("content_type", [FORM, "application/xml", "text/xml", ""])
def test_xml_in_requests_is_never_parsed(kms: KMSMock, content_type: str):
    request = make_form("iam", {}, body=XML_BOMB)
    headers = {**request.headers, "content-type": content_type}

    code, _ = error_of(send(kms, request._replace(headers=headers)), "iam")
    assert code == ("MalformedQueryString" if content_type == FORM else "MissingAction")


# --- garbage -------------------------------------------------------------------------------------

NAMES = st.sampled_from(
    ["authorization", "content-type", "x-amz-target", "host", "content-encoding", "x"]
)
VALUES = st.one_of(
    st.text(max_size=40),
    st.sampled_from([JSON, FORM, "TrentService.Encrypt", "AmazonSQS.SendMessage", "gzip", "{}"]),
    st.builds(
        SIGNED.format,
        region=st.sampled_from(["us-east-1", "mars", "ü", " "]),
        service=st.sampled_from([*OPERATIONS, "s3", "logs", "cloudwatch", "../x"]),
    ),
)
FIELDS = st.dictionaries(
    st.sampled_from(
        ["Action", "Version", "Filter.1.Name", "Filters.member.1.Name", "Tags.member.1.Key", "x"]
    ),
    st.one_of(
        st.sampled_from([*OPERATIONS.values(), *VERSIONS.values(), "CreateUser", "CreateVolume"]),
        st.text(max_size=20),
    ),
)
BODIES = st.one_of(
    st.binary(max_size=100),
    st.builds(lambda fields: urlencode(fields, errors="surrogatepass").encode(), FIELDS),
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(max_size=10),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.sampled_from(["KeyId", "Limit", "Tags", "x"]), inner, max_size=3)
        ),
        max_leaves=10,
    ).map(lambda value: json.dumps(value).encode()),
)
REQUESTS = st.builds(
    HttpRequest,
    st.sampled_from(["POST", "GET", "PUT", "", "ü"]),
    st.sampled_from(["/", "/?Action=ListUsers", "/x", "", "*", "/?%ff&=&&X-Amz-Credential=%2F"])
    | st.text(max_size=30),
    st.dictionaries(NAMES, VALUES, max_size=5),
    BODIES,
)


@pytest.fixture(scope="module")
def any_mock():
    with mock_kms() as kms:
        yield kms


@examples(40)
@given(request=REQUESTS)
@example(request=HttpRequest("POST", "/", {"authorization": "Credential=a/b/c/kms/x"}, b""))
def test_garbage_has_an_answer(any_mock: KMSMock, request: HttpRequest):
    response = send(any_mock, request)

    assert 200 <= response.status < 500
    assert response.headers["content-length"] == str(len(response.body))
    assert response.headers["x-amzn-requestid"]
