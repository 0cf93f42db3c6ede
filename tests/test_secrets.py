"""What KMS has handed out in plain, and where it is found: form, place, call; never the secret."""

from __future__ import annotations

import base64
import gzip
import io
import json
import logging
import os
import pprint
import urllib.parse
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization

from kmsmock import KMSMock, mock_kms
from kmsmock.ledger.secrets import BYTES_KEPT, SECRETS_KEPT
from kmsmock.operations import OPERATIONS


@pytest.fixture
def kms() -> Iterator[KMSMock]:
    with mock_kms() as control:
        yield control


@pytest.fixture
def key_id(kms: KMSMock) -> str:
    key_id: str = kms.client().create_key()["KeyMetadata"]["KeyId"]
    return key_id


@pytest.fixture
def data_key(kms: KMSMock, key_id: str) -> bytes:
    answer = kms.client().generate_data_key(KeyId=key_id, KeySpec="AES_256")
    plain: bytes = answer["Plaintext"]
    return plain


def decrypted(kms: KMSMock, key_id: str, plain: bytes) -> bytes:
    """Let KMS hand out a plaintext of our choice."""
    client = kms.client()
    blob = client.encrypt(KeyId=key_id, Plaintext=plain)["CiphertextBlob"]
    answer: bytes = client.decrypt(CiphertextBlob=blob)["Plaintext"]
    return answer


def message(kms: KMSMock, *places: Any) -> str:
    with pytest.raises(AssertionError) as caught:
        kms.secrets.assert_absent_from(*places)
    return str(caught.value)


def test_of_many_findings_twenty_are_listed(kms: KMSMock, key_id: str) -> None:
    plains = [f"secret number {number}".encode() for number in range(22)]
    text = b"\n".join(decrypted(kms, key_id, plain) for plain in plains).decode()

    lines = message(kms, text).splitlines()

    assert lines.count("  and 2 more") == 1
    assert sum(", line " in line for line in lines) == 20


# --- what is known ---------------------------------------------------------------------------


def agree(client: Any) -> Any:
    key = client.create_key(KeySpec="ECC_NIST_P256", KeyUsage="KEY_AGREEMENT")["KeyMetadata"]
    return client.derive_shared_secret(
        KeyId=key["KeyId"],
        KeyAgreementAlgorithm="ECDH",
        PublicKey=client.get_public_key(KeyId=key["KeyId"])["PublicKey"],
    )["SharedSecret"]


HANDED_OUT: dict[str, Callable[[Any, str], bytes]] = {
    "Decrypt": lambda client, key_id: client.decrypt(
        CiphertextBlob=client.encrypt(KeyId=key_id, Plaintext=b"some plaintext")["CiphertextBlob"]
    )["Plaintext"],
    "GenerateDataKey": lambda client, key_id: client.generate_data_key(
        KeyId=key_id, KeySpec="AES_256"
    )["Plaintext"],
    "GenerateDataKeyPair": lambda client, key_id: client.generate_data_key_pair(
        KeyId=key_id, KeyPairSpec="ECC_NIST_P256"
    )["PrivateKeyPlaintext"],
    "GenerateRandom": lambda client, _: client.generate_random(NumberOfBytes=32)["Plaintext"],
    "DeriveSharedSecret": lambda client, _: agree(client),
}


@pytest.mark.parametrize("operation", HANDED_OUT)
def test_what_an_operation_hands_out_is_known_with_its_call(
    kms: KMSMock, key_id: str, operation: str
) -> None:
    plain = HANDED_OUT[operation](kms.client(), key_id)

    (secret,) = kms.secrets

    assert secret.reveal() == plain
    assert secret.call is kms.calls.filter(operation)[-1]


def test_each_operation_that_answers_in_plain_says_so_in_the_registry() -> None:
    named = {"Plaintext", "PrivateKeyPlaintext", "SharedSecret"}
    model = json.loads((Path(__file__).parent / "data" / "kms_model.json").read_text())

    answering = {
        name: "".join(named & set(members["output"]))
        for name, members in model["operations"].items()
        if named & set(members["output"])
    }

    assert {name: op.hands_out for name, op in OPERATIONS.items() if op.hands_out} == answering


