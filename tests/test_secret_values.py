"""No repr, error, traceback or failed assertion shows a secret; exported files are private."""

from __future__ import annotations

import json
import os
import stat
import textwrap
from base64 import b64encode
from collections.abc import Callable
from types import TracebackType
from typing import Any

import pytest
from botocore.exceptions import ParamValidationError
from cryptography.hazmat.primitives import serialization

import kmsmock
from kmsmock import KMSMock, mock_kms
from kmsmock.ledger.call_log import CallLog
from kmsmock.worlds.errors import WorldError
from tests.reachable import find_shown, iterate_reachable, list_forms

MATERIAL = bytes(range(100, 132))
BASE64 = b64encode(MATERIAL).decode()
PASSWORD = "correct-horse-battery"
ACCOUNT = "123456789012"
ANYBODY = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}
ALLOW = {"Statement": {"Effect": "Allow", "Action": "kms:*", "Resource": "*"}}
#: (key spec, key usage) -> how a call uses such a key, so that its key pair is generated.
USES: dict[tuple[str, str], str] = {
    ("RSA_2048", "ENCRYPT_DECRYPT"): "us-east-1",
    ("RSA_3072", "SIGN_VERIFY"): "us-east-1",
    ("ECC_NIST_P256", "SIGN_VERIFY"): "us-east-1",
    ("ECC_NIST_P521", "KEY_AGREEMENT"): "us-east-1",
    ("ECC_NIST_EDWARDS25519", "SIGN_VERIFY"): "us-east-1",
    ("ML_DSA_44", "SIGN_VERIFY"): "us-east-1",
    ("ML_KEM_512", "ENCAPSULATE_DECAPSULATE"): "us-east-1",
    ("ML_KEM_768", "ENCAPSULATE_DECAPSULATE"): "us-east-1",
    ("SM2", "ENCRYPT_DECRYPT"): "cn-north-1",
}


#: What is raised for algorithms that are not installed, and by an older botocore.
LACKS = (pytest.skip.Exception, AttributeError, ParamValidationError)


def create(client: Any, **parameters: Any) -> str:
    key_id: str = client.create_key(**parameters)["KeyMetadata"]["KeyId"]
    return key_id


def numbers_of(private_key: Any) -> list[Any]:
    """Return the secret numbers of a private key of `cryptography`, as far as it has them."""
    numbers = getattr(private_key, "private_numbers", lambda: None)()
    names = ("p", "q", "d", "dmp1", "dmq1", "iqmp", "private_value")
    return [getattr(numbers, name) for name in names if hasattr(numbers, name)]


# --- what a mock has ----------------------------------------------------------------------------


def make_symmetric(kms: KMSMock) -> list[Any]:
    create(kms.client())
    return [kms.keys[-1].material.secret]


def make_hmac(kms: KMSMock) -> list[Any]:
    create(kms.client(), KeySpec="HMAC_512", KeyUsage="GENERATE_VERIFY_MAC")
    return [kms.keys[-1].material.secret]


def make_pair(spec: str, usage: str, region: str) -> Callable[[KMSMock], list[Any]]:
    def make(kms: KMSMock) -> list[Any]:
        client = kms.client(region=region)
        key_id = create(client, KeySpec=spec, KeyUsage=usage)
        try:
            client.get_public_key(KeyId=key_id)
        except client.exceptions.UnsupportedOperationException as reason:
            pytest.skip(str(reason))
        der = kms.keys[-1].key_pair.private_der()
        secrets: list[Any] = [der]
        if spec.startswith("ML_") or spec == "ECC_NIST_EDWARDS25519":
            secrets.append(der[-32:])  # of the seed
        if spec != "SM2" and not spec.startswith("ML_"):
            secrets += numbers_of(serialization.load_der_private_key(der, None))
        if spec == "SM2":
            secrets.append(kms.keys[-1].key_pair._scalar)
        return secrets

    return make


