"""Files of a connected process: they are read and written there, and not at the server."""

from __future__ import annotations

import gzip
import io
import json
import logging
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from kmsmock import KMSMock, WorldError, mock_kms
from tests.reachable import list_forms
from tests.remote.in_process import Direct, connect_directly

WORLD = {"keys": [{"description": "orders", "aliases": ["alias/orders"]}]}


def send(direct: Direct, **message: Any) -> Any:
    """Send a message that `connect` does not send."""
    objects = direct.application._control_plane._control.objects
    session = objects.answer({"open": ""})["session"]
    target = {"$kms": True}
    return objects.answer({"target": target, "keywords": {}, **message, "session": session})


# --- worlds -----------------------------------------------------------------------------------


def test_a_world_is_loaded_from_a_file_here(kms: Any, tmp_path: Path) -> None:
    path = tmp_path / "world.json"
    path.write_text(json.dumps(WORLD))

    kms.load(path)

    assert [alias.name for alias in kms.aliases] == ["alias/orders"]


def test_a_wrong_world_names_its_file_and_place(kms: Any, tmp_path: Path) -> None:
    path = tmp_path / "world.json"
    path.write_text('{"keys": [{"spec": "none"}]}')

    with pytest.raises(WorldError) as caught:
        kms.load(path)

    assert (caught.value.source, caught.value.place) == (str(path), "keys[0].spec")
    assert str(caught.value).startswith(f"{path}: keys[0].spec: ")


def test_a_file_that_is_missing_here_is_an_error_of_this_process(kms: Any, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="the world of a mock"):
        kms.load(tmp_path / "none.json")


@pytest.mark.parametrize("name", ["world.json", "world.yaml"])
def test_an_exported_file_decrypts_elsewhere(kms: Any, tmp_path: Path, name: str) -> None:
    if name.endswith("yaml"):
        pytest.importorskip("yaml", reason="the extra yaml is not installed")
    client = kms.client()
    key = client.create_key()["KeyMetadata"]["KeyId"]
    blob = client.encrypt(KeyId=key, Plaintext=b"text")["CiphertextBlob"]

    kms.export(tmp_path / name)

    with mock_kms(world=tmp_path / name) as other:
        assert other.client().decrypt(CiphertextBlob=blob)["Plaintext"] == b"text"
    assert (tmp_path / name).stat().st_mode & 0o077 == 0


def test_an_export_without_material_has_none(kms: Any, tmp_path: Path) -> None:
    kms.client().create_key()

    kms.export(tmp_path / "world.json", material=False)

    assert '"secret"' not in (tmp_path / "world.json").read_text()


