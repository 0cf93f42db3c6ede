"""Key policies as text: the default key policy, and how KMS stores others."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from kmsmock.authorization.policy import Policy, as_text
from kmsmock.authorization.policy_document import as_list
from kmsmock.aws.arns import name_account_by_root, name_root_by_account, root_arn
from kmsmock.aws.regions import partition_of

#: The members of a policy and of a statement, in the order in which KMS returns them.
_ORDER = ("Version", "Id", "Statement")
_STATEMENT_ORDER = (
    *("Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction"),
    *("Resource", "NotResource", "Condition"),
)
#: An escape in JSON text; the group is the number of a control character.
_ESCAPE = re.compile(r"\\(?:u([0-9a-f]{4})|.)")
_PRINCIPAL_ELEMENTS = frozenset({"Principal", "NotPrincipal"})


def default_policy(account: str, region: str) -> str:
    """Return the default key policy of keys that are created without one, as JSON text.

    Source: AWS KMS Developer Guide, "Default key policy".
    """
    root = root_arn(partition_of(region), account)
    return pretty(
        {
            "Version": "2012-10-17",
            "Id": "key-default-1",
            "Statement": [
                {
                    "Sid": "Enable IAM User Permissions",
                    "Effect": "Allow",
                    "Principal": {"AWS": root},
                    "Action": "kms:*",
                    "Resource": "*",
                }
            ],
        }
    )


# Depends on its arguments alone; a policy never changes, and the same text is one object.
@lru_cache(maxsize=4096)
def normalize(policy: Policy, partition: str) -> str:
    """Return the JSON text that KMS stores and returns for a key policy.

    KMS does not keep the text that it was sent: members come back in the order Version, Id,
    Statement, and Sid, Effect, Principal, Action, Resource, Condition, indented; an account id as
    principal is the ARN of the account's root user; a list of one value is that value. Source: IAM
    User Guide, "AWS JSON policy elements: Principal", "AWS account principals"; policies that
    Cloud Custodian's tests put and got back (`tests/data/placebo/test_cross_account_kms*`);
    Terraform's AWS provider, on lists of one principal in key policies (hashicorp/terraform 13973).

    partition: that of the key, for the ARNs of accounts.
    """
    document = dict(policy.document)
    document["Statement"] = [
        {
            name: _normalize_element(name, statement[name], partition)
            for name in _STATEMENT_ORDER
            if name in statement
        }
        for statement in as_list(document["Statement"])
    ]
    return pretty({name: document[name] for name in _ORDER if name in document})


def shorten(policy: Policy) -> dict[str, Any]:
    """Return a key policy in the shortest form that KMS can have been sent, for its size.

    KMS returns the ARNs of root users for account ids, and a list for a single statement.
    """
    document = dict(policy.document)
    document["Statement"] = _single_or_list(
        [
            {
                name: _map_principals(element, name_root_by_account)
                if name in _PRINCIPAL_ELEMENTS
                else element
                for name, element in statement.items()
            }
            for statement in as_list(document["Statement"])
        ]
    )
    return document


def _normalize_element(name: str, element: Any, partition: str) -> Any:
    if name in _PRINCIPAL_ELEMENTS:
        return _map_principals(element, lambda name: name_account_by_root(name, partition))
    if name == "Condition":
        return {operator: _normalize_tests(tests) for operator, tests in element.items()}
    return _single_or_list(as_list(element)) if isinstance(element, list) else element


def _normalize_tests(tests: Mapping[str, Any]) -> dict[str, Any]:
    """Return the tests of a condition operator, sorted by condition key, with texts as values."""
    return {
        key: _single_or_list([as_text(value) for value in as_list(values)])
        for key, values in sorted(tests.items())
    }


def _single_or_list(values: list[Any]) -> Any:
    return values[0] if len(values) == 1 else values


def replace_principals(text: str, rename: Callable[[str], str]) -> str:
    """Return the text of a stored key policy with other names of AWS principals.

    rename: returns the name that replaces a name, or the same.
    """
    document = json.loads(text)
    for statement in document["Statement"]:
        for name in _PRINCIPAL_ELEMENTS & statement.keys():
            statement[name] = _map_principals(statement[name], rename)
    return pretty(document)


def _map_principals(element: Any, rename: Callable[[str], str]) -> Any:
    """Replace the names of AWS principals; each is then listed once, since KMS has them as a set.

    Source: aws/aws-cli 9456, where KMS returns the same principals in varying order.
    """
    if isinstance(element, str):
        return element
    return {
        kind: _single_or_list(
            list(dict.fromkeys(map(rename, as_list(names)) if kind == "AWS" else as_list(names)))
        )
        for kind, names in element.items()
    }


def pretty(value: Any, depth: int = 1) -> str:
    """Format JSON as KMS formats key policies: objects indented, lists on one line."""
    if isinstance(value, Mapping):
        if not value:
            return "{ }"
        indent = "  " * depth
        members = (f"{indent}{_quote(k)} : {pretty(v, depth + 1)}" for k, v in value.items())
        return "{\n" + ",\n".join(members) + "\n" + "  " * (depth - 1) + "}"
    if isinstance(value, list):
        return f"[ {', '.join(pretty(item, depth) for item in value)} ]" if value else "[ ]"
    return _quote(value)


def _quote(value: Any) -> str:
    """Return a JSON text; control characters as Jackson escapes them, whose format KMS has."""
    text = json.dumps(value, ensure_ascii=False)
    return _ESCAPE.sub(lambda found: f"\\u{found[1].upper()}" if found[1] else found[0], text)
