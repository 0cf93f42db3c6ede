"""The clients of a connected object, with sockets: which mock they reach, and as whom."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

import kmsmock
from kmsmock import mock_kms
from kmsmock.protocols.messages import HttpRequest
from kmsmock.server.application import Application
from kmsmock.server.settings import Settings
from kmsmock.serving.loopback import LoopbackServer

OTHER = "111122223333"


class Server:
    """A server of this process, without uvicorn. settings: as of `kmsmock serve`."""

    def __init__(self, settings: Settings) -> None:
        self.application = Application(lambda: settings)
        self.loopback = LoopbackServer(self._answer)
        self.loopback.start()
        self.url = self.loopback.url

    def _answer(self, request: HttpRequest) -> Any:
        return self.application._call(request)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    server = Server(Settings({"region": "eu-west-1"}))
    yield server
    server.loopback.stop()


@pytest.fixture
def kms(server: Server) -> Iterator[Any]:
    with kmsmock.connect(server.url) as kms:
        yield kms
        kms.reset()


def caller(source: Any) -> str:
    return source.client("sts").get_caller_identity()["Arn"]


# --- as whom ----------------------------------------------------------------------------------


def test_clients_sign_as_their_principals(kms: Any) -> None:
    role = kms.account(OTHER).role("App")

    assert caller(role) == f"arn:aws:sts::{OTHER}:assumed-role/App/session"
    assert caller(kms.account(OTHER)) == kms.account(OTHER).administrator.arn
    with role:
        assert caller(kms) == role.caller_arn
    assert caller(kms) == "arn:aws:iam::123456789012:user/Administrator"


def test_clients_have_the_region_of_the_server_by_default(kms: Any) -> None:
    role = kms.account(OTHER).role("App")

    assert kms.client().meta.region_name == "eu-west-1"
    assert role.client().meta.region_name == "eu-west-1"
    assert role.client("kms", "us-west-2").meta.region_name == "us-west-2"
    assert role.session().region_name == "eu-west-1"
    assert role.session("us-west-2").client("kms").meta.region_name == "us-west-2"


def test_there_is_one_client_for_each_service_and_region_until_a_reset(kms: Any) -> None:
    client = kms.client()

    assert kms.client() is client
    assert kms.client("sts") is not client
    kms.reset()
    assert kms.client() is not client


def test_a_session_calls_the_server(kms: Any) -> None:
    kms.account(OTHER).role("App")
    session = kms.account(OTHER).root.session()

    assert caller(session) == f"arn:aws:iam::{OTHER}:root"
    assert next(iter(session.resource("iam").roles.all())).name == "App"


def test_a_principal_that_calls_through_a_service_does_so_there(kms: Any) -> None:
    key = kms.client().create_key()["KeyMetadata"]["Arn"]
    administrator = kms.account("123456789012").administrator.via("s3.eu-west-1.amazonaws.com")

    administrator.client().describe_key(KeyId=key)

    assert kms.calls[-1].via_service == "s3.eu-west-1.amazonaws.com"
    with pytest.raises(ValueError, match="leave the Region out"):
        administrator.client("kms", "us-west-2")


@pytest.mark.parametrize("make", ["kms", "session"])
def test_other_services_are_refused(kms: Any, make: str) -> None:
    source = kms if make == "kms" else kms.account(OTHER).root.session()

    with pytest.raises(ValueError, match="does not answer 's3'; it answers cloudtrail, ec2, iam"):
        source.client("s3")
    with pytest.raises(ValueError, match="does not answer 'kmss'; did you mean 'kms'"):
        source.client("kmss")


def test_a_server_with_few_services_refuses_the_others() -> None:
    server = Server(Settings({"services": ["kms", "sts"]}))
    with kmsmock.connect(server.url) as kms, pytest.raises(ValueError, match="it answers kms, sts"):
        kms.client("iam")
    server.loopback.stop()


def test_a_client_of_another_url_is_not_changed(kms: Any) -> None:
    session = kms.account(OTHER).root.session()

    client = session.client("s3", endpoint_url="http://127.0.0.1:9")

    assert client.meta.endpoint_url == "http://127.0.0.1:9"


def test_with_strict_credentials_the_default_principal_signs_with_its_own() -> None:
    server = Server(Settings(strict_credentials=True))
    with kmsmock.connect(server.url) as kms:
        assert caller(kms) == "arn:aws:iam::123456789012:user/Administrator"
        with kms.account(OTHER).role("App") as role:
            assert caller(kms) == role.caller_arn
    server.loopback.stop()


def test_material_is_imported_and_errors_are_those_of_the_clients(kms: Any) -> None:
    client = kms.client()
    key = client.create_key(Origin="EXTERNAL")["KeyMetadata"]["KeyId"]

    kms.import_material(key, b"0" * 32)

    assert kms.keys[0].state.value == "Enabled"
    with pytest.raises(client.exceptions.NotFoundException) as caught:
        kms.import_material("alias/none", b"0" * 32)
    assert caught.value.response["Error"]["Code"] == "NotFoundException"
    with pytest.raises(TypeError, match="material"):
        kms.import_material(key, 5)


def test_material_is_imported_although_changes_are_seen_late() -> None:
    server = Server(Settings({"consistency": "eventual", "seed": 1}))
    with kmsmock.connect(server.url) as kms:
        for number in range(5):
            created = kms.client().create_key(Origin="EXTERNAL")
            kms.import_material(created, bytes([number]) * 32)

        assert {key.state.value for key in kms.keys} == {"Enabled"}
    server.loopback.stop()


def test_an_armed_fault_is_met_by_clients(kms: Any) -> None:
    fault = kms.faults.fail("DescribeKey", "NotFoundException", on_call=2)
    key = kms.client().create_key()["KeyMetadata"]["KeyId"]
    kms.client().describe_key(KeyId=key)

    with pytest.raises(AssertionError, match="NotFoundException on DescribeKey, fired 0 of 1"):
        kms.faults.assert_all_fired()
    with pytest.raises(kms.client().exceptions.NotFoundException):
        kms.client().describe_key(KeyId=key)

    kms.faults.assert_all_fired()
    assert fault.fired == 1


# --- which mock -------------------------------------------------------------------------------


def test_clients_reach_the_server_while_a_mock_is_active(kms: Any) -> None:
    with mock_kms(region="eu-west-1") as local:
        kms.client().create_key(Description="there")
        kms.account(OTHER).role("App").client("sts").get_caller_identity()
        local.client().create_key(Description="here")
        boto3.client("kms", "eu-west-1").create_key(Description="here, too")

        assert [key.description for key in kms.keys] == ["there"]
        assert [key.description for key in local.keys] == ["here", "here, too"]


def test_clients_from_before_a_mock_reach_the_server_too(kms: Any) -> None:
    client, session = kms.client(), kms.account(OTHER).role("App").session()
    with mock_kms():
        client.create_key()
        assert caller(session).startswith(f"arn:aws:sts::{OTHER}")

    assert len(kms.keys) == 1


def test_clients_reach_the_server_while_real_aws_is_blocked(kms: Any) -> None:
    with mock_kms(block_real_aws=True) as local, local.pause():
        kms.client().create_key()
        with pytest.raises(kmsmock.RealKMSBlocked):
            local_client().list_keys()

    assert len(kms.keys) == 1


def test_proxies_of_the_environment_are_not_used(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")

    with kmsmock.connect(server.url) as kms:
        role = kms.account(OTHER).role("Other")
        assert caller(kms)
        assert caller(role.session())


def test_explanations_of_refused_calls_are_in_the_records(kms: Any) -> None:
    key = kms.client().create_key()["KeyMetadata"]["Arn"]
    with pytest.raises(ClientError, match="AccessDenied"):
        kms.account(OTHER).role("App").client().describe_key(KeyId=key)

    call = kms.calls[-1]
    assert not call.allowed
    assert call.decision.missing[0].statement["Action"] == "kms:DescribeKey"
    assert call.explanation


def local_client() -> Any:
    keys = {"aws_access_key_id": "a", "aws_secret_access_key": "b"}
    return boto3.client("kms", "eu-west-1", **keys)


# --- threads ----------------------------------------------------------------------------------


def test_several_threads_use_one_connection(kms: Any) -> None:
    key = kms.client().create_key()["KeyMetadata"]["KeyId"]
    found: list[str] = []

    def read() -> None:
        found.extend(kms.keys[0].key_id for _ in range(20))

    threads = [threading.Thread(target=read) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert found == [key] * 120