@pytest.mark.parametrize(
    ("name", "arguments"),
    [("export", ["x"]), ("client", []), ("load", ["x"])],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_the_server_reads_and_writes_no_files(
    direct: Direct,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    arguments: list[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "x").write_text(json.dumps(WORLD))

    answer = send(direct, name=name, arguments=arguments)

    assert answer["raised"]["$error"] == "AttributeError"
    assert "by the connected process" in answer["raised"]["arguments"][0]
    assert direct.application.kms.keys == ()
    assert [path.name for path in tmp_path.iterdir()] == ["x"]


def test_the_server_loads_no_file_as_a_world(direct: Direct, tmp_path: Path) -> None:
    path = tmp_path / "world.json"
    path.write_text(json.dumps(WORLD))

    answer = send(direct, name="@load_world", arguments=[str(path)])

    assert answer["raised"]["$error"] == "TypeError"
    assert direct.application.kms.keys == ()


# --- the trail --------------------------------------------------------------------------------


def test_the_trail_is_written_here(kms: Any, served: KMSMock, tmp_path: Path) -> None:
    kms.client().create_key()

    kms.trail.write_jsonl(tmp_path / "trail.jsonl")
    (path,) = kms.trail.write_files(tmp_path / "bucket")

    lines = (tmp_path / "trail.jsonl").read_text().splitlines()
    assert list(map(json.loads, lines)) == list(served.trail)
    assert json.loads(gzip.decompress(path.read_bytes()))["Records"] == list(served.trail)
    assert path.is_relative_to(tmp_path / "bucket" / "AWSLogs")


def test_a_trail_that_is_not_there_is_the_same_error(kms: Any, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no trail is called 'none'"):
        kms.trail.write_files(tmp_path, trail="none")


def test_a_misspelt_argument_of_what_is_done_here_names_the_nearest(
    kms: Any, tmp_path: Path
) -> None:
    with pytest.raises(TypeError, match=r"write_files\(\) got .*'trial'; did you mean 'trail'\?"):
        kms.trail.write_files(tmp_path, trial="all")
    with pytest.raises(TypeError, match=r"export\(\) got .*did you mean 'material'\?"):
        kms.export(tmp_path / "world.json", materials=False)


def test_a_warning_is_given_at_the_line_of_the_test(tmp_path: Path) -> None:
    with connect_directly(Direct(calls_kept=1)) as kms:
        for _ in range(2):
            kms.client().list_keys()

        with pytest.warns(UserWarning, match="the trail is not complete") as caught:
            kms.trail.write_jsonl(tmp_path / "trail.jsonl")
        with pytest.warns(UserWarning, match="the trail is not complete"):
            kms.trail.lookup("ListKeys")

    assert caught[0].filename == __file__


# --- plaintexts -------------------------------------------------------------------------------


@pytest.fixture
def plaintext(kms: Any) -> bytes:
    key = kms.client().create_key()["KeyMetadata"]["KeyId"]
    return kms.client().generate_data_key(KeyId=key, KeySpec="AES_256")["Plaintext"]


@pytest.mark.parametrize("form", ["path", "open file", "log", "exception", "text"])
def test_plaintexts_are_searched_for_in_what_is_here(
    kms: Any, plaintext: bytes, tmp_path: Path, form: str, request: pytest.FixtureRequest
) -> None:
    if form == "log" and not request.config.pluginmanager.has_plugin("logging-plugin"):
        pytest.skip("pytest captures no logs in this run")
    log = request.getfixturevalue("caplog") if form == "log" else None
    (tmp_path / "log.txt").write_text(f"key: {plaintext.hex()}")
    logging.getLogger("app").warning("key: %s", plaintext.hex())
    targets = {
        "path": tmp_path / "log.txt",
        "open file": io.StringIO(plaintext.hex()),
        "log": log,
        "exception": ValueError(plaintext.hex()),
        "text": plaintext.hex(),
    }

    with pytest.raises(AssertionError, match="plaintexts of KMS were found") as caught:
        kms.secrets.assert_absent_from(targets[form])

    assert "GenerateDataKey" in str(caught.value)
    assert plaintext.hex() not in str(caught.value)
    kms.secrets.assert_absent_from("nothing of the kind")


def test_what_was_not_searched_for_is_said(kms: Any) -> None:
    key = kms.client().create_key()["KeyMetadata"]["KeyId"]
    blob = kms.client().encrypt(KeyId=key, Plaintext=b"short")["CiphertextBlob"]
    kms.client().decrypt(CiphertextBlob=blob)

    assert "1 plaintexts were not searched for: too short" in str(kms.secrets.find_in("text"))


def test_no_repr_shows_a_secret(kms: Any, plaintext: bytes) -> None:
    credentials = kms.account("111122223333").root.credentials
    material = kms.keys[0].materials[0]
    shown = repr([kms.secrets, kms.secrets[0], credentials, material, material.secret])

    for secret in (plaintext, credentials.secret_key.encode(), bytes(material.secret)):
        assert secret.hex() not in shown
        assert repr(secret)[2:-1] not in shown


@pytest.mark.parametrize(
    "use",
    [
        lambda kms, secret: kms.import_material("alias/none", secret),
        lambda kms, secret: kms.secrets.add(secret, "\ud800"),
        lambda kms, secret: kms.secrets.clear(secret),
    ],
    ids=["import_material", "add", "a surplus argument"],
)
def test_no_frame_of_a_traceback_shows_a_secret(kms: Any, use: Any) -> None:
    secret = bytes(range(32))

    with pytest.raises((ClientError, TypeError, ValueError)) as caught:
        use(kms, secret)

    frames = [entry.frame for entry in caught.traceback if "/kmsmock/remote/" in str(entry.path)]
    assert frames
    for frame in frames:
        assert not any(form in repr(frame.f_locals) for form in list_forms(secret))
