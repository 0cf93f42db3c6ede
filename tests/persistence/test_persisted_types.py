"""The table of what is persisted: complete, and the same as long as the format has one version."""

from __future__ import annotations

import ast
import importlib
import inspect
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kmsmock import KMSMock, mock_kms
from kmsmock.persistence.database import newest_version
from kmsmock.persistence.persisted_types import (
    CLASSES,
    ENUMS,
    FUNCTIONS,
    ITSELF,
    METHODS,
    ROOT_TYPES,
    ROOTS,
    SHOWN_STATES,
    TYPES,
    VALUES,
    Persisted,
    list_slots,
)
from kmsmock.persistence.values import NotPersistedError, Reader, Writer, list_value_fields

ROOT = Path(__file__).parents[2]
FORMAT = ROOT / "tests" / "data" / "state_format.json"
#: Where work is scheduled that a server can have in its file.
SCHEDULING = ("state", "services/ec2/answered", "services/rds/answered", "services/rds/kms_use")


def describe_format() -> dict[str, Any]:
    return {
        "version": newest_version(),
        "types": {
            each.name: {
                "fields": sorted([*each.list_fields(), *each.apart]),
                "entries": sorted(each.entries),
            }
            for each in TYPES.values()
        },
        "values": {name: list(list_value_fields(cls)) for name, cls in VALUES.items()},
        "enums": {name: sorted(cls.__members__) for name, cls in ENUMS.items()},
        "functions": {
            name: len(inspect.signature(function).parameters)
            for name, function in FUNCTIONS.items()
        },
        "methods": sorted(METHODS),
        "classes": sorted(CLASSES),
        "shown states": sorted(SHOWN_STATES),
    }


def test_each_change_of_the_format_is_a_new_version() -> None:
    """Write a migration for it, and then the file: ``python -m`` this module."""
    assert describe_format() == json.loads(FORMAT.read_text())


@pytest.fixture
def seeded() -> Iterator[KMSMock]:
    with mock_kms(isolated=True, seed=1) as kms:
        kms.client("ec2").create_volume(AvailabilityZone="us-east-1a", Size=1)
        yield kms


def test_all_attributes_of_what_every_state_has_are_written_or_left_out(seeded: KMSMock) -> None:
    for find, persisted in zip(ROOTS, ROOT_TYPES, strict=True):
        root = find(seeded.backend)
        assert type(root) is persisted.type
        if persisted.is_declared_in_full:
            assert set(vars(root)) == list_declared(persisted)


def list_declared(persisted: Persisted) -> set[str]:
    return {
        *(*persisted.list_fields(), *persisted.apart, *persisted.entries),
        *(*persisted.decisive, *persisted.left_out),
    } - {ITSELF}


@pytest.mark.parametrize("persisted", TYPES.values(), ids=lambda each: each.name)
def test_no_attribute_is_declared_that_there_is_not(persisted: Persisted) -> None:
    if not persisted.is_declared_in_full:
        assert list_declared(persisted) == set(list_slots(persisted.type))


def list_scheduled() -> Iterator[Any]:
    """Yield the functions with a time as last argument that get other arguments beforehand."""
    for folder in SCHEDULING:
        for path in (ROOT / "kmsmock" / folder).glob("*.py"):
            name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
            module = importlib.import_module(name)
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Call) and ast.unparse(node.func) == "partial":
                    function = getattr(module, ast.unparse(node.args[0]), None)
                    if inspect.isfunction(function) and is_given_a_time(function):
                        yield function


def is_given_a_time(function: Any) -> bool:
    *_, last = inspect.signature(function).parameters.values()
    return last.annotation == "datetime"


def test_all_functions_that_are_scheduled_can_be_written() -> None:
    scheduled = set(list_scheduled())

    assert len(scheduled) > 20
    assert scheduled <= set(FUNCTIONS.values())


def test_a_value_of_another_type_is_a_defect() -> None:
    class Other:
        pass

    with pytest.raises(NotPersistedError, match="Other is not persisted"):
        Writer(id).dump([Other()])


@pytest.mark.parametrize(
    "text",
    [
        '["p",["f","os.system"],"true"]',
        '["p",["f","kms.delete_everything"]]',
        '["m","__reduce__",1]',
        '["c","subprocess.Popen"]',
        '["subprocess.Popen","true"]',
        '["e","KeyState","NONE"]',
    ],
)
def test_a_text_can_name_nothing_else(text: str) -> None:
    with pytest.raises(KeyError):
        Reader(lambda number: number).load(text)


if __name__ == "__main__":
    FORMAT.write_text(json.dumps(describe_format(), indent=1) + "\n")
