"""A connected object is used like the control object of a mock in the same process."""

from __future__ import annotations

import copy
import gc
import pickle
from pathlib import Path
from typing import Any

import pytest

import kmsmock
from kmsmock import KMSMock
from kmsmock.remote import objects
from kmsmock.remote.objects import SESSIONS
from tests.remote.in_process import Direct, connect_directly

OTHER = "111122223333"
DOCS = (Path(__file__).parents[2] / "docs" / "server.md").read_text()


@pytest.fixture
def key(kms: Any) -> Any:
    return kms.client().create_key()["KeyMetadata"]["KeyId"]


# --- what it is -------------------------------------------------------------------------------


@pytest.mark.usefixtures("key")
def test_it_is_a_control_object_with_objects_of_the_public_types(kms: Any) -> None:
    account = kms.account(OTHER)

    assert isinstance(kms, KMSMock)
    assert isinstance(account, kmsmock.Account)
    assert isinstance(account.role("App"), kmsmock.Principal)
    assert isinstance(kms.calls[-1], kmsmock.Call)
    assert isinstance(kms.explain(account.root, "kms:ListKeys"), kmsmock.Decision)
    assert isinstance(kms.costs, kmsmock.Costs)
    assert isinstance(kms.checkpoint(), kmsmock.Checkpoint)


@pytest.mark.usefixtures("key")
def test_its_repr_says_that_it_is_of_a_server(kms: Any) -> None:
    assert repr(kms) == "<KMSMock of a server: 1 key, 1 call>"


@pytest.mark.usefixtures("key")
def test_equal_objects_of_the_server_are_equal_here_and_the_same_are_the_same(kms: Any) -> None:
    assert kms.keys[0] is kms.keys[0]
    assert kms.account(OTHER) == kms.account(OTHER)
    assert hash(kms.account(OTHER)) == hash(kms.account(OTHER))
    assert kms.account(OTHER) != kms.account("444455556666")
    assert kms.account(OTHER) != object()


def test_what_cannot_be_hashed_there_cannot_be_hashed_here(kms: Any) -> None:
    with pytest.raises(TypeError, match="unhashable"):
        hash(kms.calls)


@pytest.mark.parametrize("copied", [pickle.dumps, copy.copy, copy.deepcopy])
def test_it_is_neither_pickled_nor_copied(kms: Any, copied: Any) -> None:
    with pytest.raises(TypeError, match="connect again in the other process"):
        copied(kms.clock)


@pytest.mark.usefixtures("key")
def test_attributes_cannot_be_set(kms: Any) -> None:
    with pytest.raises(AttributeError, match="'description' cannot be set"):
        kms.keys[0].description = "other"


def test_the_example_of_the_documentation_is_true(
    direct: Direct, monkeypatch: pytest.MonkeyPatch
) -> None:
    example = DOCS.partition("<!-- connect -->\n```python\n")[2].partition("```")[0]
    monkeypatch.setattr(kmsmock, "connect", lambda _: connect_directly(direct))

    exec(compile(example, "docs/server.md", "exec"), {})

    assert direct.is_closed


# --- messages ---------------------------------------------------------------------------------


def test_what_never_changes_is_not_asked_for(kms: Any, key: str, direct: Direct) -> None:
    found = kms.keys[0]
    asked = len(direct.messages)

    assert (found.key_id, found.account, found.spec.name) == (
        key,
        "123456789012",
        "SYMMETRIC_DEFAULT",
    )
    assert len(direct.messages) == asked


@pytest.mark.usefixtures("key")
def test_records_of_calls_are_sent_as_a_whole(kms: Any, direct: Direct) -> None:
    calls = list(kms.calls)
    asked = len(direct.messages)

    assert [(call.operation, call.error_code) for call in calls] == [("CreateKey", None)]
    assert len(direct.messages) == asked


def test_what_is_no_longer_held_is_let_go_there(kms: Any, direct: Direct) -> None:
    account = kms.account(OTHER)
    del account
    gc.collect()
    kms.clock.now()

    session = next(iter(direct.application._control_plane._control.objects._sessions.values()))
    assert [type(thing).__name__ for thing, _ in session._held.values()] == ["Clock"]


@pytest.mark.usefixtures("key")
def test_an_object_that_is_sent_again_while_it_is_let_go_stays(kms: Any) -> None:
    first = kms.keys[0]
    link = first._kmsmock_link
    link.session._released.append(link)  # as if it had been collected in between

    again = kms.keys[0]

    assert again.state.value == "Enabled"


def test_a_misspelt_name_is_not_asked_for(kms: Any, direct: Direct) -> None:
    asked = len(direct.messages)

    assert not hasattr(kms, "pytestmark")
    with pytest.raises(AttributeError, match=r"no attribute 'cost'; did you mean 'costs'\?"):
        kms.cost  # noqa: B018
    assert len(direct.messages) == asked


# --- the end ----------------------------------------------------------------------------------


def test_a_with_statement_ends_the_connection(direct: Direct) -> None:
    with connect_directly(direct) as kms:
        clock = kms.clock

    assert direct.is_closed
    with pytest.raises(RuntimeError, match="was closed: connect again"):
        clock.now()
    kms.close()


def test_the_default_principal_of_a_block_ends_with_the_connection(
    direct: Direct, served: KMSMock
) -> None:
    with connect_directly(direct) as kms:
        kms.account(OTHER).role("App").__enter__()
        assert len(served._backend.identities.defaults) == 2

    assert len(served._backend.identities.defaults) == 1


@pytest.mark.usefixtures("key")
def test_after_a_restart_the_control_object_is_of_the_new_server(kms: Any, direct: Direct) -> None:
    direct.restart()

    assert kms.keys == ()


@pytest.mark.usefixtures("key")
def test_after_a_restart_other_objects_say_that_they_are_gone(kms: Any, direct: Direct) -> None:
    found = kms.keys[0]
    direct.restart()

    with pytest.raises(RuntimeError, match="since the server was started again"):
        found.state  # noqa: B018


def test_objects_from_before_a_restart_are_none_of_those_afterwards(
    kms: Any, direct: Direct
) -> None:
    before = kms.clock
    direct.restart()
    after = kms.clock

    assert before is not after
    assert after.now()
    for use in (before.now, lambda: kms.calls.filter(caller=before)):
        with pytest.raises(RuntimeError, match="since the server was started again"):
            use()


def test_a_repr_never_fails(kms: Any, direct: Direct) -> None:
    clock = kms.clock
    direct.restart()

    assert repr(clock) == "<Clock of http://localhost:4599, which is not reached>"


def test_of_many_sessions_the_one_that_was_unused_for_longest_ends(
    kms: Any, direct: Direct, served: KMSMock
) -> None:
    clock, used = kms.clock, connect_directly(direct)
    kms.account(OTHER).role("App").__enter__()
    others = []
    for _ in range(SESSIONS - 1):
        others.append(connect_directly(direct))
        used.clock.now()

    assert len(served._backend.identities.defaults) == 1
    with pytest.raises(RuntimeError, match="of a connection that was not used for long"):
        clock.now()
    assert kms.keys == ()


def test_a_process_holds_a_limited_number_of_objects(
    kms: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(objects, "OBJECTS", 2)
    held = [kms.account(OTHER), kms.account(OTHER)]

    with pytest.raises(RuntimeError, match="this process holds 2 objects of the server: let some"):
        kms.account(OTHER)
    held.clear()
    assert kms.account(OTHER).id == OTHER
