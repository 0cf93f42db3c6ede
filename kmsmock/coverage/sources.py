"""Find the files in which the policies of a run are written.

A policy is found by its content, since tests read files themselves: in JSON and YAML files with a
policy anywhere in them, such as files of policies, worlds, CloudFormation templates, and plans of
Terraform (``terraform show -json``), and in Terraform's configuration as a heredoc.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from kmsmock.authorization.policy_document import as_list
from kmsmock.coverage.as_json import FORMAT
from kmsmock.coverage.elements import list_elements
from kmsmock.coverage.located_values import Located, read_json, read_yaml
from kmsmock.coverage.records import CoveredPolicy, Records, Source, canonical, merge
from kmsmock.misuse.input_files import read_bytes

_SUFFIXES = (".json", ".tf", ".tfplan", ".yaml", ".yml", ".template")
#: Folders in which nobody keeps policies of tests, beside those whose names begin with a dot.
_LEFT_OUT = frozenset({"__pycache__", "build", "dist", "node_modules", "site-packages", "venv"})
_MOST_BYTES = 4 * 2**20
_MOST_FILES = 5000
_MEMBERS = frozenset({"Version", "Id", "Statement"})
_HEREDOC = re.compile(r"<<[-~]?\s*\"?(\w+)\"?[ \t]*\r?\n(.*?)\n[ \t]*\1\b", re.DOTALL)


def add_sources(records: Records, folder: Path, files: Iterable[Path] = ()) -> Records:
    """Return records whose policies know their files; those in the same place are one.

    folder: where files are searched, and which paths are relative to. files: others.
    """
    wanted = {_text_of(policy.document) for policy in records.policies if not policy.is_fixed}
    found = dict(_find(wanted, folder, files))
    if not found:
        return records
    for policy in records.policies:
        match = found.get(_text_of(policy.document))
        if match is not None and not policy.is_fixed:
            policy.source = _source_of(*match, policy)
    return merge([records])


def _find(
    wanted: set[str], folder: Path, files: Iterable[Path]
) -> Iterator[tuple[str, tuple[str, Located]]]:
    """Yield for each wanted policy, as text, the first file with it, and the policy there."""
    known: set[str] = set()
    for path in dict.fromkeys([*sorted(_list_files(folder)), *files]):
        name = os.path.relpath(path, folder) if path.is_relative_to(folder) else str(path)
        for policy in _read_policies(path):
            text = _text_of(canonical(policy.plain))
            if text in wanted and text not in known:
                known.add(text)
                yield text, (name.replace(os.sep, "/"), policy)


def _text_of(document: Mapping[str, Any]) -> str:
    # The Version and Id can come from a tool, or be left out, but the Version has a meaning.
    return json.dumps([document.get("Version"), document["Statement"]])


def _list_files(folder: Path) -> Iterator[Path]:
    count = 0
    for directory, folders, names in os.walk(folder):
        folders[:] = sorted(
            one for one in folders if not one.startswith(".") and one not in _LEFT_OUT
        )
        for name in sorted(names):
            if name.endswith(_SUFFIXES):
                count += 1
                if count > _MOST_FILES:
                    return
                yield Path(directory, name)


def _read_policies(path: Path) -> Iterator[Located]:
    """Yield the policies in a file; none if it cannot be read."""
    try:
        text = read_bytes(path, _MOST_BYTES).decode()
        if "Statement" not in text:
            return
        for document in _read_documents(path, text):
            yield from _policies_in(document)
    except (OSError, ValueError, RecursionError, TypeError):
        return


def _read_documents(path: Path, text: str) -> Iterator[Located]:
    if path.suffix == ".tf":
        for heredoc in _HEREDOC.finditer(text):
            before = text.count("\n", 0, heredoc.start(2))
            yield read_json("\n" * before + heredoc[2])
    elif path.suffix in (".yaml", ".yml") or (
        path.suffix == ".template" and not text.lstrip().startswith("{")
    ):
        yield from read_yaml(text)
    else:
        document = read_json(text)
        if not _is_our_own(document):
            yield document


def _is_our_own(document: Located) -> bool:
    """Return whether a document is policy coverage, which has all policies in it."""
    members = document.value if isinstance(document.value, dict) else {}
    return "format" in members and members["format"].value == FORMAT


def _policies_in(document: Located) -> Iterator[Located]:
    for located in document.walk():
        value = located.value
        if isinstance(value, str) and '"Statement"' in value:
            try:
                inner = read_json(value)
            except (ValueError, RecursionError):
                continue
            for each in inner.walk():
                each.line = located.line
            if _is_policy(inner):
                yield inner
        elif _is_policy(located):
            yield located


def _is_policy(located: Located) -> bool:
    value = located.value
    if not isinstance(value, dict) or "Statement" not in value or not value.keys() <= _MEMBERS:
        return False
    try:
        canonical(located.plain)
    except (AttributeError, TypeError):  # with elements of other types, as functions of templates
        return False
    return all(isinstance(one, dict) for one in as_list(located.plain["Statement"]))


def _source_of(path: str, located: Located, policy: CoveredPolicy) -> Source:
    statement = located.value["Statement"]
    statements: list[Located] = (
        statement.value if isinstance(statement.value, list) else [statement]
    )
    return Source(
        path,
        located.line,
        tuple(each.line for each in statements),
        tuple(tuple(_lines_of(each, policy)) for each in statements),
    )


def _lines_of(statement: Located, policy: CoveredPolicy) -> Iterator[int]:
    """Yield the line of each element of a statement."""
    for element in list_elements(statement.plain, policy.kind):
        names = element.name.split(" ") if element.is_condition else [element.name]
        place = statement if not element.is_condition else statement.value["Condition"]
        line = statement.line
        for name in names:
            member = place.value.get(name)
            if member is None:
                break
            place, line = member, member.line
        yield line