def make_imported(kms: KMSMock) -> list[Any]:
    material = os.urandom(32)
    kms.import_material(create(kms.client(), Origin="EXTERNAL"), material)
    return [material]


def make_wrapping_key(kms: KMSMock) -> list[Any]:
    client = kms.client()
    client.get_parameters_for_import(
        KeyId=create(client, Origin="EXTERNAL"),
        WrappingAlgorithm="RSAES_OAEP_SHA_256",
        WrappingKeySpec="RSA_2048",
    )
    (issued,) = list(kms.backend.region(ACCOUNT, "us-east-1").import_tokens.values())[-1:]
    return [issued.wrapping_key.private_der(), issued.wrapping_key.numbers().d]


def make_plaintext(kms: KMSMock) -> list[Any]:
    client = kms.client()
    blob = client.encrypt(KeyId=create(client), Plaintext=b"a plaintext of ours")["CiphertextBlob"]
    client.decrypt(CiphertextBlob=blob)
    return [b"a plaintext of ours"]


def make_data_keys(kms: KMSMock) -> list[Any]:
    client = kms.client()
    key_id = create(client)
    return [
        client.generate_data_key(KeyId=key_id, KeySpec="AES_256")["Plaintext"],
        client.generate_data_key_pair(KeyId=key_id, KeyPairSpec="RSA_2048")["PrivateKeyPlaintext"],
        client.generate_random(NumberOfBytes=32)["Plaintext"],
    ]


def make_shared_secret(kms: KMSMock) -> list[Any]:
    client = kms.client()
    key_id = create(client, KeySpec="ECC_NIST_P256", KeyUsage="KEY_AGREEMENT")
    peer = client.get_public_key(KeyId=key_id)["PublicKey"]
    answer = client.derive_shared_secret(KeyId=key_id, KeyAgreementAlgorithm="ECDH", PublicKey=peer)
    return [answer["SharedSecret"]]


def make_added(kms: KMSMock) -> list[Any]:
    kms.secrets.add("a long passphrase", "passphrase")
    return ["a long passphrase"]


def make_access_key(kms: KMSMock) -> list[Any]:
    iam = kms.client("iam")
    iam.create_user(UserName="Ann")
    return [iam.create_access_key(UserName="Ann")["AccessKey"]["SecretAccessKey"]]


def make_session(kms: KMSMock) -> list[Any]:
    kms.account(ACCOUNT).role("Trusting", trust={"Statement": ANYBODY})
    issued = kms.client("sts").assume_role(
        RoleArn=f"arn:aws:iam::{ACCOUNT}:role/Trusting", RoleSessionName="session"
    )["Credentials"]
    return [issued["SecretAccessKey"], issued["SessionToken"]]


def make_client(kms: KMSMock) -> list[Any]:
    role = kms.account(ACCOUNT).role("App", policies=[ALLOW])
    role.client().generate_random(NumberOfBytes=8)  # the client of botocore has them, too
    return [str(role.credentials.secret_key), str(role.credentials.session_token)]


def make_boto3_session(kms: KMSMock) -> list[Any]:
    user = kms.account(ACCOUNT).user("Bob", policies=[ALLOW])
    user.session("us-east-1").client("kms").generate_random(NumberOfBytes=8)
    return [str(user.credentials.secret_key)]


def make_key_stores(kms: KMSMock) -> list[Any]:
    client = kms.client()
    client.create_custom_key_store(
        CustomKeyStoreName="cluster",
        CloudHsmClusterId="cluster-abcdefghijk",
        TrustAnchorCertificate="certificate",
        KeyStorePassword=PASSWORD,
    )
    client.create_custom_key_store(
        CustomKeyStoreName="proxy",
        CustomKeyStoreType="EXTERNAL_KEY_STORE",
        XksProxyUriEndpoint="https://xks.example.com",
        XksProxyUriPath="/kms/xks/v1",
        XksProxyConnectivity="PUBLIC_ENDPOINT",
        XksProxyAuthenticationCredential={
            "AccessKeyId": "A" * 20,
            "RawSecretAccessKey": BASE64,
        },
    )
    return [PASSWORD, BASE64]


