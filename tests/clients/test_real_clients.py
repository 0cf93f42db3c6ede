"""Real clients of KMS: SDKs and tools that know nothing of a mock."""

from __future__ import annotations

import asyncio
import base64
import io
import json
import time
from contextlib import redirect_stdout
from datetime import timedelta

import pytest
from botocore.exceptions import ClientError

from kmsmock import RealAWSBlocked, RealKMSBlocked, mock_kms
from tests.clients import openssl

ACCOUNT_ARN = "arn:aws:kms:us-east-1:123456789012"


# --- AWS Encryption SDK ------------------------------------------------------------------


@pytest.fixture(scope="module")
def sdk():
    return pytest.importorskip("aws_encryption_sdk", reason="aws-encryption-sdk is not installed")


@pytest.fixture(scope="module")
def sdk_key(module_kms):
    return module_kms.client().create_key()["KeyMetadata"]["Arn"]


@pytest.fixture(scope="module")
def message(sdk, sdk_key):
    """Encrypt a message before the tests."""
    provider = sdk.StrictAwsKmsMasterKeyProvider(key_ids=[sdk_key])
    return sdk.EncryptionSDKClient().encrypt(source=b"text", key_provider=provider)[0]


@pytest.mark.parametrize("time", ["first", "second"])
def test_the_encryption_sdk_decrypts_what_was_encrypted_before(sdk, sdk_key, message, kms, time):  # noqa: ARG001
    provider = sdk.StrictAwsKmsMasterKeyProvider(key_ids=[sdk_key])

    opened, _ = sdk.EncryptionSDKClient().decrypt(source=message, key_provider=provider)

    assert b"text" not in message
    assert opened == b"text"


def test_a_cache_of_data_keys_saves_requests(sdk, sdk_key, kms):
    client = sdk.EncryptionSDKClient()
    provider = sdk.StrictAwsKmsMasterKeyProvider(key_ids=[sdk_key])
    manager = sdk.CachingCryptoMaterialsManager(
        master_key_provider=provider,
        cache=sdk.LocalCryptoMaterialsCache(10),
        max_age=60.0,
        max_messages_encrypted=100,
    )

    before = len(kms.calls)
    for _ in range(10):
        client.encrypt(source=b"text", materials_manager=manager)

    kms.calls[before:].assert_called("GenerateDataKey", times=1)


# --- aiobotocore -------------------------------------------------------------------------


@pytest.mark.parametrize("wire", [False, True])
@pytest.mark.parametrize("early", [False, True])
def test_aiobotocore_clients_are_answered(wire, early):
    session_module = pytest.importorskip("aiobotocore.session", reason="aiobotocore is missing")

    async def use(client):
        key_id = (await client.create_key())["KeyMetadata"]["KeyId"]
        sealed = await client.encrypt(KeyId=key_id, Plaintext=b"text")
        opened = await client.decrypt(CiphertextBlob=sealed["CiphertextBlob"])
        with pytest.raises(client.exceptions.NotFoundException) as caught:
            await client.describe_key(KeyId="alias/x")
        return opened["Plaintext"], caught.value.__notes__

    async def run():
        made = session_module.get_session().create_client(
            "kms", "us-east-1", aws_access_key_id="a", aws_secret_access_key="b"
        )
        if early:
            async with made as client:
                with mock_kms(wire=wire):
                    return await use(client)
        async with mock_kms(wire=wire), made as client:
            return await use(client)

    plaintext, notes = asyncio.run(run())

    assert plaintext == b"text"
    assert notes == ["There is no alias in this account and Region."]


MODES = ("legacy", "standard", "adaptive")


