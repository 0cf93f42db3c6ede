"""How long the way of a call through this package is: counted, since time is too noisy to test."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import pytest

import kmsmock
from kmsmock import KMSMock, dispatch
from kmsmock.interception.parsed_responses import _Structure

PACKAGE = str(Path(kmsmock.__file__).parent)
#: Distinct functions of the package that one Decrypt runs.
#: A step that is added to every call belongs here only if every call needs it: what depends on the
#: operation alone is decided when the operation is declared.
#: One of them only removes members that an older botocore does not know.
MOST_FUNCTIONS = 45
#: These are functions before Python 3.12 only.
COMPREHENSIONS = {"<dictcomp>", "<listcomp>", "<setcomp>"}


def calls_during(work: Callable[[], Any]) -> list[tuple[CodeType, CodeType | None]]:
    """Give the functions of the package that run, each with the one that called it."""
    entered: list[tuple[CodeType, CodeType | None]] = []

    def note(frame: FrameType, event: str, _: Any) -> None:
        code = frame.f_code
        is_ours = code.co_filename.startswith(PACKAGE) and code.co_name not in COMPREHENSIONS
        if event == "call" and is_ours:
            caller = frame.f_back
            entered.append((code, None if caller is None else caller.f_code))

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        work()
    finally:
        sys.setprofile(before)
    return entered


@pytest.fixture
def decrypt(kms: KMSMock) -> Callable[[], Any]:
    client, context = kms.client(), {"Tenant": "a"}
    key_id = client.create_key()["KeyMetadata"]["KeyId"]
    blob = client.encrypt(KeyId=key_id, Plaintext=b"plaintext", EncryptionContext=context)
    given = {"CiphertextBlob": blob["CiphertextBlob"], "EncryptionContext": context}
    client.decrypt(**given)  # what only the first call of a client does
    return lambda: client.decrypt(**given)


def test_a_decrypt_runs_few_functions(decrypt: Callable[[], Any]) -> None:
    functions = Counter(code for code, _ in calls_during(decrypt))
    functions.pop(_Structure.convert.__code__, None)  # what an older botocore reads differently

    assert len(functions) <= MOST_FUNCTIONS, "\n".join(map(str, functions))


def test_a_decrypt_enters_the_dispatcher_once(decrypt: Callable[[], Any]) -> None:
    here = dispatch.__file__

    entered = [
        code.co_name
        for code, caller in calls_during(decrypt)
        if code.co_filename == here and (caller is None or caller.co_filename != here)
    ]

    assert entered == ["answer"]