def make_world(kms: KMSMock) -> list[Any]:
    material = os.urandom(32)
    text = b64encode(material).decode()
    kms.load({"keys": [{"alias": "alias/loaded", "material": text}]})
    return [material]


def make_volume_key(kms: KMSMock) -> list[Any]:
    ec2 = kms.client("ec2")
    volume = ec2.create_volume(AvailabilityZone="us-east-1a", Size=1, Encrypted=True)["VolumeId"]
    ec2.attach_volume(VolumeId=volume, InstanceId="i-0123456789abcdef0", Device="/dev/sdf")
    kms.ebs.write(volume, 0, b"contents")
    keys = [
        found.plaintext
        for found, path in iterate_reachable(kms.backend)
        if path.endswith("AttachedKey")
    ]
    assert len(keys) == 1
    return [bytes(key) for key in keys]


def make_database(kms: KMSMock) -> list[Any]:
    kms.client("rds").create_db_instance(
        DBInstanceIdentifier="orders",
        DBInstanceClass="db.t3.micro",
        Engine="postgres",
        MasterUsername="admin1",
        MasterUserPassword=PASSWORD,
        AllocatedStorage=20,
        StorageEncrypted=True,
    )
    (database,) = kms.client("rds").describe_db_instances()["DBInstances"]
    kms.rds.write(database["DBInstanceArn"], 0, b"contents")
    return [PASSWORD]


def make_attestation(kms: KMSMock) -> list[Any]:
    return numbers_of(kms.attestation._key)


MADE: dict[str, Callable[[KMSMock], list[Any]]] = {
    "key material": make_symmetric,
    "key material of an HMAC key": make_hmac,
    **{f"{spec} {usage}": make_pair(spec, usage, USES[spec, usage]) for spec, usage in USES},
    "imported material": make_imported,
    "the wrapping key of an import": make_wrapping_key,
    "a plaintext": make_plaintext,
    "data keys and random bytes": make_data_keys,
    "a shared secret": make_shared_secret,
    "a plaintext to search for": make_added,
    "a secret access key of IAM": make_access_key,
    "credentials of STS": make_session,
    "credentials of a client": make_client,
    "credentials of a boto3 session": make_boto3_session,
    "a password and a credential of key stores": make_key_stores,
    "key material of a world": make_world,
    "the data key of an attached volume": make_volume_key,
    "the password of a database": make_database,
    "the key of attestation documents": make_attestation,
}


@pytest.fixture(scope="module")
def rich_mock() -> tuple[KMSMock, dict[str, list[Any]], dict[str, set[str]]]:
    """Give a mock that has everything, its secrets by kind, and what shows them."""
    initial = {"keys": [{"alias": "alias/first", "material": BASE64}]}
    with mock_kms(world=initial) as kms:
        secrets: dict[str, list[Any]] = {"the option world": [MATERIAL]}
        for kind, make in MADE.items():
            try:
                secrets[kind] = make(kms)
            except LACKS:  # noqa: PERF203 - few
                secrets[kind] = []
        kms.secrets.assert_absent_from("text")  # makes the index of the search
        checkpoint = kms.checkpoint()
        return kms, secrets, find_shown([kms, checkpoint], secrets)


@pytest.mark.parametrize("kind", ["the option world", *MADE])
def test_no_object_of_a_mock_shows(kind: str, rich_mock: Any) -> None:
    _, secrets, shown = rich_mock
    if not secrets[kind]:
        pytest.skip("the installed packages do not have it")
    assert shown.get(kind, set()) == set()