def sleep_with_aiobotocore(use, service, **settings):
    """Run a coroutine function with a client; returns the seconds that it has really slept."""
    session_module = pytest.importorskip("aiobotocore.session", reason="aiobotocore is missing")
    config = pytest.importorskip("aiobotocore.config").AioConfig(**settings)

    async def run():
        made = session_module.get_session().create_client(
            service,
            "us-east-1",
            aws_access_key_id="a",
            aws_secret_access_key="b",
            config=config,
        )
        async with made as client:
            before = time.perf_counter()
            await use(client)
            return time.perf_counter() - before

    return asyncio.run(run())


@pytest.fixture(params=["aiohttp", "httpx"])
def http_session(request):
    """Give the settings of aiobotocore for one of its HTTP clients."""
    if request.param == "aiohttp":
        return {}
    module = pytest.importorskip("aiobotocore.httpxsession", reason="aiobotocore is too old")
    if module.httpx is None:
        pytest.skip("httpx is missing")
    return {"http_session_cls": module.HttpxSession}


@pytest.mark.filterwarnings("ignore:aiobotocore's httpx backend:DeprecationWarning")
def test_waiters_of_aiobotocore_take_no_time_but_move_the_clock(http_session):
    async def use(ec2):
        volume = (await ec2.create_volume(AvailabilityZone="us-east-1a", Size=1))["VolumeId"]
        await ec2.get_waiter("volume_available").wait(VolumeIds=[volume])

    with mock_kms(seed=1, delays="all") as kms:
        began = kms.clock.now()
        slept = sleep_with_aiobotocore(use, "ec2", **http_session)

        assert kms.clock.now() - began == timedelta(seconds=15)
    assert slept < 10


@pytest.mark.filterwarnings("ignore:aiobotocore's httpx backend:DeprecationWarning")
@pytest.mark.parametrize("mode", MODES)
def test_retries_of_aiobotocore_take_no_time_but_move_the_clock(http_session, mode):
    retries = {"mode": mode, "max_attempts": 9}

    async def use(client):
        for _ in range(5):
            await client.list_keys()

    with mock_kms(wire=True) as kms:
        kms.faults.throttle("ListKeys", times=8)
        began = kms.clock.now()
        slept = sleep_with_aiobotocore(use, "kms", retries=retries, **http_session)

        assert kms.clock.now() - began > timedelta(seconds=slept)
        assert [call.error_code for call in kms.calls].count("ThrottlingException") == 8
    assert slept < 2


FAULTS = {
    "an error": lambda faults: faults.fail("ListKeys", "KMSInternalException", times=2),
    "throttling": lambda faults: faults.throttle("ListKeys", times=2),
    "a closed connection": lambda faults: faults.drop_connection("ListKeys", times=2),
    "a timeout": lambda faults: faults.timeout("ListKeys", times=2),
}


async def list_keys(kms, arm, **retries):
    """List keys with a client of aiobotocore that has the fault to overcome."""
    session_module = pytest.importorskip("aiobotocore.session", reason="aiobotocore is missing")
    config_module = pytest.importorskip("aiobotocore.config")
    configured = {"config": config_module.AioConfig(retries=retries)} if retries else {}
    made = session_module.get_session().create_client(
        "kms", "us-east-1", aws_access_key_id="a", aws_secret_access_key="b", **configured
    )
    async with made as client:
        arm(kms.faults)
        return await client.list_keys()


@pytest.mark.parametrize("wire", [False, True])
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("fault", FAULTS)
def test_configured_retries_of_aiobotocore_overcome_faults(wire, mode, fault):
    with mock_kms(wire=wire) as kms:
        answer = asyncio.run(list_keys(kms, FAULTS[fault], mode=mode, total_max_attempts=3))

        assert answer["ResponseMetadata"]["RetryAttempts"] == 2
        kms.faults.assert_all_fired()


@pytest.mark.parametrize("wire", [False, True])
@pytest.mark.parametrize("fault", FAULTS)
def test_aiobotocore_without_configured_retries_overcomes_only_throttling(wire, fault):
    with mock_kms(wire=wire) as kms:
        if fault == "throttling":
            assert asyncio.run(list_keys(kms, FAULTS[fault]))["Keys"] == []
        else:
            with pytest.raises(Exception, match=r"ListKeys operation|endpoint URL"):
                asyncio.run(list_keys(kms, FAULTS[fault]))