def test_what_is_not_handed_out_in_plain_is_not_known(kms: KMSMock, key_id: str) -> None:
    client = kms.client()
    blob = client.encrypt(KeyId=key_id, Plaintext=b"some plaintext")["CiphertextBlob"]
    client.re_encrypt(CiphertextBlob=blob, DestinationKeyId=key_id)
    client.generate_data_key_without_plaintext(KeyId=key_id, KeySpec="AES_256")
    with pytest.raises(client.exceptions.DryRunOperationException):
        client.generate_data_key(KeyId=key_id, KeySpec="AES_256", DryRun=True)

    assert len(kms.secrets) == 0


def test_equal_plaintexts_are_known_once_by_their_first_call(
    kms: KMSMock, key_id: str, data_key: bytes
) -> None:
    assert decrypted(kms, key_id, data_key) == data_key

    assert [secret.call.operation for secret in kms.secrets if secret.call] == ["GenerateDataKey"]


def test_a_plaintext_can_be_added(kms: KMSMock) -> None:
    kms.secrets.add("correct horse battery", "the passphrase")

    assert "the passphrase (21 bytes), which the test has added" in message(
        kms, "a correct horse battery."
    )
    with pytest.raises(ValueError, match="PIN would be found by accident"):
        kms.secrets.add("1234", "PIN")


def test_only_so_many_are_kept_and_a_search_says_how_many_are_not(kms: KMSMock) -> None:
    for number in range(SECRETS_KEPT + 2):
        kms.secrets.add(f"secret {number:06}")

    assert len(kms.secrets) == SECRETS_KEPT
    search = kms.secrets.assert_absent_from("secret 000001")
    assert search.skipped == ("2 older plaintexts were not searched for: no longer kept",)
    assert "plain bytes" in message(kms, "secret 000002")