@pytest.mark.parametrize("form", ["bytes", "hex", "base64", "number", "closure", "attribute"])
def test_the_search_for_shown_secrets_finds(form: str) -> None:
    class Holder:
        held: Any

    holder = Holder()
    text = MATERIAL.hex()
    holder.held = {
        "bytes": [MATERIAL],
        "hex": {"a": text},
        "base64": (BASE64,),
        "number": {int.from_bytes(MATERIAL, "big")},
        "closure": lambda: text,
        "attribute": Holder(),
    }[form]
    if form == "attribute":
        holder.held.held = MATERIAL
    assert find_shown([holder], {"it": [MATERIAL]}).keys() == {"it"}


def test_secrets_have_their_values(rich_mock: Any) -> None:
    kms, secrets, _ = rich_mock
    assert kms.keys[0].material.secret == MATERIAL
    assert {secret.reveal() for secret in kms.secrets} >= set(secrets["a plaintext"])


@pytest.mark.parametrize("operation", ["Decrypt", "GenerateDataKey", "GenerateRandom"])
@pytest.mark.parametrize("wire", [False, True], ids=["before-call", "wire"])
def test_clients_get_plain_bytes(operation: str, wire: bool) -> None:
    with mock_kms(wire=wire) as kms:
        client = kms.client()
        key_id = create(client)
        blob = client.encrypt(KeyId=key_id, Plaintext=b"plain")["CiphertextBlob"]
        answers = {
            "Decrypt": lambda: client.decrypt(CiphertextBlob=blob),
            "GenerateDataKey": lambda: client.generate_data_key(KeyId=key_id, KeySpec="AES_128"),
            "GenerateRandom": lambda: client.generate_random(NumberOfBytes=8),
        }
        # with wire=True botocore decodes them itself
        assert type(answers[operation]()["Plaintext"]) is bytes


def test_clients_get_plain_texts() -> None:
    with mock_kms() as kms:
        iam = kms.client("iam")
        iam.create_user(UserName="Ann")
        assert type(iam.create_access_key(UserName="Ann")["AccessKey"]["SecretAccessKey"]) is str
        make_key_stores(kms)
        stores = kms.client().describe_custom_key_stores()["CustomKeyStores"]
        assert type(stores[1]["XksProxyConfiguration"]["AccessKeyId"]) is str


# --- errors, and their tracebacks -----------------------------------------------------------------


def list_our_locals(traceback: TracebackType | None) -> str:
    """Return what ``pytest --showlocals`` would show of the frames of this package."""
    shown = []
    while traceback is not None:
        frame = traceback.tb_frame
        if frame.f_globals.get("__name__", "").startswith("kmsmock."):
            # pytest shows these of botocore's own frames, too.
            shown += [f"{n} = {v!r}" for n, v in frame.f_locals.items() if n != "params"]
        traceback = traceback.tb_next
    return "\n".join(shown)


def require_hidden(error: BaseException, secret: bytes | str) -> None:
    notes = "\n".join(getattr(error, "__notes__", []))
    shown = f"{error}\n{error!r}\n{notes}\n{list_our_locals(error.__traceback__)}"
    assert [form for form in list_forms(secret) if form in shown] == []