def test_half_a_response_has_no_members_in_aiobotocore_either(kms):
    answer = asyncio.run(list_keys(kms, lambda faults: faults.corrupt_response("ListKeys")))

    assert "Keys" not in answer


def call_with_aiobotocore(service, operation):
    session = pytest.importorskip("aiobotocore.session", reason="aiobotocore is missing")

    async def run():
        made = session.get_session().create_client(
            service, "us-east-1", aws_access_key_id="a", aws_secret_access_key="b"
        )
        async with made as client:
            return await getattr(client, operation)()

    return asyncio.run(run())


@pytest.fixture
def refusing_network(monkeypatch):
    """Answer what aiobotocore sends as AWS answers unknown credentials; gives the URLs."""
    module = pytest.importorskip("aiobotocore.awsrequest", reason="aiobotocore is missing")
    sent = []

    class Body:
        raw_headers = ()

        async def read(self):
            return b'{"__type": "UnrecognizedClientException"}'

    async def send(_, request):
        sent.append(request.url)
        return module.AioAWSResponse(request.url, 400, {}, Body())

    monkeypatch.setattr("aiobotocore.httpsession.AIOHTTPSession.send", send)
    return sent


def test_aiobotocore_clients_are_kept_from_the_real_kms(refusing_network):
    with pytest.raises(RealKMSBlocked):
        call_with_aiobotocore("kms", "list_keys")

    assert refusing_network == []


@pytest.mark.kms(block_real_aws=True)
def test_aiobotocore_clients_are_kept_from_the_real_aws(refusing_network):
    with pytest.raises(RealAWSBlocked):
        call_with_aiobotocore("glue", "get_databases")

    assert refusing_network == []


def test_aiobotocore_clients_get_a_note_about_a_service_that_nothing_answers(refusing_network):
    with mock_kms(), pytest.raises(ClientError) as caught:
        call_with_aiobotocore("glue", "get_databases")

    assert "The request went to the real AWS" in caught.value.__notes__[0]
    assert len(refusing_network) == 1


def run_with_aiobotocore(use, **arguments):
    """Return what a coroutine function returns that gets the client of a new session."""
    session_module = pytest.importorskip("aiobotocore.session", reason="aiobotocore is missing")

    async def run():
        async with session_module.get_session().create_client("kms", **arguments) as client:
            return await use(client)

    return asyncio.run(run())


@pytest.mark.parametrize("wire", [False, True])
def test_aiobotocore_fetches_no_credentials(machine, wire):
    fetched = machine.folder / "fetched"
    machine.write_config(f"[default]\nregion = eu-west-1\ncredential_process = touch {fetched}\n")

    async def create_key(client):
        return (await client.create_key())["KeyMetadata"]["Arn"]

    with mock_kms(wire=wire):
        assert run_with_aiobotocore(create_key).startswith("arn:aws:kms:eu-west-1:")
    with mock_kms(wire=wire, region="eu-west-2"):
        assert run_with_aiobotocore(create_key).startswith("arn:aws:kms:eu-west-2:")

    assert not fetched.exists()


