"""Worlds and other files that nobody means well end in an error that says where, and soon.

No time is measured: the sizes are such that doing the same work again and again takes minutes.
"""

from __future__ import annotations

import json
import os
from base64 import b64encode
from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest

from kmsmock import WorldError, mock_kms
from kmsmock.aws.prices import Prices
from kmsmock.cli import main
from tests.output import capture

MANY = 16_000
DEEP = 100_000
ACCOUNT = "123456789012"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/App"
NOW = datetime(2026, 6, 1, tzinfo=timezone.utc)
ALLOW = {"Effect": "Allow", "Principal": "*", "Action": "kms:*", "Resource": "*"}


@pytest.fixture
def kms():
    with mock_kms(start_time=NOW) as kms:
        yield kms


def nest(depth: int, wrap: Callable[[Any], Any] = lambda inner: [inner]) -> Any:
    value: Any = "x"
    for _ in range(depth):
        value = wrap(value)
    return value


def itself(name: str) -> dict[str, Any]:
    document: dict[str, Any] = {"keys": ["alias/a"]}
    document[name] = document
    return document


def in_itself() -> list[Any]:
    items: list[Any] = []
    items.append(items)
    return items


def shared(depth: int = 9) -> Any:
    value: Any = ["x"]
    for _ in range(depth):
        value = [value] * 10
    return value


def key(**members: Any) -> dict[str, Any]:
    return {"keys": [members]}


def grants(number: int, **members: Any) -> dict[str, Any]:
    grant = {"key": "alias/a", "grantee": ROLE, "operations": ["Encrypt"], **members}
    return {"keys": ["alias/a"], "roles": ["App"], "grants": [grant] * number}


def pem(body: str, label: str = "PRIVATE KEY") -> str:
    return f"-----BEGIN {label}-----\n{body}\n-----END {label}-----\n"


def der(tag: int, content: bytes) -> bytes:
    size = len(content)
    length = bytes([size]) if size < 128 else b"\x84" + size.to_bytes(4, "big")
    return bytes([tag]) + length + content