def test_large_ones_are_bounded_together(kms: KMSMock) -> None:
    for number in range(9):
        kms.secrets.add(b"%d-------" % number + bytes(range(8)) * (BYTES_KEPT // 64))

    assert (len(kms.secrets), kms.secrets.dropped) == (7, 2)


def test_resetting_and_restoring_go_with_the_calls(kms: KMSMock, data_key: bytes) -> None:
    checkpoint = kms.checkpoint()
    later = kms.client().generate_random(NumberOfBytes=16)["Plaintext"]

    kms.restore(checkpoint)

    assert [secret.reveal() for secret in kms.secrets] == [data_key]
    kms.secrets.assert_absent_from(later)
    kms.reset()
    kms.secrets.assert_absent_from(data_key)
    kms.restore(checkpoint)
    assert "hex" in message(kms, data_key.hex())


# --- how little is said ----------------------------------------------------------------------


def test_a_failure_names_place_form_and_call_but_not_the_secret(
    kms: KMSMock, data_key: bytes, tmp_path: Path
) -> None:
    file = tmp_path / "cache" / "keys.txt"
    file.parent.mkdir()
    file.write_text(f"first line\nkey: {data_key.hex()}\n")

    said = message(kms, tmp_path)

    call = kms.calls.filter("GenerateDataKey")[0]
    assert f"{file}, line 2, byte 16: hex" in said
    assert f"of Plaintext (32 bytes), handed out: {call}, request {call.request_id}" in said
    assert not any(form in said + repr(kms.secrets) for form in (data_key.hex(), repr(data_key)))


def test_a_place_with_a_plaintext_in_its_name_is_not_named(
    kms: KMSMock, data_key: bytes, tmp_path: Path
) -> None:
    (tmp_path / data_key.hex()).write_bytes(data_key)

    said = message(kms, tmp_path)

    assert "a place with a plaintext in its name, line 1, byte 0: plain bytes" in said
    assert f"names of the files in {tmp_path}" in said
    assert data_key.hex() not in said


# --- forms -----------------------------------------------------------------------------------

FORMS: dict[str, Callable[[bytes], Any]] = {
    "plain bytes": lambda key: b"<" + key + b">",
    "hex": lambda key: key.hex(),
    "hex, upper case": lambda key: key.hex().upper(),
    "hex with colons": lambda key: key.hex(":"),
    "hex in a C array": lambda key: ", ".join(f"0x{byte:02x}" for byte in key),
    "base64": lambda key: base64.b64encode(key).decode(),
    "base64 without padding": lambda key: base64.b64encode(key).decode().rstrip("="),
    "URL-safe base64": lambda key: base64.urlsafe_b64encode(key).decode(),
    "base64 after one byte": lambda key: base64.b64encode(b"1" + key),
    "base64 after two bytes": lambda key: base64.b64encode(b"12" + key),
    "base64 in lines": lambda key: base64.encodebytes(bytes(60) + key),
    "base64 in JSON with slashes escaped": lambda key: base64.b64encode(key).replace(b"/", rb"\/"),
    "base64 in a URL": lambda key: urllib.parse.quote(base64.b64encode(key)),
    "repr of bytes": repr,
    "repr of a repr": lambda key: repr(repr(key)),
    "repr in JSON": lambda key: json.dumps({"key": repr(key)}),
    "pprint": lambda key: pprint.pformat({"key": bytes(40) + key}, width=30),
    "Latin-1 text": lambda key: key.decode("latin-1"),
    "Latin-1 text in JSON": lambda key: json.dumps(key.decode("latin-1")),
    "bytes as surrogates in JSON": lambda key: json.dumps(key.decode("utf-8", "surrogateescape")),
    "percent-encoded": urllib.parse.quote,
    "list of numbers": lambda key: str(list(key)),
    "hex in UTF-16": lambda key: key.hex().encode("utf-16"),
}


@pytest.mark.parametrize("form", FORMS)
def test_a_data_key_is_found_in_any_form(kms: KMSMock, data_key: bytes, form: str) -> None:
    assert len(kms.secrets.find_in(FORMS[form](data_key)).findings) == 1


@pytest.mark.parametrize(
    "write",
    [
        pytest.param(lambda text: text, id="as it is"),
        pytest.param(json.dumps, id="JSON"),
        pytest.param(repr, id="repr"),
        pytest.param(lambda text: json.dumps({"log": json.dumps(text)}), id="JSON in JSON"),
        pytest.param(urllib.parse.quote, id="URL"),
    ],
)
def test_a_decrypted_text_is_found_however_it_is_escaped(
    kms: KMSMock, key_id: str, write: Callable[[str], str]
) -> None:
    text = "pass\"word\n'grün'\t\\ 🔑 €"
    decrypted(kms, key_id, text.encode())

    assert len(kms.secrets.find_in(f"said: {write(text)}!").findings) == 1


@pytest.mark.parametrize(
    ("spec", "layout", "encoding"),
    [
        pytest.param(spec, layout, encoding, id=f"{spec}, {layout} {encoding}")
        for spec in ("RSA_2048", "ECC_NIST_P256", "ECC_NIST_EDWARDS25519")
        for layout, encodings in (
            ("PKCS8", ("PEM", "DER")),
            ("TraditionalOpenSSL", ("PEM", "DER")),
            ("OpenSSH", ("PEM",)),
        )
        for encoding in encodings
        if (spec, layout) != ("ECC_NIST_EDWARDS25519", "TraditionalOpenSSL")
    ],
)
def test_a_private_key_is_found_in_other_layouts_too(
    kms: KMSMock, key_id: str, spec: str, layout: str, encoding: str
) -> None:
    answer = kms.client().generate_data_key_pair(KeyId=key_id, KeyPairSpec=spec)
    private: Any = serialization.load_der_private_key(answer["PrivateKeyPlaintext"], None)

    written = private.private_bytes(
        getattr(serialization.Encoding, encoding),
        getattr(serialization.PrivateFormat, layout),
        serialization.NoEncryption(),
    )

    assert len(kms.secrets.find_in(written).findings) == 1
    kms.secrets.assert_absent_from(answer["PublicKey"], answer["PrivateKeyCiphertextBlob"])


def test_what_was_encrypted_with_it_is_no_finding(
    kms: KMSMock, key_id: str, data_key: bytes, tmp_path: Path
) -> None:
    (tmp_path / "blob").write_bytes(
        kms.client().encrypt(KeyId=key_id, Plaintext=data_key)["CiphertextBlob"]
    )

    kms.secrets.assert_absent_from(tmp_path)


# --- short ones ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "plain",
    [
        pytest.param(b"hi", id="a word"),
        pytest.param(b"1234567", id="seven bytes"),
        pytest.param(b"x" * 32, id="filler"),
        pytest.param(bytes(4096), id="zeros"),
        pytest.param(b"testtest", id="three different bytes"),
    ],
)
def test_short_and_monotonous_plaintexts_are_not_looked_for_and_a_search_says_so(
    kms: KMSMock, key_id: str, plain: bytes
) -> None:
    decrypted(kms, key_id, plain)

    search = kms.secrets.assert_absent_from(plain, plain.hex(), repr(plain))

    assert search.skipped == (
        "1 plaintexts were not searched for: too short, or not varied enough",
    )


def test_eight_bytes_with_five_different_ones_are_looked_for(kms: KMSMock, key_id: str) -> None:
    decrypted(kms, key_id, b"abcdeeee")

    for text in ("-abcdeeee-", b"abcdeeee".hex(), base64.b64encode(b"!abcdeeee!")):
        assert "of Plaintext (8 bytes)" in message(kms, text)


# --- places ----------------------------------------------------------------------------------


@dataclass
class Session:
    user: str
    key: bytes


def chained(key: bytes) -> Exception:
    error = RuntimeError("no luck")
    error.__cause__ = ValueError(key)
    return error


def record(key: bytes, **extra: Any) -> logging.LogRecord:
    made = logging.makeLogRecord({"msg": "the key is %r", "args": (key,), "name": "app", **extra})
    made.levelname = "INFO"
    return made


PLACES: dict[str, tuple[Callable[[bytes], Any], str]] = {
    "text": (lambda key: f"-\n-{key.hex()}", "text, line 2, byte 3:"),
    "bytes": (lambda key: b"-" + key, "bytes, line 1, byte 1:"),
    "bytearray": (lambda key: bytearray(b"-" + key), "bytearray, line 1, byte 1:"),
    "memoryview": (lambda key: memoryview(b"-" + key), "memoryview, line 1, byte 1:"),
    "dict": (lambda key: {"a": [1, {"b": key}]}, "dict['a'][1]['b'], line 1, byte 0:"),
    "key of a dict": (lambda key: {key: 1}, "dict, key 0, line 1, byte 0:"),
    "list of numbers": (lambda key: {"key": list(key)}, "dict['key'], line 1, byte 1:"),
    "dataclass": (lambda key: Session("ann", key), "Session.key, line 1, byte 0:"),
    "object in a list": (lambda key: [Session, {"s": Session("ann", key)}], "list[1]['s'].key,"),
    "open file": (lambda key: io.BytesIO(b"--" + key), "BytesIO, line 1, byte 2:"),
    "open text file": (lambda key: io.StringIO(key.hex()), "StringIO, line 1, byte 0:"),
    "exception": (lambda key: RuntimeError(f"bad key {key.hex()}"), "RuntimeError, line 1,"),
    "cause of one": (chained, "RuntimeError, from ValueError, line 1,"),
    "log record": (record, "LogRecord, INFO of app"),
    "extra of a record": (lambda key: record(b"", token=key), ", extra['token'], line 1, byte 0:"),
    "records": (lambda key: [record(b""), record(key)], "list[1], INFO of app"),
}


@pytest.mark.parametrize("place", PLACES)
def test_a_place_is_looked_through_and_named(kms: KMSMock, data_key: bytes, place: str) -> None:
    make, named = PLACES[place]

    assert named in message(kms, make(data_key))
    kms.secrets.assert_absent_from(make(bytes(range(32))))


def test_caplog_is_looked_through(run_alone: Callable[..., pytest.RunResult]) -> None:
    code = """
        import logging
        import pytest

        def test_it(kms, caplog):
            data_key = kms.client().generate_random(NumberOfBytes=32)["Plaintext"]
            logging.getLogger("app").warning("key %s", data_key.hex())

            with pytest.raises(AssertionError, match="WARNING of app .test_it.py:") as caught:
                kms.secrets.assert_absent_from(caplog)
            assert "log records[0], " in str(caught.value)
    """

    assert run_alone(code).ret == 0


def test_a_path_may_be_given_as_text(kms: KMSMock, data_key: bytes, tmp_path: Path) -> None:
    file = tmp_path / "key.bin"
    file.write_bytes(data_key)

    assert f"{file}, line 1, byte 0" in message(kms, str(file))


@pytest.mark.parametrize("text", ["leak", "folder"])
def test_a_relative_path_without_any_dot_may_be_given_as_text(
    kms: KMSMock, data_key: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    for file in (tmp_path / "leak", tmp_path / "folder" / "leak"):
        file.write_bytes(data_key)

    place = "leak" if text == "leak" else f"folder{os.sep}leak"
    assert f"{place}, line 1, byte 0" in message(kms, text)
    kms.secrets.assert_absent_from("nothing of this name", [text])


def test_text_that_names_a_file_is_looked_through_as_text_too(
    kms: KMSMock, data_key: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / data_key.hex()).write_bytes(b"")

    assert "text, line 1, byte 0: hex" in message(kms, data_key.hex())


def test_gzip_files_are_opened(kms: KMSMock, data_key: bytes, tmp_path: Path) -> None:
    # The time in the header could be a line break.
    (tmp_path / "whole.gz").write_bytes(gzip.compress(b"--" + data_key, mtime=0))
    (tmp_path / "cut_off.gz").write_bytes(gzip.compress(bytes(100), mtime=0)[:-9] + data_key)

    said = message(kms, tmp_path)

    assert f"{tmp_path / 'whole.gz'}, line 1, byte 2" in said
    assert f"{tmp_path / 'cut_off.gz'}, line 1" in said


def test_large_files_are_read_in_pieces_that_cut_nothing(
    kms: KMSMock, data_key: bytes, tmp_path: Path
) -> None:
    file = tmp_path / "large"
    escaped = json.dumps(data_key.decode("latin-1")).encode()
    start = (1 << 22) - 20
    file.write_bytes(b".\n" * (start // 2) + escaped + b"." * (1 << 22))

    assert f"{file}, line {start // 2 + 1}, byte {start + 1}: " in message(kms, file)


def test_an_open_file_stays_where_it_stands(kms: KMSMock, data_key: bytes, tmp_path: Path) -> None:
    with (tmp_path / "log").open("w+") as file:
        file.write(data_key.hex())

        assert "log, line 1, byte 0: hex" in message(kms, file)

        assert file.tell() == 64


def test_a_structure_that_contains_itself_is_looked_through_once(
    kms: KMSMock, data_key: bytes
) -> None:
    structure: list[Any] = [data_key]
    structure.append(structure)

    assert len(kms.secrets.find_in(structure).findings) == 1


def test_what_cannot_be_read_in_a_folder_is_told(kms: KMSMock, tmp_path: Path) -> None:
    (tmp_path / "dangling").symlink_to(tmp_path / "nothing")
    (tmp_path / "looping").symlink_to(tmp_path / "looping")

    search = kms.secrets.assert_absent_from(tmp_path)

    assert search.skipped == tuple(
        f"{tmp_path / name} was not searched: neither a file nor a folder"
        for name in ("dangling", "looping")
    )


def test_what_raises_when_it_is_shown_is_told(kms: KMSMock) -> None:
    class Sulky:
        def __repr__(self) -> str:
            raise RuntimeError("no")

    search = kms.secrets.assert_absent_from({"a": Sulky()})

    assert search.skipped == ("dict['a'] was not searched: its repr raises RuntimeError",)


def test_places_that_cannot_be_looked_through_are_refused(kms: KMSMock, tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="int cannot be searched: pass text, bytes"):
        kms.secrets.assert_absent_from(1)
    with pytest.raises(TypeError, match="pass at least one text, path or object"):
        kms.secrets.assert_absent_from()
    with pytest.raises(FileNotFoundError):
        kms.secrets.assert_absent_from(tmp_path / "nothing")