#: Documents with a secret where one belongs, in a wrong shape, or beside another error.
WRONG_WORLDS: dict[str, Any] = {
    "material is a list": {"keys": [{"material": [BASE64]}]},
    "material is a number": {"keys": [{"material": int.from_bytes(MATERIAL[:7], "big")}]},
    "material is too short": {"keys": [{"material": b64encode(MATERIAL[:20]).decode()}]},
    "material is hexadecimal": {"keys": [{"material": MATERIAL.hex()}]},
    "material is a broken PEM": {"keys": [{"material": f"-----BEGIN KEY-----\n{BASE64}"}]},
    "materials is a text": {"keys": [{"materials": BASE64}]},
    "materials are texts": {"keys": [{"materials": [BASE64]}]},
    "materials are bytes": {"keys": [{"materials": [MATERIAL]}]},
    "secret is a list": {"keys": [{"materials": [{"secret": [BASE64]}]}]},
    "secret is an object": {"keys": [{"materials": [{"secret": {"value": BASE64}}]}]},
    "a tag is a list": {"keys": [{"material": BASE64, "tags": {"a": [1]}}]},
    "an unknown member beside it": {"keys": [{"material": BASE64, "colour": 1}]},
    "an unknown list beside it": {"keys": [{"material": BASE64}], "colours": []},
    "access_keys is a text": {"users": [{"name": "Ann", "access_keys": BASE64}]},
    "an access key is a text": {"users": [{"name": "Ann", "access_keys": [BASE64]}]},
    "a secret access key is a list": {
        "users": [{"name": "Ann", "access_keys": [{"id": "A" * 20, "secret": [BASE64]}]}]
    },
    "a credential is a text": {
        "custom_key_stores": [
            {
                "name": "a",
                "type": "EXTERNAL_KEY_STORE",
                "settings": {"XksProxyAuthenticationCredential": BASE64},
            }
        ]
    },
    "BackingKeys of local-kms is a text": {
        "Keys": {"Symmetric": {"Aes": [{"Metadata": {"KeyId": "a"}, "BackingKeys": BASE64}]}}
    },
    "BackingKeys of local-kms are not hexadecimal": {
        "Keys": {"Symmetric": {"Aes": [{"Metadata": {"KeyId": "a"}, "BackingKeys": [BASE64]}]}}
    },
    "PrivateKeyPem of local-kms is a list": {
        "Keys": {"Asymmetric": {"Rsa": [{"Metadata": {"KeyId": "a"}, "PrivateKeyPem": [BASE64]}]}}
    },
}
#: Documents with key material in the place of something else.
MISPLACED: dict[str, Any] = {
    "a key": {"keys": [BASE64]},
    "a key in hexadecimal": {"keys": [MATERIAL.hex()]},
    "keys": {"keys": BASE64},
    "an alias": {"keys": [{"alias": BASE64}]},
    "an id": {"keys": [{"id": BASE64}]},
    "a spec": {"keys": [{"spec": BASE64}]},
    "a member": {"keys": [{BASE64: "alias/app"}]},
    "a member that is a PEM": {"keys": [{f"-----BEGIN KEY-----\n{BASE64}": 1}]},
    "the key of a grant": {"keys": [{}], "grants": [{"key": BASE64}]},
    "a group": {"users": [{"name": "Ann", "groups": [BASE64]}]},
    "a policy": {"users": [{"name": "Ann", "attached": [BASE64]}]},
    "a key of local-kms": {"Keys": {"Symmetric": {"Aes": [BASE64]}}},
}


def load(kms: KMSMock, document: Any, way: str, folder: Any) -> None:
    """Load a world in one of three ways."""
    path = folder / "world.json"
    if way == "load":
        kms.load(document)
    elif way == "mock_kms":
        mock_kms(world=document).start()
    else:
        path.write_text(json.dumps(document, default=lambda value: value.hex()))
        mock_kms(world=path).start()


@pytest.mark.parametrize("wrong", WRONG_WORLDS)
@pytest.mark.parametrize("way", ["load", "mock_kms", "file"])
def test_an_error_in_a_world_shows_no_secret(wrong: str, way: str, tmp_path: Any) -> None:
    with mock_kms() as kms, pytest.raises(WorldError) as caught:
        load(kms, WRONG_WORLDS[wrong], way, tmp_path)
    for secret in (MATERIAL, MATERIAL[:20], MATERIAL[:7]):
        require_hidden(caught.value, secret)


@pytest.mark.parametrize("place", MISPLACED)
def test_an_error_about_key_material_in_a_wrong_place_does_not_repeat_it(place: str) -> None:
    with pytest.raises(WorldError) as caught:
        mock_kms(world=MISPLACED[place]).start()
    assert [form for form in list_forms(MATERIAL) if form in str(caught.value)] == []