def rsa_pem(modulus_bits: int) -> str:
    """Return an RSA private key of this size, of numbers that are no primes."""
    prime = (1 << modulus_bits) - 1
    numbers = (0, prime * 3, 65_537, prime - 2, prime, 3, 3, 3, 3)
    content = b"".join(der(2, n.to_bytes(n.bit_length() // 8 + 1, "big")) for n in numbers)
    return pem(b64encode(der(0x30, content)).decode(), "RSA PRIVATE KEY")


def signing(material: Any) -> dict[str, Any]:
    return key(spec="RSA_2048", usage="SIGN_VERIFY", material=material)


BEGIN = "-----BEGIN PRIVATE KEY-----\n"
#: Place of a time -> the world with it.
MEMBERS = [
    ("time", lambda time: {"time": time}),
    ("keys[0].created", lambda time: key(created=time)),
    ("keys[0].rotation.next", lambda time: key(rotation={"next": time})),
    ("keys[0].deletion.since", lambda time: key(deletion={"since": time})),
    ("keys[0].deletion.date", lambda time: key(deletion={"date": time})),
    ("keys[0].until", lambda time: key(state="Creating", until=time)),
    ("keys[0].on_demand_since", lambda time: key(on_demand_since=time)),
    ("keys[0].materials[0].rotated", lambda time: key(materials=[{"rotated": time}])),
    (
        "keys[0].materials[0].expires",
        lambda time: key(
            origin="EXTERNAL",
            materials=[{"secret": b64encode(bytes(32)).decode(), "expires": time}],
        ),
    ),
    (
        "keys[0].last_usage.at",
        lambda time: key(last_usage={"operation": "Sign", "at": time, "request_id": "r"}),
    ),
    ("grants[0].created", lambda time: grants(1, created=time)),
    ("roles[0].created", lambda time: {"roles": [{"name": "App", "created": time}]}),
]
#: What is wrong -> the world, the place of the error, and a part of it.
WORLDS: dict[str, tuple[Callable[[], Any], str, str]] = {
    "a document in itself": (lambda: itself("x"), "x", "contains itself"),
    "the document among its keys": (lambda: {"keys": [itself("tags")]}, "keys[0].tags", "itself"),
    "a list in itself": (lambda: {"keys": in_itself()}, "keys[0]", "contains itself"),
    "a policy in itself": (lambda: key(policy=itself("Statement")), "keys[0].policy.Statement", ""),
    "deep lists": (lambda: {"keys": nest(DEEP)}, "keys" + "[0]" * 63, "more than 64 deep"),
    "deep tags": (
        lambda: key(tags=nest(DEEP, lambda inner: {"a": inner})),
        f"keys[0].tags{'.a' * 61}",
        "more than 64 deep",
    ),
    "deep policies": (lambda: key(policy={"Statement": nest(50)}), "keys[0].policy", "too deeply"),
    **{
        f"a policy text {depth} deep": (
            lambda depth=depth: key(policy=f'{{"Statement":{"[" * depth}{"]" * depth}}}'),
            "keys[0].policy",
            "nested too deeply",
        )
        for depth in (30, 300, 600, 950, 60_000)
    },
    "lists that share lists": (lambda: {"keys": shared()}, "keys[0][0]", "10,000,000 values"),
    "shared secrets": (
        lambda: key(materials=[{"secret": shared()}]),
        "keys[0].materials[0].secret[0][0]",
        "values",
    ),
    "a number of many digits": (
        lambda: key(
            policy={"Statement": {**ALLOW, "Condition": {"NumericEquals": {"k": 10**9999}}}}
        ),
        "keys[0].policy",
        "cannot be written as JSON",
    ),
    "an infinite number": (
        lambda: key(rotation={"days": float("inf")}),
        "keys[0].rotation.days",
        "",
    ),
    "no number": (lambda: key(rotation={"days": float("nan")}), "keys[0].rotation.days", ""),
    "a huge number": (lambda: key(rotation={"days": 10**9999}), "keys[0].rotation.days", "huge"),
    "a policy of many statements": (
        lambda: key(policy={"Statement": [ALLOW] * MANY}),
        "keys[0].policy",
        "characters",
    ),
    "keys of the same id": (
        lambda: {"keys": [{"id": "11111111-2222-3333-4444-555555555555"}] * MANY},
        "keys[1].id",
        "there is a key",
    ),
    "keys of the same alias": (lambda: {"keys": ["alias/a"] * MANY}, "keys[1].alias", "alias/a"),
    "grants of the same id": (lambda: grants(MANY, id="a" * 64), "grants[1]", "there is a grant"),
    "operations that grants do not have": (
        lambda: grants(1, operations=[f"Encrypt{n}" for n in range(MANY)]),
        "grants[0]",
        "…",
    ),
    "replicas of the same key": (
        lambda: {
            "keys": [
                {"id": f"mrk-{0:032}", "multi_region": True},
                *[{"id": f"mrk-{0:032}", "multi_region": "replica", "region": "eu-west-1"}] * MANY,
            ]
        },
        "keys[2].id",
        "there is a key",
    ),
    "materials of the same secret": (
        lambda: key(materials=[{"secret": b64encode(bytes(32)).decode()}] * 2000),
        "keys[0].materials",
        "twice",
    ),
    "many tags": (lambda: key(tags={f"t{n}": "" for n in range(MANY)}), "keys[0].tags", "50 tags"),
    "roles of the same name": (lambda: {"roles": ["App"] * MANY}, "roles[1]", "there is"),
    "many key stores": (
        lambda: {
            "custom_key_stores": [
                {
                    "name": f"s{n}",
                    "settings": {
                        "CloudHsmClusterId": f"cluster-{n:011}",
                        "TrustAnchorCertificate": "c",
                    },
                }
                for n in range(1000)
            ]
        },
        "custom_key_stores[10]",
        "quota",
    ),
    "a long spec": (lambda: key(spec="R" * 10**6), "keys[0].spec", "must be one of"),
    "a long member": (lambda: key(**{"k" * 10**6: 1}), "keys[0]", "is no member here"),
    "a long alias": (lambda: {"keys": ["alias/" + "a" * 10**6]}, "keys[0].alias", "must be alias/"),
    "BEGIN lines": (lambda: signing(BEGIN * 4000), "keys[0].material", "END PRIVATE KEY"),
    "many BEGIN lines": (lambda: signing(BEGIN * DEEP), "keys[0].material", "2,800,000 characters"),
    "a PEM of a huge body": (lambda: signing(pem("A" * 10**6)), "keys[0].material", "characters"),
    "an RSA key of 65,536 bits": (lambda: signing(rsa_pem(65_536)), "keys[0].material", "RSA_2048"),
    "DER without end": (
        lambda: signing(pem(b64encode(b"\x30\x80" * 40_000).decode())),
        "keys[0].material",
        "no private key",
    ),
    "huge material": (lambda: key(material="A" * 10**6), "keys[0].material", "characters"),
    "BEGIN lines for local-kms": (
        lambda: {
            "Version": 2,
            "Keys": [
                {
                    "Metadata": {"KeyId": "11111111-2222-3333-4444-555555555555"},
                    "PrivateKeyPem": BEGIN * DEEP,
                }
            ],
        },
        "Keys[0].PrivateKeyPem",
        "characters",
    ),
    **{
        f"{place} beyond the calendar": (
            lambda world=world: world("0001-01-01T00:00:00+14:00"),
            place,
            "in the calendar",
        )
        for place, world in MEMBERS
    },
    "a deletion beyond the calendar": (
        lambda: key(deletion={"since": "9999-12-31T00:00:00Z"}),
        "keys[0].deletion",
        "ends with the year 9999",
    ),
}


@pytest.mark.parametrize(("world", "place", "words"), WORLDS.values(), ids=WORLDS)
def test_a_hostile_world_is_refused_with_its_place_and_changes_nothing(
    kms, tmp_path, world, place, words
):
    kms.load({"keys": [{"alias": "alias/before", "created": "2026-01-01T00:00:00Z"}]})
    kms.export(tmp_path / "before.json")
    with pytest.raises(WorldError) as caught:
        kms.load(world())
    assert caught.value.place.startswith(place)
    assert words in caught.value.reason
    assert len(caught.value.reason) < 1100
    kms.export(tmp_path / "after.json")
    before, after = (json.loads((tmp_path / f"{n}.json").read_text()) for n in ("before", "after"))
    assert {**before, "time": ""} == {**after, "time": ""}


@pytest.mark.parametrize(("place", "world"), MEMBERS, ids=[place for place, _ in MEMBERS])
@pytest.mark.parametrize("time", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59-00:00"])
def test_the_first_and_last_times_of_the_calendar_can_be_lived_with(
    kms, tmp_path, place, world, time
):
    if (place, time[:4]) == ("keys[0].deletion.since", "9999"):
        return  # the deletion is later than any time, which another test shows
    kms.load(world(time))
    kms.export(tmp_path / "world.json")
    kms.reset()
    kms.load(tmp_path / "world.json")
    if place != "time":
        kms.clock.advance(days=800)
    kms.export(tmp_path / "later.json")


# --- files ----------------------------------------------------------------------------------------


BOMB = "a: &a [x]\n" + "".join(
    f"{name}: &{name} [{', '.join([f'*{before}'] * 10)}]\n"
    for before, name in zip("abcdefghi", "bcdefghij", strict=True)
)
MERGES = "a0: &a0 {" + ", ".join(f"k{n}: v" for n in range(2000)) + "}\n"
MERGES += "".join(f"m{n}: {{<<: *a0}}\n" for n in range(1000))
FILES: dict[str, tuple[str, bytes, str]] = {
    "lists without end": ("json", b"[" * DEEP, "nested too deeply"),
    "deep lists": ("json", b'{"keys":' + b"[" * 400 + b"]" * 400 + b"}", "more than 64 deep"),
    "a member that is there twice": (
        "json",
        ("{" + ",".join(f'"m{n}": 1' for n in (*range(DEEP), DEEP - 1)) + "}").encode(),
        f"the member 'm{DEEP - 1}' is there twice",
    ),
    "a number of many digits": ("json", b'{"kmsmock": ' + b"9" * DEEP + b"}", "not JSON"),
    "NUL": ("json", bytes(DEEP), "not JSON: Expecting value: line 1 column 1"),
    "no UTF-8": ("json", b'{"keys": ["\xff"]}', "position 11"),
    "shared lists": ("yaml", f"{BOMB}keys: *j\n".encode(), "h: it has more than 10,000,000 values"),
    "shared tags": ("yaml", f"keys: [{{tags: &k [*k]}}]\n{BOMB}".encode(), "contains itself"),
    "merge keys": ("yaml", MERGES.encode(), "merge keys have more than 1,000,000 members, line"),
    "a merge of no mapping": ("yaml", b"keys: [{<<: [1]}]\n", "line 1, column"),
    "a list in itself": ("yaml", b"keys: &k [*k]\n", "keys[0]: it contains itself"),
    "a call of Python": (
        "yaml",
        b"keys: [!!python/object/apply:os.abort []]\n",
        "'tag:yaml.org,2002:python/object/apply:os.abort' is no type of values here, line 1",
    ),
    "a set": ("yaml", b"keys: !!set {a}\n", "line 1, column 7"),
    "deep flows": ("yaml", b"keys: " + b"[" * 500 + b"]" * 500, "64 deep, line 1, column 70"),
    "deep blocks": ("yaml", b"".join(b" " * n + b"a:\n" for n in range(80)), "64 deep, line 65"),
    "a name that is there twice": (
        "yaml",
        b"keys: []\nkeys: [alias/a]\n",
        "'keys' is there twice, line 2",
    ),
    "a name that is a list": ("yaml", b"? [a]\n: 1\n", "must be a text, line 1, column 3"),
    "a day that is not": (
        "yaml",
        b"time: 2026-02-30T00:00:00Z\n",
        "is no timestamp: day is out of",
    ),
    "a year that is not": ("yaml", b"time: 0000-01-01T00:00:00Z\n", "this is no timestamp: "),
    "an offset of days": ("yaml", b"time: 2026-01-01T00:00:00+99:99\n", "this is no timestamp"),
    "a number in base 60": (
        "yaml",
        b"kmsmock: 1" + b":59" * 50_000,
        "the number is too long, line 1",
    ),
    "digits": ("yaml", b"kmsmock: " + b"9" * DEEP, "the number is too long, line 1"),
    "bytes that are none": (
        "yaml",
        b"keys: [{material: !!binary '\xc3\xa4'}]\n",
        "line 1, column 19",
    ),
    "a control character": ("yaml", b"keys: ['\x01']", "not allowed at position 8"),
    "a tab": ("yaml", b"\tkeys: []", "line 1, column 1"),
}


@pytest.mark.parametrize(("kind", "content", "words"), FILES.values(), ids=FILES)
def test_a_hostile_file_is_refused_with_its_place(kms, tmp_path, kind, content, words):
    if kind == "yaml":
        pytest.importorskip("yaml")
    path = tmp_path / f"world.{kind}"
    path.write_bytes(content)
    with pytest.raises(WorldError) as caught:
        kms.load(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert words in str(caught.value)


def test_yaml_can_use_aliases_and_merge_keys(kms, tmp_path):
    pytest.importorskip("yaml")
    path = tmp_path / "world.yaml"
    path.write_text(
        "keys:\n"
        "- &base {alias: alias/a, description: of both, tags: &tags {team: a}}\n"
        "- {<<: *base, alias: alias/b, tags: {<<: *tags, stage: test}}\n"
        "- {<<: [{description: first}, *base], alias: alias/c}\n"
    )
    kms.load(path)
    assert [(k.description, k.tags) for k in kms.keys] == [
        ("of both", {"team": "a"}),
        ("of both", {"team": "a", "stage": "test"}),
        ("first", {"team": "a"}),
    ]


def make_pipe(path: Path) -> Path:
    os.mkfifo(path)
    return path


def make_link(path: Path, target: str) -> Path:
    path.symlink_to(target)
    return path


def make_sparse(path: Path) -> Path:
    with path.open("wb") as file:
        file.truncate(2**33)
    return path


posix = pytest.mark.skipif(os.name != "posix", reason="only POSIX has such files")
PATHS = {
    "a directory": lambda folder: folder,
    "a pipe that nobody writes to": lambda folder: make_pipe(folder / "pipe"),
    "a device without end": lambda _: Path("/dev/zero"),
    "a link to such a device": lambda folder: make_link(folder / "link", "/dev/zero"),
    "a link to itself": lambda folder: make_link(folder / "link", "link"),
    "a path with NUL": lambda _: "a\0b",
    "a long path": lambda _: "a" * 5000,
    "a huge file": lambda folder: make_sparse(folder / "world.json"),
}


@posix
@pytest.mark.parametrize("make", PATHS.values(), ids=PATHS)
def test_what_is_no_file_is_no_world(kms, tmp_path, make):
    with pytest.raises(WorldError, match=r"cannot be read|not JSON"):
        kms.load(make(tmp_path))


@posix
@pytest.mark.parametrize("path", ["/", "/dev/zero"])
def test_what_is_no_file_is_no_other_input(path):
    for command in ("explain", "report"):
        code, _, errors = capture(main, [command, path])
        assert (code, errors.count("\n")) == (2, 1)
    with pytest.raises(ValueError, match="cannot be read"):
        Prices.of(path)


@posix
def test_a_pipe_can_be_a_file(kms):
    # As a shell makes it for <(command).
    reading, writing = os.pipe()
    try:
        os.write(writing, b'{"keys": ["alias/a"]}')
        os.close(writing)
        kms.load(f"/dev/fd/{reading}")
    finally:
        os.close(reading)
    assert len(kms.keys) == 1


# --- other files ----------------------------------------------------------------------------------


REQUESTS = {
    "lists without end": (b"[" * DEEP, "request.json: it is nested too deeply"),
    "deep objects": (
        b'{"context": ' + b'{"a":' * 90 + b"1" + b"}" * 91,
        "request.json: context.a.a",
    ),
    "a member that is there twice": (b'{"action": "a", "action": "b"}', "'action' is there twice"),
    "no number": (
        json.dumps(
            {"principal": ROLE, "action": "kms:ListKeys", "context": {"aws:x": float("nan")}}
        ).encode(),
        "context.aws:x: expected a string, number",
    ),
    "an unknown member of a long name": (
        json.dumps({"a" * 10**6: 1}).encode(),
        "unknown member 'aaa",
    ),
    "a long value of a wrong type": (
        json.dumps({"principal": ROLE, "action": "kms:ListKeys", "context": "a" * 10**6}).encode(),
        "expected a JSON object, not",
    ),
    "no UTF-8": (b"\xff", "codec can't decode byte 0xff"),
}


@pytest.mark.parametrize(("content", "words"), REQUESTS.values(), ids=REQUESTS)
def test_a_hostile_request_file_is_bad_input(tmp_path, content, words):
    path = tmp_path / "request.json"
    path.write_bytes(content)
    code, output, errors = capture(main, ["explain", str(path)])
    assert (code, output, errors.count("\n")) == (2, "", 1)
    assert words in errors
    assert len(errors) < 1000


@pytest.mark.parametrize(
    "price", ["1e999999999", "1e-999999999", "1" * 5000, 10**5000], ids=["e", "-e", "text", "int"]
)
def test_a_price_that_nobody_means_is_refused(price):
    with pytest.raises(TypeError, match="must be an amount in USD") as caught:
        Prices.of({"KMS-Keys": price})
    assert len(str(caught.value)) < 200