@pytest.mark.parametrize("wire", [False, True])
def test_aiobotocore_uses_access_keys_in_the_environment(machine, wire):
    anything = {"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}

    async def list_keys(client):
        return await client.list_keys()

    with mock_kms(wire=wire) as kms:
        role = kms.account("444455556666").role("App", policies=[anything])
        machine.set(
            AWS_ACCESS_KEY_ID=role.credentials.access_key,
            AWS_SECRET_ACCESS_KEY=role.credentials.secret_key,
        )
        run_with_aiobotocore(list_keys)

        assert kms.calls[-1].caller == role.caller_arn


@pytest.mark.parametrize("wire", [False, True])
def test_a_client_of_aiobotocore_refreshes_nothing(machine, wire):
    machine.set(AWS_EC2_METADATA_DISABLED="true")
    module = pytest.importorskip("aiobotocore.session", reason="aiobotocore is missing")
    credentials = pytest.importorskip("aiobotocore.credentials")

    async def refresh():
        raise AssertionError("refreshed")

    async def run(credentials):
        session = module.get_session()
        session._credentials = credentials
        async with session.create_client("kms", "us-east-1") as client:
            with mock_kms(wire=wire):
                return (await client.list_keys())["Keys"]

    assert asyncio.run(run(None)) == []
    deferred = credentials.AioDeferredRefreshableCredentials(refresh, "test")
    assert asyncio.run(run(deferred)) == []


# --- AWS command line ---------------------------------------------------------------------


@pytest.mark.parametrize("wire", [False, True])
def test_the_aws_command_line_is_answered_in_process(wire, tmp_path):
    clidriver = pytest.importorskip("awscli.clidriver", reason="awscli is not installed")

    def aws(*arguments):
        output = io.StringIO()
        with redirect_stdout(output):
            code = clidriver.create_clidriver().main(["kms", *arguments, "--output", "json"])
        assert code == 0
        return json.loads(output.getvalue()) if output.getvalue() else {}

    with mock_kms(wire=wire):
        key_id = aws("create-key", "--description", "orders")["KeyMetadata"]["KeyId"]
        sealed = aws("encrypt", "--key-id", key_id, "--plaintext", "text")["CiphertextBlob"]
        blob = tmp_path / "blob"
        blob.write_bytes(base64.b64decode(sealed))
        opened = aws("decrypt", "--ciphertext-blob", f"fileb://{blob}")
        described = aws("describe-key", "--key-id", key_id)

    assert described["KeyMetadata"]["Description"] == "orders"
    assert base64.b64decode(opened["Plaintext"]) == b"text"


# --- tokens and openssl ---------------------------------------------------------------------


def b64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def test_a_token_signed_by_kms_verifies_with_a_jose_library(kms_key_factory):
    jwt = pytest.importorskip("joserfc.jwt", reason="joserfc is not installed")
    from joserfc.jwk import RSAKey

    key = kms_key_factory("RSA_2048", "SIGN_VERIFY")
    parts = [{"alg": "RS256", "typ": "JWT"}, {"sub": "bob"}]
    signing_input = ".".join(b64url(json.dumps(part).encode()) for part in parts)
    signature = key.client.sign(
        KeyId=key.id,
        Message=signing_input.encode(),
        SigningAlgorithm="RSASSA_PKCS1_V1_5_SHA_256",
    )["Signature"]
    public = key.client.get_public_key(KeyId=key.id)["PublicKey"]

    token = jwt.decode(f"{signing_input}.{b64url(signature)}", RSAKey.import_key(public))

    assert token.claims == {"sub": "bob"}


@pytest.mark.parametrize(
    ("spec", "algorithm"),
    [
        ("RSA_2048", "RSASSA_PKCS1_V1_5_SHA_256"),
        ("RSA_2048", "RSASSA_PSS_SHA_256"),
        ("ECC_NIST_P256", "ECDSA_SHA_256"),
        ("ECC_SECG_P256K1", "ECDSA_SHA_256"),
    ],
)
def test_openssl_verifies_a_signature(kms_key_factory, tmp_path, spec, algorithm):
    key = kms_key_factory(spec, "SIGN_VERIFY")
    signed = key.client.sign(KeyId=key.id, Message=b"text", SigningAlgorithm=algorithm)
    public_key = key.client.get_public_key(KeyId=key.id)["PublicKey"]

    assert openssl.verify(tmp_path, algorithm, public_key, signed["Signature"], b"text")
