"""Which clients are answered: all of them, whenever and however they were made."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import textwrap
from concurrent.futures import ThreadPoolExecutor

import boto3
import botocore.session
import pytest
from botocore.config import Config
from botocore.credentials import RefreshableCredentials
from botocore.exceptions import ClientError
from botocore.handlers import BUILTIN_HANDLERS

import kmsmock
from kmsmock import mock_kms

pytestmark = pytest.mark.usefixtures("machine")

KEYS = {"aws_access_key_id": "a", "aws_secret_access_key": "b", "region_name": "us-east-1"}


def boto3_client():
    return boto3.client("kms", **KEYS)


def boto3_session_client():
    return boto3.Session(**KEYS).client("kms")


def botocore_client():
    return botocore.session.get_session().create_client("kms", **KEYS)


def without_builtin_handlers():
    session = botocore.session.Session(include_builtin_handlers=False)
    return session.create_client("kms", **KEYS)


def encryption_sdk_client():
    sdk = pytest.importorskip("aws_encryption_sdk", reason="aws-encryption-sdk is not installed")
    key_id = "arn:aws:kms:us-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
    provider = sdk.StrictAwsKmsMasterKeyProvider(key_ids=[key_id])
    return provider._client(key_id)


MAKERS = [boto3_client, boto3_session_client, botocore_client, encryption_sdk_client]
EARLY = {make.__name__: make() for make in (boto3_client, boto3_session_client, botocore_client)}


@pytest.mark.parametrize("make", MAKERS)
def test_a_client_made_inside_the_mock_is_answered(make):
    with mock_kms():
        assert make().list_keys()["Keys"] == []


@pytest.mark.parametrize("make", MAKERS)
def test_a_client_made_before_the_mock_is_answered(make):
    client = make()

    with mock_kms():
        assert client.list_keys()["Keys"] == []


@pytest.mark.parametrize("name", EARLY)
def test_a_client_made_when_this_module_was_imported_is_answered(name):
    with mock_kms():
        assert EARLY[name].list_keys()["Keys"] == []


def test_a_client_made_in_an_earlier_mock_sees_the_present_one():
    with mock_kms():
        client = boto3_client()
        client.create_key()

    with mock_kms():
        assert client.list_keys()["Keys"] == []


def test_a_client_of_another_thread_is_answered():
    with ThreadPoolExecutor(1) as pool:
        client = pool.submit(boto3_client).result()
        with mock_kms():
            assert pool.submit(client.list_keys).result()["Keys"] == []


def test_the_handlers_are_among_those_of_every_later_session():
    ours = {
        spec[0]
        for spec in BUILTIN_HANDLERS
        if spec[1].__module__.startswith("kmsmock.interception")
    }

    assert {"before-call.kms", "before-send.kms", "before-call.sts.*"} <= ours


def in_a_process(code: str, **environment: str) -> str:
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "COVERAGE_"))}
    result = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)],
        capture_output=True,
        text=True,
        check=False,
        env={**clean, **environment},
    )
    assert result.returncode == 0, result.stderr
    return result.stdout.strip()


def test_clients_and_sessions_older_than_this_package_are_answered():
    output = in_a_process(
        """
        import boto3, botocore.session
        keys = dict(aws_access_key_id="a", aws_secret_access_key="b", region_name="us-east-1")
        client, session = boto3.client("kms", **keys), boto3.Session(**keys)
        bare = botocore.session.Session(include_builtin_handlers=False).create_client("kms", **keys)
        from kmsmock import mock_kms
        for wire in (False, True):
            with mock_kms(wire=wire):
                for each in (client, session.client("kms"), bare):
                    print(each.list_keys()["Keys"], end="")
        """
    )

    assert output == "[]" * 6


def test_a_request_is_answered_once_where_boto3_was_imported_first():
    output = in_a_process(
        """
        import boto3
        keys = dict(aws_access_key_id="a", aws_secret_access_key="b", region_name="us-east-1")
        older = boto3.client("kms", **keys)
        from kmsmock import mock_kms
        for client in (older, boto3.client("kms", **keys)):
            with mock_kms(wire=True) as kms:
                client.create_key()
                kms.faults.throttle("ListKeys", on_call=2, optional=True)
                print(client.list_keys()["ResponseMetadata"]["RetryAttempts"], len(kms.keys))
        """
    )

    assert output.splitlines() == ["0 1", "0 1"]


def test_a_client_from_before_the_first_import_meets_faults_as_others_do():
    output = in_a_process(
        """
        import boto3
        keys = dict(aws_access_key_id="a", aws_secret_access_key="b", region_name="us-east-1")
        older = boto3.client("kms", **keys)
        from kmsmock import mock_kms
        newer = boto3.client("kms", **keys), boto3.Session().client("kms", **keys)
        for client in (older, *newer):
            with mock_kms() as kms:
                kms.faults.fail("ListKeys", "KMSInternalException")
                try:
                    client.list_keys()
                except client.exceptions.KMSInternalException as error:
                    print(error.response["Error"]["Code"], len(kms.calls))
        """
    )

    assert output.splitlines() == ["KMSInternalException 1"] * 3


def test_moto_answers_clients_of_a_mock_although_it_was_imported_later():
    pytest.importorskip("moto")
    output = in_a_process(
        """
        from kmsmock import mock_kms
        with mock_kms() as kms:
            kms.client().list_keys()
        from moto import mock_aws
        with mock_aws(), mock_kms() as kms:
            print(kms.client("s3").list_buckets()["Buckets"])
        """
    )

    assert output == "[]"


def test_importing_the_package_and_its_plugin_imports_nothing_heavy():
    output = in_a_process(
        """
        import sys, pytest
        import kmsmock, kmsmock.plugin
        heavy = ("boto3", "botocore", "cryptography", "wrapt")
        heavy += ("kmsmock.mock", "kmsmock.state.backend", "kmsmock.ledger")
        print([name for name in heavy if name in sys.modules])
        """
    )

    assert output == "[]"


def test_importing_the_package_after_boto3_imports_neither_wrapt_nor_asyncio():
    output = in_a_process(
        """
        import sys, boto3
        before = set(sys.modules)
        import kmsmock
        from kmsmock import mock_kms
        with mock_kms(services=["kms"]):
            boto3.client("kms").list_keys()
        print([name for name in ("wrapt", "asyncio") if name in set(sys.modules) - before])
        """
    )

    assert output == "[]"


def test_a_client_older_than_the_package_gets_its_handlers_once():
    output = in_a_process(
        """
        import boto3
        keys = dict(aws_access_key_id="a", aws_secret_access_key="b", region_name="us-east-1")
        client = boto3.client("kms", **keys)
        plain = boto3.client("s3", **keys).meta
        of_another_service = boto3.client("sts", **keys)
        from kmsmock import mock_kms
        emitters = {client.meta.events, client.meta.events}
        print(len(emitters), isinstance(client.meta, type(plain).__mro__[-2]))
        with mock_kms() as kms:
            client.list_keys()
            print(len(kms.calls))
            print(of_another_service.get_caller_identity()["Account"])
        """
    )

    assert output.splitlines() == ["1 True", "1", "123456789012"]


def test_importing_the_package_imports_no_decimals():
    # Which pytest does itself.
    output = in_a_process("import sys, kmsmock; print('decimal' in sys.modules)")

    assert output == "False"


def test_an_idle_run_of_pytest_imports_nothing_heavy(tmp_path):
    (tmp_path / "test_idle.py").write_text(
        "import sys\n"
        "def test_idle():\n"
        "    heavy = ('boto3', 'botocore', 'cryptography', 'wrapt', 'kmsmock.ledger')\n"
        "    assert [name for name in heavy if name in sys.modules] == []\n"
    )
    code = "import pytest, sys; sys.exit(pytest.main(['-q', '-p', 'no:cacheprovider', '.']))"

    result = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False
    )

    assert result.returncode == 0, result.stdout


def test_the_mock_works_without_importing_pytest():
    output = in_a_process(
        """
        import sys
        from kmsmock import mock_kms
        import boto3
        with mock_kms():
            boto3.client("kms").create_key()
        print("pytest" in sys.modules)
        """
    )

    assert output == "False"


# --- responses ---------------------------------------------------------------------------


@pytest.mark.parametrize("wire", [False, True])
def test_the_metadata_of_a_response_is_complete(wire):
    with mock_kms(wire=wire):
        metadata = boto3_client().list_keys()["ResponseMetadata"]

    assert len(metadata["RequestId"]) == 36
    assert metadata["HTTPStatusCode"] == 200
    assert metadata["RetryAttempts"] == 0
    headers = metadata["HTTPHeaders"]
    assert headers["x-amzn-requestid"] == metadata["RequestId"]
    assert headers["content-type"] == "application/x-amz-json-1.1"


def shape_of(value):
    """Give a value with what differs from call to call left out."""
    if isinstance(value, dict):
        return {name: shape_of(item) for name, item in value.items()}
    if isinstance(value, list):
        return [shape_of(item) for item in value]
    return type(value).__name__ if not isinstance(value, (bool, int)) else value


def test_both_doors_answer_alike():
    def answers(wire):
        with mock_kms(isolated=True, wire=wire, account_id="111122223333"):
            client = boto3_client()
            key = client.create_key()
            key_id = key["KeyMetadata"]["KeyId"]
            yield shape_of(key)
            yield shape_of(client.describe_key(KeyId=key_id))
            yield shape_of(client.encrypt(KeyId=key_id, Plaintext=b"text"))
            yield shape_of(client.enable_key_rotation(KeyId=key_id))
            yield shape_of(client.get_key_rotation_status(KeyId=key_id))
            for call in (
                lambda: client.describe_key(KeyId="alias/x"),
                lambda: client.decrypt(CiphertextBlob=b"x"),
                lambda: client.create_key(KeySpec="x"),
            ):
                with pytest.raises(ClientError) as caught:
                    call()
                yield caught.value.response["Error"]
                yield shape_of(caught.value.response)
                yield type(caught.value).__name__

    assert list(answers(wire=False)) == list(answers(wire=True))


# --- errors ------------------------------------------------------------------------------


@pytest.mark.parametrize("wire", [False, True])
def test_an_explanation_stands_beside_the_error_and_not_in_it(wire):
    with mock_kms(wire=wire), pytest.raises(ClientError) as caught:
        boto3_client().describe_key(KeyId="alias/x")

    assert caught.value.__notes__ == ["There is no alias in this account and Region."]
    assert "kmsmock" not in str(caught.value)


def test_an_explanation_never_sticks_to_another_error():
    with mock_kms():
        with pytest.raises(ClientError):
            boto3_client().describe_key(KeyId="alias/x")

        foreign = ClientError({"Error": {"Code": "Other"}}, "Operation")

    assert not hasattr(foreign, "__notes__")


def test_the_record_of_a_refused_call_has_the_explanation_too():
    with mock_kms() as kms:
        with pytest.raises(ClientError):
            boto3_client().describe_key(KeyId="alias/x")

        assert kms.calls[-1].error_code == "NotFoundException"
        assert kms.calls[-1].explanation == ("There is no alias in this account and Region.")


def test_errors_can_be_pickled_as_far_as_botocore_lets_them():
    with mock_kms(), pytest.raises(ClientError) as caught:
        boto3_client().list_keys(Limit=1001)
    blocked = kmsmock.RealKMSBlocked("kms.us-east-1.amazonaws.com")

    copies = [pickle.loads(pickle.dumps(error)) for error in (caught.value, blocked)]

    assert copies[0].response == caught.value.response
    assert (str(copies[1]), copies[1].host) == (str(blocked), blocked.host)


# --- credentials ---------------------------------------------------------------------------


def test_refreshable_credentials_are_not_refreshed():
    def refresh():
        raise AssertionError("refreshed")

    session = botocore.session.get_session()
    from datetime import datetime, timezone

    session._credentials = RefreshableCredentials(
        "a", "b", "c", datetime(2000, 1, 1, tzinfo=timezone.utc), refresh, "test"
    )
    client = session.create_client("kms", "us-east-1")

    with mock_kms():
        assert client.list_keys()["Keys"] == []


ANYTHING = {
    "Version": "2012-10-17",
    "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"},
}


def test_the_access_key_tells_the_caller():
    with mock_kms() as kms:
        role = kms.account("444455556666").role("App", path="/team/", policies=[ANYTHING])
        credentials = role.credentials

        client = boto3.client(
            "kms",
            "us-east-1",
            aws_access_key_id=credentials.access_key,
            aws_secret_access_key=credentials.secret_key,
            aws_session_token=credentials.session_token,
        )
        client.list_keys()

        assert role.arn == "arn:aws:iam::444455556666:role/team/App"
        assert kms.calls[-1].caller == "arn:aws:sts::444455556666:assumed-role/App/session"
        assert kms.calls[-1].account == "444455556666"


@pytest.mark.parametrize(
    ("arn", "caller"),
    [
        ("arn:aws:iam::444455556666:root", "arn:aws:iam::444455556666:root"),
        ("arn:aws:iam::444455556666:user/team/bob", "arn:aws:iam::444455556666:user/team/bob"),
        (
            "arn:aws:iam::444455556666:role/App",
            "arn:aws:sts::444455556666:assumed-role/App/session",
        ),
        (
            "arn:aws:sts::444455556666:assumed-role/App/job",
            "arn:aws:sts::444455556666:assumed-role/App/job",
        ),
    ],
)
def test_a_principal_is_found_by_its_arn(arn, caller):
    with mock_kms(authorization="off") as kms:
        kms.principal(arn).client().list_keys()
        kms.principal(arn).session("eu-west-1").client("kms").list_keys()

        assert {call.caller for call in kms.calls} == {caller}
        assert [call.region for call in kms.calls] == ["us-east-1", "eu-west-1"]


@pytest.mark.parametrize(
    "arn", ["text", "arn:aws:s3:::bucket", "arn:aws:iam::444455556666:group/x"]
)
def test_what_is_no_principal_is_refused(arn):
    with mock_kms() as kms, pytest.raises(ValueError, match="is not the ARN of"):
        kms.principal(arn)


def test_an_account_id_has_twelve_digits():
    with mock_kms() as kms, pytest.raises(ValueError, match="12 digits"):
        kms.account("1")


def test_inside_its_block_a_principal_is_the_default_one():
    with mock_kms() as kms:
        client = boto3_client()
        with kms.account("444455556666").user("bob", policies=[ANYTHING]):
            client.list_keys()
        client.list_keys()

    assert [call.caller for call in kms.calls] == [
        "arn:aws:iam::444455556666:user/bob",
        "arn:aws:iam::123456789012:user/Administrator",
    ]


# --- hostile requests -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "ValidationException"),
        (b"  {} ", "ValidationException"),
        (b"no json", "SerializationException"),
        (b"\xff\xfe", "SerializationException"),
        (b"[]", "SerializationException"),
        (b'{"KeyId": 1}', "SerializationException"),
        (b'{"KeyId": "x", "Plaintext": "no base64!"}', "SerializationException"),
        (b'{"KeyId": "x", "Plaintext": "eA=="', "SerializationException"),
        (b'{"KeyId": "x", "Plaintext": "eA==", "Unknown": 1}', "SerializationException"),
        (b"[" * 100_000, "SerializationException"),
    ],
)
@pytest.mark.parametrize("wire", [False, True])
def test_a_raw_body_ends_in_an_error_of_aws(wire, body, code):
    client = boto3_client()
    client.meta.events.register_last(
        "before-sign.kms.Encrypt", lambda request, **_: setattr(request, "data", body)
    )
    client.meta.events.register_first(
        "before-call.kms.Encrypt", lambda params, **_: params.update(body=body)
    )

    with mock_kms(wire=wire), pytest.raises(ClientError) as caught:
        client.encrypt(KeyId="x", Plaintext=b"x")

    assert caught.value.response["Error"]["Code"] == code


def test_an_unknown_operation_ends_in_an_error_of_aws():
    client = boto3.client("kms", config=Config(retries={"max_attempts": 0}), **KEYS)

    def retarget(request, **_):
        request.headers.replace_header("X-Amz-Target", "TrentService.Dance")

    client.meta.events.register("before-sign.kms.ListKeys", retarget)

    with mock_kms(wire=True), pytest.raises(ClientError) as caught:
        client.list_keys()

    assert caught.value.response["Error"]["Code"] == "UnknownOperationException"