@pytest.mark.parametrize(
    "text",
    [
        f"keys: [{{material: {BASE64}, alias: [}}]",
        f'keys: [{{material: "{BASE64}]',
        f"keys:\n  - material: {BASE64}\n - alias: 1",
    ],
    ids=["a bracket", "a quote", "an indentation"],
)
def test_an_error_in_yaml_shows_no_secret(text: str, tmp_path: Any) -> None:
    pytest.importorskip("yaml")
    path = tmp_path / "world.yaml"
    path.write_text(text)
    with pytest.raises(WorldError, match=r"this is not YAML: .+line \d") as caught:
        mock_kms(world=path).start()
    require_hidden(caught.value, MATERIAL)


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ({"keys": [{"alias": 5}]}, "the number 5"),
        ({"keys": [{"id": "abc"}]}, "the text 'abc'"),
        ({"keys": [{"spec": "RSA_248"}]}, "RSA_2048"),
        ({"keys": [{"colour": 1}]}, "'colour' is no member"),
        ({"grants": [{"key": "alias/orders1234567890abcdef"}]}, "alias/orders1234567890abcdef"),
    ],
    ids=["a number", "a name", "a spec", "a member", "a long alias"],
)
def test_an_error_in_a_world_shows_other_values(document: Any, words: str) -> None:
    with pytest.raises(WorldError) as caught:
        mock_kms(world=document).start()
    assert words in str(caught.value)


WRONG_ARGUMENTS: dict[str, Callable[[KMSMock], Any]] = {
    "import_material of a wrong length": lambda kms: kms.import_material(
        create(kms.client(), Origin="EXTERNAL"), MATERIAL[:31]
    ),
    "import_material of a text": lambda kms: kms.import_material(
        create(kms.client(), Origin="EXTERNAL"),
        BASE64,  # type: ignore[arg-type]
    ),
    "import_material into no such key": lambda kms: kms.import_material("alias/none", MATERIAL),
    "a world beside a wrong option": lambda _: mock_kms(
        world={"keys": [{"material": BASE64}]},
        regoin="us-east-1",  # type: ignore[call-arg]
    ),
    "a world of bytes": lambda _: mock_kms(
        world=json.dumps({"keys": [{"material": BASE64}]}).encode()  # type: ignore[arg-type]
    ),
    "a world that is a list": lambda _: mock_kms(
        world=[{"material": BASE64}]  # type: ignore[arg-type]
    ),
    "a plaintext that is too short": lambda kms: kms.secrets.add("hunter2", "password"),
}


@pytest.mark.parametrize("wrong", WRONG_ARGUMENTS)
def test_an_error_about_a_wrong_argument_shows_no_secret(wrong: str) -> None:
    with mock_kms() as kms, pytest.raises(Exception) as caught:
        WRONG_ARGUMENTS[wrong](kms)
    for secret in (MATERIAL, MATERIAL[:31], "hunter2"):
        require_hidden(caught.value, secret)


MISTAKEN: dict[str, Callable[[KMSMock], Any]] = {
    "a world in the place of a function": lambda _: mock_kms(
        {"keys": [{"material": BASE64}]}  # type: ignore[call-overload]
    ),
    "restore of a world": lambda kms: kms.restore(
        {"keys": [{"material": BASE64}]}  # type: ignore[arg-type]
    ),
    "a filter with a plaintext": lambda kms: kms.explain(
        "ec2.amazonaws.com", "kms:Encrypt", parameters={"Plaintext": [MATERIAL]}
    ),
}


@pytest.mark.parametrize("mistake", MISTAKEN)
def test_a_message_about_a_mistake_does_not_repeat_a_secret(mistake: str) -> None:
    with mock_kms() as kms, pytest.raises((TypeError, ValueError)) as caught:
        MISTAKEN[mistake](kms)
    assert [form for form in list_forms(MATERIAL) if form in str(caught.value)] == []


