"""Requests that nothing answers: they are blocked, or an error's note says where they went."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import boto3
import botocore.session
import pytest
from botocore.awsrequest import AWSResponse
from botocore.config import Config
from botocore.exceptions import (
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    NoAuthTokenError,
    ReadTimeoutError,
)
from botocore.parsers import ResponseParserError

from kmsmock import RealAWSBlocked, RealKMSBlocked, mock_kms

# Their clients are created outside of mocks.
pytestmark = pytest.mark.usefixtures("machine")

KEYS = {"aws_access_key_id": "AKIAEXAMPLE", "aws_secret_access_key": "b"}
ONCE = Config(retries={"max_attempts": 0})


class Network:
    """What botocore's requests reach instead of a network.

    sent: the URLs of the requests that left botocore. answer: how to answer: an exception or a
    response's status and body.
    """

    def __init__(self) -> None:
        self.sent: list[str] = []
        self.answer: Exception | tuple[int, bytes] = (200, b"{}")

    def send(self, request: Any) -> AWSResponse:
        self.sent.append(request.url)
        if isinstance(self.answer, Exception):
            raise self.answer
        status, body = self.answer
        raw = type("Raw", (), {"stream": lambda self: iter([body])})()  # noqa: ARG005
        return AWSResponse(request.url, status, {}, raw)


@pytest.fixture
def network(monkeypatch: pytest.MonkeyPatch) -> Network:
    network = Network()
    monkeypatch.setattr(
        "botocore.httpsession.URLLib3Session.send", lambda _, request: network.send(request)
    )
    return network


def make_client(service: str = "kms", **arguments: Any) -> Any:
    return boto3.client(service, "us-east-1", **{"config": ONCE, **KEYS, **arguments})


# --- the block of the real KMS -------------------------------------------------------------------


@pytest.mark.parametrize(
    "host",
    [
        "kms.us-east-1.amazonaws.com",
        "KMS.us-east-1.amazonaws.com.:443",
        "user:secret@kms.us-east-1.amazonaws.com",
        "kms-fips.us-gov-west-1.api.aws",
        "kms.us-iso-east-1.api.aws.ic.gov",
        "kms.eusc-de-east-1.amazonaws.eu",
        "vpce-0295a3ca-dfm9tr04.kms.us-east-1.vpce.amazonaws.com",
    ],
)
def test_a_request_to_the_real_kms_is_blocked_in_tests(network: Network, host: str) -> None:
    with pytest.raises(RealKMSBlocked):
        make_client(endpoint_url=f"https://{host}").list_keys()

    assert network.sent == []


@pytest.mark.parametrize(
    "url",
    [
        "http://localhost:4566",
        "http://127.0.0.1:4566",
        "https://kms.us-east-1.amazonaws.com.example.org",
        "https://my-kms.example.com",
    ],
)
def test_a_request_to_an_emulator_of_kms_is_sent(network: Network, url: str) -> None:
    make_client(endpoint_url=url).list_keys()

    assert network.sent == [f"{url}/"]


def without_builtin_handlers() -> Any:
    session = botocore.session.Session(include_builtin_handlers=False)
    return session.create_client("kms", "us-east-1", config=ONCE, **KEYS)


@pytest.mark.parametrize(
    "make",
    [
        make_client,
        lambda: botocore.session.get_session().create_client("kms", "us-east-1", **KEYS),
        without_builtin_handlers,
    ],
    ids=["boto3", "botocore", "without handlers"],
)
def test_the_client_makes_no_difference(network: Network, make: Callable[[], Any]) -> None:
    with pytest.raises(RealKMSBlocked):
        make().list_keys()

    assert network.sent == []


def test_the_message_names_the_host_and_three_ways_to_allow_it() -> None:
    with pytest.raises(RealKMSBlocked) as caught:
        make_client().list_keys()

    assert caught.value.host == "kms.us-east-1.amazonaws.com"
    assert str(caught.value) == (
        "this test was about to call the real AWS KMS at kms.us-east-1.amazonaws.com, and nothing "
        "answers this request. To answer it from memory, use the `kms` fixture or `@mock_kms`. To "
        "allow it: (1) for one run, `pytest --kms-allow-real`; (2) for a project, "
        "`kms_block_real_kms = false` in the pytest configuration; (3) for one test, "
        "`@pytest.mark.kms(block_real_kms=False)`."
    )


@pytest.mark.kms(block_real_kms=False)
def test_a_mark_allows_the_real_kms_for_one_test(network: Network) -> None:
    make_client().list_keys()

    assert network.sent == ["https://kms.us-east-1.amazonaws.com/"]


@pytest.mark.parametrize("wire", [False, True])
def test_a_paused_mock_does_not_answer_and_the_block_applies(network: Network, wire: bool) -> None:
    with mock_kms(wire=wire) as kms, kms.pause(), pytest.raises(RealKMSBlocked):
        make_client().list_keys()

    assert network.sent == []


def test_an_argument_of_a_mock_allows_the_real_kms_while_it_is_paused(network: Network) -> None:
    with mock_kms(block_real_kms=False) as kms, kms.pause():
        make_client().list_keys()

    assert network.sent == ["https://kms.us-east-1.amazonaws.com/"]


def test_other_services_are_not_blocked_by_default(network: Network) -> None:
    make_client("glue").get_databases()

    assert len(network.sent) == 1


# --- the block of all of AWS ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("service", "operation", "host"),
    [
        ("s3", "list_buckets", "s3.amazonaws.com"),
        ("sts", "get_caller_identity", "sts.us-east-1.amazonaws.com"),
        ("glue", "get_databases", "glue.us-east-1.amazonaws.com"),
        ("kms", "list_keys", "kms.us-east-1.amazonaws.com"),
    ],
)
@pytest.mark.kms(block_real_aws=True)
def test_a_mark_blocks_all_requests_that_nothing_answers(
    network: Network, service: str, operation: str, host: str
) -> None:
    client = make_client(service, endpoint_url=f"https://{host}")

    with pytest.raises(RealAWSBlocked) as caught:
        getattr(client, operation)()

    assert caught.value.host == host
    assert network.sent == []


def test_a_mock_blocks_them_until_it_ends(network: Network) -> None:
    client = make_client("glue")

    with mock_kms(block_real_aws=True), pytest.raises(RealAWSBlocked):
        client.get_databases()
    client.get_databases()

    assert len(network.sent) == 1


def test_what_a_mock_answers_is_not_blocked(network: Network) -> None:
    with mock_kms(block_real_aws=True):
        assert make_client("sts").get_caller_identity()["Account"] == "123456789012"
        assert make_client().list_keys()["Keys"] == []

    assert network.sent == []


def test_what_an_event_handler_answers_is_not_blocked(network: Network) -> None:
    client = make_client("glue")
    answer = Network()
    client.meta.events.register("before-send", lambda request, **_: answer.send(request))

    with mock_kms(block_real_aws=True):
        client.get_databases()

    assert (len(answer.sent), network.sent) == (1, [])


@pytest.mark.kms(block_real_aws=True)
def test_emulators_are_not_blocked(network: Network) -> None:
    make_client("glue", endpoint_url="http://localhost:4566").get_databases()

    assert network.sent == ["http://localhost:4566/"]


@pytest.mark.parametrize(
    ("options", "kms_is_blocked"),
    [
        ({"block_real_kms": False}, False),
        ({"block_real_aws": True}, True),
        ({"block_real_aws": False}, True),
        ({"block_real_aws": True, "block_real_kms": False}, False),
    ],
    ids=str,
)
def test_what_is_said_about_kms_takes_precedence_over_what_is_said_about_aws(
    network: Network, options: Any, kms_is_blocked: bool
) -> None:
    with mock_kms(**options) as kms, kms.pause():
        if kms_is_blocked:
            with pytest.raises(RealKMSBlocked):
                make_client().list_keys()
        else:
            make_client().list_keys()

    assert bool(network.sent) is not kms_is_blocked


@pytest.mark.kms(block_real_aws=True)
def test_arguments_of_a_mock_take_precedence_over_marks(network: Network) -> None:
    with mock_kms(block_real_aws=False):
        make_client("glue").get_databases()

    assert len(network.sent) == 1


@pytest.fixture(scope="module")
def blocking_mock() -> Any:
    with mock_kms(block_real_aws=True) as kms:
        yield kms


def test_a_test_with_a_mock_that_blocks_is_blocked(blocking_mock: Any, network: Network) -> None:  # noqa: ARG001
    with pytest.raises(RealAWSBlocked):
        make_client("glue").get_databases()


def test_another_test_is_not_blocked_by_the_mock_of_a_fixture_that_it_does_not_use(
    network: Network,
) -> None:
    make_client("glue").get_databases()

    assert len(network.sent) == 1


@pytest.mark.kms(block_real_aws=True)
def test_the_message_names_the_mark_that_blocks() -> None:
    with pytest.raises(RealAWSBlocked) as caught:
        make_client("glue").get_databases()

    assert str(caught.value) == (
        "this test was about to call the real AWS at glue.us-east-1.amazonaws.com, and nothing "
        "answers this request. To answer it from memory, use moto's `mock_aws`, or the "
        "`endpoint_url` of an emulator. It is blocked by `@pytest.mark.kms(block_real_aws=True)`. "
        "To allow it for one run, `pytest --kms-allow-real`."
    )


# --- beside moto ---------------------------------------------------------------------------------


@pytest.fixture
def mock_aws() -> Any:
    return pytest.importorskip("moto", reason="moto is not installed").mock_aws


@pytest.mark.kms(block_real_aws=True)
def test_what_moto_answers_is_not_blocked(network: Network, mock_aws: Any) -> None:
    with mock_aws():
        make_client("s3").list_buckets()
        make_client().list_keys()

    assert network.sent == []


@pytest.mark.parametrize("service", ["kms", "s3"])
@pytest.mark.kms(block_real_aws=True)
def test_what_moto_passes_through_is_blocked(network: Network, mock_aws: Any, service: str) -> None:
    with mock_aws(
        config={"core": {"mock_credentials": False, "passthrough": {"services": [service]}}}
    ):
        client = make_client(service)
        with pytest.raises(RealAWSBlocked):
            client.list_keys() if service == "kms" else client.list_buckets()

    assert network.sent == []


def test_a_test_can_empty_the_list_of_what_moto_passes_through(mock_aws: Any) -> None:
    from moto.core.config import default_user_config

    with mock_aws():
        with mock_kms(wire=True):
            make_client().list_keys()
            default_user_config["core"]["passthrough"]["services"].clear()
        with pytest.raises(ClientError, match="NotFoundException"):  # of moto
            make_client().describe_key(KeyId="none")


# --- notes on errors of requests that a mock does not answer -------------------------------------

S3 = (
    "kmsmock does not answer s3: it makes only the KMS calls of s3, if something else answers its "
    "requests."
)
GLUE = "kmsmock does not answer glue, but only kms, sts, iam, ec2, rds, cloudtrail, organizations."
STS = "kmsmock does not answer sts, which is not among the mock's `services`."
USE_MOTO = (
    "To answer it from memory, use moto's `mock_aws`, or the `endpoint_url` of an emulator. The "
    "option `block_real_aws` blocks such requests."
)
USE_SERVICES = (
    "To answer it from memory, use a mock that has sts in its `services`, or moto's `mock_aws`. "
    "The option `block_real_aws` blocks such requests."
)
SIGNED = "signed with the access key AKIAEXAMPLE (from botocore's provider: explicit)"
REFUSED = b'{"__type": "UnrecognizedClientException", "message": "The security token is invalid."}'


@pytest.mark.parametrize(
    ("service", "operation", "host", "why", "advice"),
    [
        ("s3", "list_buckets", "s3.amazonaws.com", S3, USE_MOTO),
        ("glue", "get_databases", "glue.us-east-1.amazonaws.com", GLUE, USE_MOTO),
        ("sts", "get_caller_identity", "sts.us-east-1.amazonaws.com", STS, USE_SERVICES),
    ],
    ids=["only its KMS calls", "unknown", "not in services"],
)
def test_a_refusal_by_the_real_aws_has_a_note(
    network: Network, service: str, operation: str, host: str, why: str, advice: str
) -> None:
    network.answer = (403, b"<ErrorResponse/>")
    client = make_client(service, endpoint_url=f"https://{host}")

    with mock_kms(services=["kms"]), pytest.raises(ClientError) as caught:
        getattr(client, operation)()

    assert caught.value.__notes__ == [
        f"{why} The request went to the real AWS, at {host}, {SIGNED}. {advice}"
    ]


def test_the_note_does_not_change_the_error_of_aws(network: Network) -> None:
    network.answer = (400, REFUSED)

    with mock_kms(), pytest.raises(ClientError) as caught:
        make_client("glue").get_databases()

    assert caught.value.response["Error"] == {
        "Code": "UnrecognizedClientException",
        "Message": "The security token is invalid.",
    }
    assert "kmsmock" not in str(caught.value)
    assert len(caught.value.__notes__) == 1


@pytest.mark.parametrize(
    "error",
    [
        EndpointConnectionError(endpoint_url="https://glue.us-east-1.amazonaws.com"),
        ConnectTimeoutError(endpoint_url="https://glue.us-east-1.amazonaws.com"),
        ReadTimeoutError(endpoint_url="https://glue.us-east-1.amazonaws.com"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_an_error_of_the_connection_has_a_note(network: Network, error: Exception) -> None:
    network.answer = error

    with mock_kms(), pytest.raises(type(error)) as caught:
        make_client("glue").get_databases()

    where = (
        f"The request was on its way to the real AWS, at glue.us-east-1.amazonaws.com, {SIGNED}."
    )
    assert caught.value.__notes__ == [f"{GLUE} {where} {USE_MOTO}"]


def test_an_answer_that_is_not_of_aws_has_a_note(network: Network) -> None:
    network.answer = (200, b"<html>Please log in to the network")

    with mock_kms(services=["kms"]), pytest.raises(ResponseParserError) as caught:
        make_client("sts").get_caller_identity()

    assert "The request went to the real AWS" in caught.value.__notes__[0]


def test_a_missing_token_has_a_note_that_nothing_was_sent(network: Network) -> None:
    with mock_kms(), pytest.raises(NoAuthTokenError) as caught:
        boto3.client("codecatalyst", "us-west-2", config=ONCE).list_spaces()

    where = (
        "would have gone to the real AWS, at codecatalyst.global.api.aws, without a bearer token"
    )
    assert f"The request {where}. To answer it" in caught.value.__notes__[0]
    assert network.sent == []


def test_a_request_without_configured_credentials_is_said_to_have_dummies(
    network: Network,
) -> None:
    network.answer = (403, b"")

    with mock_kms(), pytest.raises(ClientError) as caught:
        boto3.client("glue", "us-east-1", config=ONCE).get_databases()

    assert "signed with the dummy access key testing. To answer" in caught.value.__notes__[0]


def test_an_unsigned_request_is_said_to_be_unsigned(network: Network) -> None:
    network.answer = (403, b"")
    unsigned = Config(signature_version=botocore.UNSIGNED)
    client = make_client("glue", config=ONCE.merge(unsigned))

    with mock_kms(), pytest.raises(ClientError) as caught:
        client.get_databases()

    assert "amazonaws.com, unsigned. To answer" in caught.value.__notes__[0]


def no_notes(service: str, operation: str, **arguments: Any) -> bool:
    with pytest.raises(ClientError) as caught:
        getattr(make_client(service, **arguments), operation)()
    return not hasattr(caught.value, "__notes__")


def test_an_error_of_an_emulator_has_no_note(network: Network) -> None:
    network.answer = (403, b"")

    with mock_kms():
        assert no_notes("glue", "get_databases", endpoint_url="http://localhost:4566")


@pytest.mark.parametrize("paused", [False, True], ids=["no mock", "a paused mock"])
def test_an_error_of_the_real_aws_has_no_note_without_an_active_mock(
    network: Network, paused: bool
) -> None:
    network.answer = (403, b"")

    if not paused:
        assert no_notes("glue", "get_databases")
    else:
        with mock_kms() as kms, kms.pause():
            assert no_notes("glue", "get_databases")


def test_an_error_of_moto_has_no_note(network: Network, mock_aws: Any) -> None:
    with mock_aws(), mock_kms(), pytest.raises(ClientError) as caught:
        make_client("s3").head_bucket(Bucket="missing-bucket")

    assert not hasattr(caught.value, "__notes__")
    assert network.sent == []


def test_an_error_by_an_event_handler_has_no_note(network: Network) -> None:
    client = make_client("glue")
    answer = Network()
    answer.answer = (403, b"")
    client.meta.events.register("before-send", lambda request, **_: answer.send(request))

    with mock_kms(), pytest.raises(ClientError) as caught:
        client.get_databases()

    assert not hasattr(caught.value, "__notes__")
    assert network.sent == []


def test_what_moto_passes_through_has_a_note(network: Network, mock_aws: Any) -> None:
    network.answer = (403, b"")
    passing = {"mock_credentials": False, "passthrough": {"services": ["s3"]}}

    with mock_aws(config={"core": passing}), mock_kms(), pytest.raises(ClientError) as caught:
        make_client("s3").list_buckets()

    assert caught.value.__notes__[0].startswith(
        "moto is active, but has not answered this request to s3. The request went to the real AWS"
    )


def test_a_successful_request_to_the_real_aws_leaves_no_note_for_a_later_error(
    network: Network,
) -> None:
    with mock_kms():
        make_client("glue").get_databases()

    assert not hasattr(ClientError({"Error": {"Code": "Other"}}, "Operation"), "__notes__")
    assert len(network.sent) == 1
