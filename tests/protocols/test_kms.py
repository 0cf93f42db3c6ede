"""KMS over HTTP, without a server: the requests of botocore, answered as messages."""

from __future__ import annotations

import json
from urllib.parse import urlencode

import pytest
from botocore.auth import SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from kmsmock import KMSMock
from kmsmock.aws.disruptions import Loss, LostConnection
from kmsmock.protocols.answering import answer_http
from kmsmock.protocols.messages import HttpRequest, HttpResponse
from tests.protocols.requests import call, make_request, parse, send, to_message


def test_a_key_encrypts_and_decrypts(kms: KMSMock):
    key_id = call(kms, "kms", "CreateKey")["KeyMetadata"]["KeyId"]
    encrypted = call(kms, "kms", "Encrypt", {"KeyId": key_id, "Plaintext": b"secret"})

    opened = call(kms, "kms", "Decrypt", {"CiphertextBlob": encrypted["CiphertextBlob"]})

    assert opened["Plaintext"] == b"secret"


def test_a_request_is_the_same_as_that_of_a_client_in_the_process(kms: KMSMock):
    key_id = call(kms, "kms", "CreateKey", region="eu-west-2")["KeyMetadata"]["KeyId"]

    described = kms.client(region="eu-west-2").describe_key(KeyId=key_id)

    assert described["KeyMetadata"]["Arn"].startswith("arn:aws:kms:eu-west-2:")
    assert [each.operation for each in kms.calls] == ["CreateKey", "DescribeKey"]
    assert kms.calls[0].principal == kms.calls[1].principal


def test_the_access_key_of_the_signature_tells_who_calls(kms: KMSMock):
    role = kms.account("222222222222").role("App")
    credentials = role.credentials

    call(
        kms,
        "kms",
        "ListKeys",
        access_key=credentials.access_key,
        secret_key=str(credentials.secret_key),
        session_token=str(credentials.session_token),
    )

    assert kms.calls[-1].principal.arn.startswith("arn:aws:sts::222222222222:assumed-role/App/")


def test_a_presigned_request_is_of_who_has_signed_it(kms: KMSMock):
    url = "http://127.0.0.1:5000/?" + urlencode({"X-Note": "x"})
    headers = {
        "Content-Type": "application/x-amz-json-1.1",
        "X-Amz-Target": "TrentService.ListKeys",
    }
    request = AWSRequest("POST", url, headers, b"{}")
    SigV4QueryAuth(Credentials("AKIAEXAMPLE", "secret"), "kms", "eu-central-1").add_auth(request)

    response = send(kms, to_message(request))

    assert response.status == 200
    assert kms.calls[-1].region == "eu-central-1"


def test_responses_have_the_headers_of_kms(kms: KMSMock):
    response = send(kms, make_request("kms", "ListKeys"))

    assert response.headers["x-amzn-requestid"] == kms.calls[-1].request_id
    assert response.headers["content-type"] == "application/x-amz-json-1.1"
    assert response.headers["cache-control"] == "no-cache, no-store, must-revalidate, private"


def test_an_error_has_its_type_and_its_text(kms: KMSMock):
    response = send(kms, make_request("kms", "DescribeKey", {"KeyId": "alias/none"}))

    arn = "arn:aws:kms:us-east-1:123456789012:alias/none"
    assert response.status == 400
    assert json.loads(response.body) == {
        "__type": "NotFoundException",
        "message": f"Alias {arn} is not found.",
    }


def test_an_unsigned_request_is_refused(kms: KMSMock):
    response = send(kms, make_request("kms", "ListKeys", access_key=None))

    error = parse(response, "kms", "ListKeys")["Error"]
    assert error == {
        "Code": "MissingAuthenticationTokenException",
        "Message": "Missing Authentication Token",
    }


def test_an_unknown_access_key_is_that_of_the_default_administrator(kms: KMSMock):
    call(kms, "kms", "ListKeys", access_key="AKIAUNKNOWN")

    assert kms.calls[-1].principal.arn == "arn:aws:iam::123456789012:user/Administrator"


def test_an_account_id_as_access_key_is_that_of_its_administrator(kms: KMSMock):
    call(kms, "kms", "ListKeys", access_key="222222222222", region="us-gov-west-1")

    assert kms.calls[-1].principal.arn == "arn:aws-us-gov:iam::222222222222:user/Administrator"


def test_an_account_id_as_access_key_is_valid_after_a_restore(kms: KMSMock):
    checkpoint = kms.checkpoint()
    call(kms, "kms", "ListKeys", access_key="222222222222")
    kms.restore(checkpoint)

    assert "Error" not in call(kms, "kms", "ListKeys", access_key="222222222222")


@pytest.mark.parametrize("access_key", ["AKIAUNKNOWN", "222222222222"])
def test_strict_credentials_are_only_those_of_the_mock(kms: KMSMock, access_key: str):
    request = make_request("kms", "ListKeys", access_key=access_key)

    response = send(kms, request, strict_credentials=True)

    assert parse(response, "kms", "ListKeys")["Error"] == {
        "Code": "UnrecognizedClientException",
        "Message": "The security token included in the request is invalid.",
    }


@pytest.mark.parametrize("target", ["", "TrentService.", "TrentService.GetKey", "ListKeys", "é"])
def test_a_target_that_kms_does_not_have_is_an_unknown_operation(kms: KMSMock, target: str):
    request = make_request("kms", "ListKeys", headers={"x-amz-target": target})

    response = send(kms, request)

    assert (response.status, response.body) == (400, b'{"__type":"UnknownOperationException"}')


def test_an_armed_fault_loses_the_connection(kms: KMSMock):
    kms.faults.drop_connection(operation="ListKeys")

    answer = answer_http(kms._responder, make_request("kms", "ListKeys"))

    assert isinstance(answer, LostConnection)
    assert answer.how is Loss.CLOSED


def test_an_armed_fault_cuts_the_body(kms: KMSMock):
    kms.faults.corrupt_response(operation="ListKeys")

    response = send(kms, make_request("kms", "ListKeys"))

    assert response.status == 200
    with pytest.raises(ValueError, match=r"Unterminated|Expecting"):
        json.loads(response.body)


def test_messages_show_nothing_of_their_content():
    request = HttpRequest("GET", "/?Plaintext=c2VjcmV0", {"x-amz-security-token": "t"}, b"secret")
    response = HttpResponse(200, {}, b"secret")

    assert repr(request) == "<GET /: 6 bytes>"
    assert repr(response) == "<response with status 200: 6 bytes>"
