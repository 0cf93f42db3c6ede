"""Any plaintext is found, however it is written and whatever stands around; noise never is."""

from __future__ import annotations

import base64
import json
import pprint
import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kmsmock.ledger.secrets import Secrets
from tests.thoroughness import examples

MANY = examples(20)

plaintexts = st.binary(min_size=8, max_size=100).filter(lambda value: len(set(value)) >= 5)
texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=8, max_size=60).filter(
    lambda text: len(set(text.encode())) >= 5
)
around = st.binary(max_size=40)
#: Around what is undone by more than one step nothing may stand that a step would take along.
quiet = st.text("abcxyz.,:(){}\n", max_size=40)


def looking_for(value: bytes) -> Secrets:
    secrets = Secrets()
    secrets.add(value)
    return secrets


def is_found(value: bytes, place: Any) -> bool:
    return bool(looking_for(value).find_in(place).findings)


# --- bytes -----------------------------------------------------------------------------------

WRITTEN = {
    "raw": bytes,
    "hex": lambda data: data.hex().encode(),
    "upper case hex": lambda data: data.hex().upper().encode(),
    "base64": base64.b64encode,
    "base64 without padding": lambda data: base64.b64encode(data).rstrip(b"="),
    "URL-safe base64": base64.urlsafe_b64encode,
}


@pytest.mark.parametrize("form", WRITTEN)
@MANY
@given(value=plaintexts, inside=st.tuples(around, around), outside=st.tuples(around, around))
def test_a_plaintext_is_found_inside_of_what_was_encoded(
    form: str, value: bytes, inside: tuple[bytes, bytes], outside: tuple[bytes, bytes]
) -> None:
    encoded = WRITTEN[form](inside[0] + value + inside[1])

    assert is_found(value, outside[0] + encoded + outside[1])


@MANY
@given(value=plaintexts, before=around, after=around)
def test_line_and_byte_tell_where_it_stands(value: bytes, before: bytes, after: bytes) -> None:
    (finding,) = looking_for(value).find_in(before + value + after).findings

    text = before + value + after
    first = text.find(value)
    if finding.form == "plain bytes":
        assert (finding.byte, finding.line) == (first, text[:first].count(b"\n") + 1)
    else:  # what stands around makes it appear earlier, read in another way
        assert finding.byte <= first


ESCAPED = {
    "repr of bytes": repr,
    "repr of it": lambda data: repr(repr(data)),
    "repr of Latin-1": lambda data: repr({"data": data.decode("latin-1")}),
    "repr in JSON": lambda data: json.dumps({"data": repr(data)}),
    "JSON of Latin-1": lambda data: json.dumps(data.decode("latin-1")),
    "pprint": lambda data: pprint.pformat({"data": data}, width=20),
    "base64 in lines": lambda data: base64.encodebytes(data).decode(),
    "base64 in lines in JSON": lambda data: json.dumps(base64.encodebytes(data).decode()),
    "hex with separators": lambda data: data.hex(":"),
    "numbers of C": lambda data: ", ".join(f"0x{byte:02X}" for byte in data),
}


@pytest.mark.parametrize("form", ESCAPED)
@MANY
@given(value=plaintexts, inside=st.tuples(around, around), outside=st.tuples(quiet, quiet))
def test_a_plaintext_is_found_under_escapes_and_line_breaks(
    form: str, value: bytes, inside: tuple[bytes, bytes], outside: tuple[str, str]
) -> None:
    written = ESCAPED[form](inside[0] + value + inside[1])

    assert is_found(value, f"{outside[0]} {written} {outside[1]}")


# --- texts -----------------------------------------------------------------------------------


@MANY
@given(text=texts, inside=st.tuples(st.text(), st.text()), is_ascii=st.booleans())
def test_a_text_is_found_in_json(text: str, inside: tuple[str, str], is_ascii: bool) -> None:
    document = {"log": [inside[0] + text + inside[1]]}

    assert is_found(text.encode(), json.dumps(document, ensure_ascii=is_ascii))


@MANY
@given(text=texts, inside=st.tuples(st.text(), st.text()))
def test_a_text_is_found_in_a_repr(text: str, inside: tuple[str, str]) -> None:
    whole = inside[0] + text + inside[1]

    assert is_found(text.encode(), repr([whole]))
    assert is_found(text.encode(), repr([whole.encode()]))


@MANY
@given(text=texts, inside=st.tuples(st.text(), st.text()))
def test_a_text_is_found_in_structures(text: str, inside: tuple[str, str]) -> None:
    whole = inside[0] + text + inside[1]

    assert is_found(text.encode(), {"a": [(1, {"b": whole})]})
    assert is_found(text.encode(), RuntimeError(f"not this: {text}"))


# --- one of many, and none -------------------------------------------------------------------

SEEDS = st.integers(0, 2**32)


@examples(4)
@given(seed=SEEDS, chosen=st.integers(0, 99), form=st.sampled_from(sorted(WRITTEN)))
def test_one_of_many_is_told_from_the_others(seed: int, chosen: int, form: str) -> None:
    noise = random.Random(seed)
    secrets = Secrets()
    values = [noise.randbytes(noise.randrange(16, 64)) for _ in range(100)]
    for value in values:
        secrets.add(value)

    written = WRITTEN[form](noise.randbytes(50) + values[chosen] + noise.randbytes(50))
    (finding,) = secrets.find_in(written).findings

    assert finding.secret.reveal() == values[chosen]


@examples(4)
@given(seed=SEEDS, size=st.integers(8, 64))
def test_noise_is_never_taken_for_a_plaintext(seed: int, size: int) -> None:
    noise = random.Random(seed)
    secrets = Secrets()
    for _ in range(200):
        secrets.add(noise.randbytes(size))

    data = noise.randbytes(20_000)

    for place in (data, data.hex(":"), base64.encodebytes(data), repr(data), list(data)):
        assert secrets.find_in(place).findings == ()
