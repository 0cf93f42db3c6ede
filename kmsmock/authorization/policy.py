"""Policy documents: the checks that a text must pass to be one.

Source: IAM User Guide, "Grammar of the IAM JSON policy language".
"""

from __future__ import annotations

import json
import re
from typing import Any

from kmsmock.errors import MalformedPolicyDocumentException

VERSIONS = ("2008-10-17", "2012-10-17")
_MEMBERS = frozenset({"Version", "Id", "Statement"})
_STATEMENT_MEMBERS = frozenset(
    {"Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction"}
    | {"Resource", "NotResource", "Condition"}
)
_PRINCIPAL_TYPES = frozenset({"AWS", "Service", "Federated", "CanonicalUser"})
_ACTION = re.compile(r"\*|[a-zA-Z0-9-]+:[a-zA-Z0-9*?]+")


def parse(text: str) -> dict[str, Any]:
    """Read a key policy; raises MalformedPolicyDocumentException for what is not one.

    AWS answers without text; the defect is told in the explanation.
    """
    try:
        document = json.loads(text, object_pairs_hook=_without_repetition)
    except RecursionError:
        raise _malformed("it is nested too deeply") from None
    except ValueError as reason:
        raise _malformed(f"it is not JSON: {reason}") from None
    if not isinstance(document, dict):
        raise _malformed("a policy is a JSON object")
    _require_known(document, _MEMBERS, "the policy")
    if document.get("Version", VERSIONS[0]) not in VERSIONS:
        raise _malformed(f"Version must be one of {', '.join(VERSIONS)}")
    if not isinstance(document.get("Id", ""), str):
        raise _malformed("Id must be a text")
    statements = document.get("Statement")
    if isinstance(statements, dict):
        statements = [statements]
    if not isinstance(statements, list) or not statements:
        raise _malformed("it needs a Statement")
    for place, statement in enumerate(statements, 1):
        _check_statement(statement, f"statement {place}")
    return document


def _check_statement(statement: Any, name: str) -> None:
    if not isinstance(statement, dict):
        raise _malformed(f"{name} is not an object")
    _require_known(statement, _STATEMENT_MEMBERS, name)
    if statement.get("Effect") not in ("Allow", "Deny"):
        raise _malformed(f"{name} needs an Effect, Allow or Deny")
    if not isinstance(statement.get("Sid", ""), str):
        raise _malformed(f"the Sid of {name} must be a text")
    for member in ("Principal", "Action", "Resource"):
        if (member in statement) is (f"Not{member}" in statement):
            raise _malformed(f"{name} needs either {member} or Not{member}")
    _check_principal(statement.get("Principal", statement.get("NotPrincipal")), name)
    for action in _texts(statement.get("Action", statement.get("NotAction")), f"Action of {name}"):
        if not _ACTION.fullmatch(action):
            raise _malformed(
                f"{action!r} in {name} is not an action; write kms:Decrypt, kms:* or *"
            )
    _texts(statement.get("Resource", statement.get("NotResource")), f"Resource of {name}")
    _check_condition(statement.get("Condition", {}), name)


def _check_principal(principal: Any, name: str) -> None:
    if principal == "*":
        return
    if not isinstance(principal, dict) or not principal:
        raise _malformed(f'the Principal of {name} is "*" or an object such as {{"AWS": "…"}}')
    _require_known(principal, _PRINCIPAL_TYPES, f"the Principal of {name}")
    for kind, names in principal.items():
        _texts(names, f"Principal {kind} of {name}")


def _check_condition(condition: Any, name: str) -> None:
    if not isinstance(condition, dict):
        raise _malformed(f"the Condition of {name} is not an object")
    for operator, tests in condition.items():
        if not isinstance(tests, dict) or not tests:
            raise _malformed(f"{operator} in {name} is not an object of condition keys")
        for key, values in tests.items():
            for value in values if isinstance(values, list) else [values]:
                if not isinstance(value, (str, int, float, bool)):
                    raise _malformed(f"{key} in {name} has a value that is no text or number")


def _texts(value: Any, name: str) -> list[str]:
    texts = value if isinstance(value, list) else [value]
    if not texts or not all(isinstance(text, str) and text for text in texts):
        raise _malformed(f"the {name} must be a text or a list of texts")
    return texts


def _require_known(given: dict[str, Any], known: frozenset[str], name: str) -> None:
    unknown = sorted(given.keys() - known)
    if unknown:
        raise _malformed(f"{name} has the unknown element {unknown[0]!r}")


def _without_repetition(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise _malformed("a name occurs twice in one object")
    return members


def _malformed(defect: str) -> MalformedPolicyDocumentException:
    return MalformedPolicyDocumentException(
        "", explanation=f"The key policy is malformed: {defect}."
    )
