"""What completion shows on the control object is what the reference lists.

``python -m tests.test_reference > docs/reference.md`` writes the page again from the docstrings.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

import kmsmock
from kmsmock import KMSMock, KmsServer, mock_kms
from kmsmock.ledger.call_record import MEMBERS

PAGE = Path(__file__).parents[1] / "docs" / "reference.md"
INTRODUCTION = """\
# Reference

What there is on the objects that a test holds, by the first line of each docstring;
`help(kms.explain)`, for example, has more.
"""
TYPES = """\
## Names of the package

`from kmsmock import ...`, also to annotate with. They are imported when they are first used.
"""
CALL = """\
Assertions and `kms.calls.filter(...)` find a `Call` by {members}; it has
`decision` beside them.
"""
OF_SEQUENCES = ("count", "index")
OTHER = "111122223333"
#: The objects of the reference, by their titles.
OBJECTS: dict[str, Callable[[KMSMock], object]] = {
    "`kms`, a `KMSMock`": lambda kms: kms,
    "`kms.clock`": lambda kms: kms.clock,
    "`kms.calls`": lambda kms: kms.calls,
    "`kms.costs`, `Costs`": lambda kms: kms.costs,
    "`kms.faults`": lambda kms: kms.faults,
    "`kms.quotas`": lambda kms: kms.quotas,
    "`kms.quotas.headroom()`": lambda kms: kms.quotas.headroom(),
    "`kms.quotas.headroom().quotas[0]`": lambda kms: use_a_quota(kms).headroom().quotas[0],
    "`kms.secrets`": lambda kms: kms.secrets,
    "`kms.trail`": lambda kms: kms.trail,
    "`kms.attestation`": lambda kms: kms.attestation,
    "`kms.ebs`": lambda kms: kms.ebs,
    "`kms.rds`": lambda kms: kms.rds,
    "`kms.account(id)`, an `Account`": lambda kms: kms.account(OTHER),
    "`kms.principal(arn)`, `account.user(name)`, `account.role(name)`, a `Principal`": (
        lambda kms: kms.account(OTHER).role("App")
    ),
    # One that runs would have to be stopped.
    "`kms_server`, a `KmsServer`": lambda _: KmsServer.__new__(KmsServer),
}


def use_a_quota(kms: KMSMock) -> Any:
    kms.client().list_keys()
    return kms.quotas


def public_names(thing: object) -> list[str]:
    return [name for name in dir(thing) if not name.startswith("_")]


def rows(thing: object) -> Iterator[str]:
    if isinstance(thing, Sequence):
        yield "| `len()`, `[...]`, `in`, `for`, `count`, `index` | as of any sequence |"
    for name in public_names(thing):
        if not (isinstance(thing, Sequence) and name in OF_SEQUENCES):
            yield row(name, getattr(type(thing), name))


def row(name: str, member: Any) -> str:
    first_line = inspect.getdoc(member).splitlines()[0].rstrip(".").replace("``", "`")
    return f"| `{name}{in_parentheses(member)}` | {first_line} |"


def in_parentheses(member: Any) -> str:
    """Give the parameters of a function without their types; nothing for other things."""
    if not inspect.isroutine(member):
        return ""
    signature = inspect.signature(member)
    named = [p for p in signature.parameters.values() if p.name != "self"]
    bare = [parameter.replace(annotation=parameter.empty) for parameter in named]
    without_types = signature.replace(parameters=bare, return_annotation=signature.empty)
    return str(without_types).replace("'", '"')


def page() -> str:
    sections = [INTRODUCTION]
    with mock_kms(isolated=True) as kms:
        for title, of in OBJECTS.items():
            sections += [f"\n## {title}\n\n", "| name | what |\n|---|---|\n"]
            sections += [f"{line}\n" for line in rows(of(kms))]
    sections += ["\n", TYPES, "\n| name | what |\n|---|---|\n"]
    sections += [f"{row(name, getattr(kmsmock, name))}\n" for name in kmsmock.__all__]
    members = ", ".join(f"`{name}`" for name in MEMBERS)
    return "".join([*sections, "\n", CALL.format(members=members)])


@pytest.mark.skipif(sys.flags.optimize > 1, reason="python -OO leaves out docstrings")
def test_the_reference_lists_what_completion_shows() -> None:
    renewed = "renew it: python -m tests.test_reference > docs/reference.md"
    assert PAGE.read_text(encoding="utf-8") == page(), renewed


@pytest.mark.parametrize("title", OBJECTS)
def test_each_public_member_has_a_docstring_of_its_own(kms: KMSMock, title: str) -> None:
    thing = OBJECTS[title](kms)
    kind: Any = type(thing)

    assert [name for name in public_names(thing) if not inspect.getdoc(getattr(kind, name))] == []
    # An attribute of the instance alone would be completed without a docstring.
    assert {*public_names(thing)} == {*public_names(kind)} - kind._internal


def test_all_types_that_a_test_annotates_with_are_names_of_the_package() -> None:
    assert set(kmsmock.__all__) == {
        *("KMSMock", "KMSMocker", "mock_kms", "current", "RealAWSBlocked", "RealKMSBlocked"),
        *("KmsKey", "connect"),
        *("KmsKeyFactory", "Account", "Principal", "Call", "Decision", "Costs", "Checkpoint"),
        *("KmsServer", "WorldError"),
    }
    assert set(dir(kmsmock)) == {*kmsmock.__all__, "__version__"}


@pytest.mark.parametrize("name", kmsmock.__all__)
def test_a_name_of_the_package_is_the_name_of_what_it_is(name: str) -> None:
    assert getattr(kmsmock, name).__name__ == name


def test_what_a_test_gets_are_objects_of_these_types() -> None:
    with mock_kms(isolated=True) as kms:
        account = kms.account(OTHER)
        kms.client().list_keys()

        assert isinstance(kms, kmsmock.KMSMock)
        assert isinstance(account, kmsmock.Account)
        assert isinstance(account.role("App"), kmsmock.Principal)
        assert isinstance(kms.calls[-1], kmsmock.Call)
        assert isinstance(kms.explain(account.root, "kms:ListKeys"), kmsmock.Decision)
        assert isinstance(kms.costs, kmsmock.Costs)
        assert isinstance(kms.checkpoint(), kmsmock.Checkpoint)


def test_the_key_factory_gives_objects_of_these_types(kms_key_factory: Any) -> None:
    assert isinstance(kms_key_factory, kmsmock.KmsKeyFactory)
    assert isinstance(kms_key_factory(), kmsmock.KmsKey)


if __name__ == "__main__":
    sys.stdout.write(page())