@pytest.mark.parametrize(
    "call",
    [
        lambda client, key_id: client.encrypt(KeyId=key_id, Plaintext=MATERIAL),
        lambda client, key_id: client.generate_mac(
            KeyId=key_id, Message=MATERIAL, MacAlgorithm="HMAC_SHA_256"
        ),
        lambda client, _: client.create_custom_key_store(
            CustomKeyStoreName="a",
            CloudHsmClusterId="cluster-abcdefghijk",
            TrustAnchorCertificate="a",
            KeyStorePassword=MATERIAL.hex()[:32],
        ),
    ],
    ids=["Plaintext", "Message", "KeyStorePassword"],
)
def test_a_defect_of_the_mock_shows_no_parameter(
    call: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> None:
        raise RuntimeError("a defect")

    with mock_kms() as kms:
        key_id = create(kms.client())
        monkeypatch.setattr(CallLog, "record", fail)
        with pytest.raises(RuntimeError) as caught:
            call(kms.client(), key_id)
    require_hidden(caught.value, MATERIAL)
    require_hidden(caught.value, MATERIAL.hex()[:32])


@pytest.mark.parametrize("operation", ["Decrypt", "GenerateDataKey"])
def test_a_defect_of_the_mock_shows_no_plaintext_of_its_answer(
    operation: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorded: list[bytes] = []

    def fail(_: Any, __: Any, result: Any, ___: Any) -> None:
        recorded.append(bytes(result["Plaintext"]))
        raise RuntimeError("a defect")

    with mock_kms() as kms:
        client = kms.client()
        key_id = create(client)
        blob = client.encrypt(KeyId=key_id, Plaintext=MATERIAL)["CiphertextBlob"]
        monkeypatch.setattr(CallLog, "record", fail)
        calls = {
            "Decrypt": lambda: client.decrypt(CiphertextBlob=blob),
            "GenerateDataKey": lambda: client.generate_data_key(KeyId=key_id, KeySpec="AES_256"),
        }
        with pytest.raises(RuntimeError) as caught:
            calls[operation]()
    require_hidden(caught.value, recorded[0])


COMPARISONS = [
    "kms.keys == ()",
    "kms.keys[0].materials == []",
    "kms.keys[0].materials[0] == kms.keys[1].materials[0]",
    "list(kms.secrets) == []",
    "list(kms.calls) == []",
    "kms.secrets == {}",
    "kms.checkpoint() is None",
    "kms.backend is None",
    "vars(kms.backend) == {}",
    "role.credentials == other.credentials",
    "role.client() == other.client()",
    "kms.key_store(store) is None",
    "vars(kms.key_store(store)) == {}",
]


def test_failed_assertions_and_local_variables_show_no_secret(
    run_alone: Callable[..., pytest.RunResult],
) -> None:
    tests = "".join(
        f"\n\ndef test_{number}(kms, role, other, store):\n    assert {comparison}"
        for number, comparison in enumerate(COMPARISONS)
    )
    text = (
        textwrap.dedent(
            f"""
            import base64
            import pytest

            MATERIAL = bytes(range(100, 132))


            @pytest.fixture
            def store(kms):
                client = kms.client()
                for key in ("alias/a", "alias/b"):
                    kms.load({{"keys": [{{"alias": key, "material": "{BASE64}"}}]}})
                blob = client.encrypt(KeyId="alias/a", Plaintext=MATERIAL)["CiphertextBlob"]
                client.decrypt(CiphertextBlob=blob)
                return client.create_custom_key_store(
                    CustomKeyStoreName="cluster", CloudHsmClusterId="cluster-abcdefghijk",
                    TrustAnchorCertificate="a", KeyStorePassword="{PASSWORD}",
                )["CustomKeyStoreId"]


            @pytest.fixture
            def role(kms):
                return kms.account("{ACCOUNT}").role("App")


            @pytest.fixture
            def other(kms, role):
                role = kms.account("{ACCOUNT}").role("Other")
                for one in (role, kms.account("{ACCOUNT}").role("App")):
                    print("of a role:", one.credentials.secret_key, one.credentials.session_token)
                return role
            """
        )
        + tests
    )

    result = run_alone(text, "-vv", "--showlocals", "--show-capture=no", "-rP", "-s")

    result.assert_outcomes(failed=len(COMPARISONS))
    printed = result.stdout.str()
    credentials = [line for line in printed.splitlines() if "of a role:" in line]
    rest = printed.replace("\n".join(credentials), "")
    for line in credentials:
        rest = rest.replace(line, "")
        secret_key, token = line.rpartition("of a role: ")[2].split()
        assert secret_key not in rest
        assert token not in rest
    for secret in (MATERIAL, PASSWORD):
        assert [form for form in list_forms(secret) if form in rest] == []


# --- exported worlds ------------------------------------------------------------------------------

SECRETS_IN_FILES = {
    "key material": make_symmetric,
    "an RSA key": make_pair("RSA_2048", "SIGN_VERIFY", "us-east-1"),
    "imported material": make_imported,
    "a secret access key": make_access_key,
    "a password and a credential": make_key_stores,
}


@pytest.mark.parametrize("name", ["world.json", "world.yaml"])
@pytest.mark.parametrize("kind", SECRETS_IN_FILES)
def test_an_export_without_material_has_no(kind: str, name: str, tmp_path: Any) -> None:
    if name.endswith("yaml"):
        pytest.importorskip("yaml")
    path = tmp_path / name
    with mock_kms() as kms:
        secrets = SECRETS_IN_FILES[kind](kms)
        kms.export(path)
        whole = path.read_text()
        kms.export(path, material=False)
    assert any(form in whole for form in list_forms(secrets[0]))
    assert [f for secret in secrets for f in list_forms(secret) if f in path.read_text()] == []
    with mock_kms(world=path) as loaded:
        assert len(loaded.keys) == len(kms.keys)


def test_an_access_key_without_its_secret_gets_a_new_one_when_it_is_loaded(tmp_path: Any) -> None:
    with mock_kms() as kms:
        make_access_key(kms)
        kms.export(tmp_path / "world.json", material=False)
        (before,) = kms.client("iam").list_access_keys(UserName="Ann")["AccessKeyMetadata"]
    with mock_kms(world=tmp_path / "world.json") as kms:
        (after,) = kms.client("iam").list_access_keys(UserName="Ann")["AccessKeyMetadata"]
        kms.export(tmp_path / "again.json")
    assert after["AccessKeyId"] == before["AccessKeyId"]
    (user,) = json.loads((tmp_path / "again.json").read_text())["users"]
    assert len(user["access_keys"][0]["secret"]) == 40


@pytest.mark.parametrize(
    "mode_before", [None, 0o600, 0o644, 0o666], ids=["new", "0600", "0644", "0666"]
)
@pytest.mark.parametrize("name", ["world.json", "world.yaml"])
def test_only_its_owner_can_read_an_exported_file(
    mode_before: int | None, name: str, tmp_path: Any
) -> None:
    if name.endswith("yaml"):
        pytest.importorskip("yaml")
    path = tmp_path / name
    if mode_before is not None:
        path.touch()
        path.chmod(mode_before)
    before = os.umask(0)
    try:
        with mock_kms() as kms:
            kms.export(path)
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("failure", ["replace", "write"])
def test_an_interrupted_export_leaves_the_file_before_it_and_nothing_else(
    failure: str, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "world.json"
    path.write_text("before")

    def fail(*_: Any, **__: Any) -> Any:
        raise OSError(28, "No space left on device")

    target = "pathlib.Path.replace" if failure == "replace" else "os.fdopen"
    with mock_kms() as kms:
        monkeypatch.setattr(target, fail)
        with pytest.raises(OSError, match="No space left"):
            kms.export(path)
    assert path.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]


def test_only_the_server_has_a_logger() -> None:
    import logging

    names = {n for n in logging.Logger.manager.loggerDict if n.split(".")[0] == kmsmock.__name__}
    assert names <= {"kmsmock", "kmsmock.server"}  # the first, as the parent of the second
