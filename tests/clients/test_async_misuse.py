"""Clients of aiobotocore without `async with` and `await`: the error says what is missing."""

from __future__ import annotations

import gc
import warnings
from pathlib import Path

import pytest

from tests.inner_runs import run_pytest

pytest.importorskip("aiobotocore.session", reason="aiobotocore is missing")

MODULE = """
import asyncio
from aiobotocore.session import get_session

SETTINGS = {{"region_name": "us-east-1", "aws_access_key_id": "a", "aws_secret_access_key": "b"}}

def create():
    return get_session().create_client("kms", **SETTINGS)

class Store:
    pass

async def own():
    return {{}}

def test_it(kms):
    async def use():
{body}
    asyncio.run(use())
"""
WITH = "async with create() as client:\n    "
CREATED = "clients of aiobotocore are created with `async with`"
AWAITED = "calls of aiobotocore's clients are awaited: `await client.create_key(...)`"
PAGES = "pages of aiobotocore's clients are iterated with `async for`"


def run(folder: Path, body: str) -> str:
    indented = "\n".join(f"        {line}" for line in body.splitlines())
    (folder / "pytest.ini").write_text("[pytest]\n")
    (folder / "test_it.py").write_text(MODULE.format(body=indented))
    with warnings.catch_warnings(record=True):
        warnings.simplefilter("default")  # for what Python finds when the run has ended
        output = run_pytest(folder)[1]
        gc.collect()  # coroutines that were never awaited, of which a later test would be told
        return output


@pytest.mark.parametrize(
    ("body", "hint"),
    [
        ("await create().create_key()", CREATED),
        ("with create() as client:\n    pass", CREATED),
        ("client = await create()", CREATED),
        (WITH + 'client.create_key()["KeyMetadata"]', AWAITED),
        (WITH + "key = client.create_key()\n    key.get('KeyMetadata')", AWAITED),
        (WITH + "for key in client.list_keys():\n        pass", AWAITED),
        (WITH + "assert 'Keys' in client.list_keys()", AWAITED),
        (WITH + "await client.describe_key(KeyId=client.create_key())", AWAITED),
        (
            "store = Store()\nasync with create() as store.client:\n"
            "    store.client.create_key().get('KeyMetadata')",
            AWAITED,
        ),
    ],
)
def test_an_error_has_the_hint(tmp_path: Path, body: str, hint: str) -> None:
    output = run(tmp_path, body)

    assert any(line.startswith("E ") and hint in line for line in output.splitlines()), output
    assert output.count(f"E           {hint}") + output.count(f"E       {hint}") <= 2


@pytest.mark.parametrize(
    ("body", "hint"),
    [
        (WITH + "client.create_key()", AWAITED),
        (WITH + 'for page in client.get_paginator("list_keys").paginate():\n        pass', PAGES),
    ],
)
def test_the_warning_of_python_has_the_hint(tmp_path: Path, body: str, hint: str) -> None:
    output = run(tmp_path, body)

    assert f"was never awaited\n  {hint}" in output, output


def test_coroutines_of_others_have_no_hint(tmp_path: Path) -> None:
    output = run(tmp_path, WITH + "await client.list_keys()\n    own()['a']")

    assert "'coroutine' object is not subscriptable" in output
    assert "aiobotocore" not in output.split("_ test_it _")[1].split("Error")[1]
