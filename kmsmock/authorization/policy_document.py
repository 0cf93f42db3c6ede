"""Policy documents: what is valid, and what is wrong with others.

Source: IAM User Guide, "Grammar of the IAM JSON policy language".
"""

from __future__ import annotations

import json
import re
from enum import Enum
from typing import Any

from kmsmock.authorization.conditions import Condition
from kmsmock.aws.arns import looks_like_arn
from kmsmock.misuse.nesting import NestingError, require_bounded
from kmsmock.misuse.suggestions import did_you_mean
from kmsmock.misuse.surrogates import find_lone_surrogate
from kmsmock.misuse.values import describe

VERSIONS = ("2008-10-17", "2012-10-17")
_MEMBERS = frozenset({"Version", "Id", "Statement"})
_STATEMENT_MEMBERS = frozenset(
    {"Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction"}
    | {"Resource", "NotResource", "Condition"}
)
_PRINCIPAL_TYPES = frozenset({"AWS", "Service", "Federated", "CanonicalUser"})
#: A text without white space that ends like a name of a file, or has a folder.
_PATH = re.compile(r"[^\s{}\[\]\"]+\.(json|ya?ml|txt)|[^\s{}\[\]\"]*/[^\s{}\[\]\"]*")
_SHOWN = 60
NESTED = "it is nested too deeply"
#: How deep a policy can be nested; the values of conditions, which are the deepest, are at 6.
_DEEPEST = 16
#: The most characters of a policy document in any request. Source: IAM API Reference, the length
#: constraints of PolicyDocument; AWS KMS API Reference, those of Policy.
_LONGEST = 131_072
_ACTION = re.compile(r"\*(?::\*)?|[a-zA-Z0-9-]+:[a-zA-Z0-9*?]+")


class Defect(Enum):
    """What is wrong with a malformed policy, as far as AWS's answers distinguish it."""

    JSON = "it is not JSON"
    SYNTAX = "an element is missing, unknown or of the wrong kind"
    NO_PRINCIPAL = "a statement has no Principal"
    PRINCIPAL = "a statement has a Principal that this kind of policy cannot have"
    NO_ACTION = "a statement has no Action"
    ACTION = "a statement has a malformed action"
    NO_RESOURCE = "a statement has no Resource"
    TRUST_ACTION = "a trust policy has actions of other services than STS"
    UNKNOWN_PRINCIPAL = "a trust policy names a user or role that does not exist"
    RESOURCE = "a statement has a Resource that this kind of policy cannot have"


class MalformedPolicyError(ValueError):
    """A text is not a valid policy; the message names the defect."""

    def __init__(
        self, message: str, defect: Defect = Defect.SYNTAX, subject: str | None = None
    ) -> None:
        super().__init__(message)
        self.defect = defect
        #: What AWS's message names, if it names something.
        self.subject = subject


class PolicyKind(Enum):
    """The type of a policy, as AWS's access denied messages name it."""

    RESOURCE = "resource-based policy"
    IDENTITY = "identity-based policy"
    BOUNDARY = "permissions boundary"
    SESSION = "session policy"
    SERVICE_CONTROL = "service control policy"
    RESOURCE_CONTROL = "resource control policy"
    TRUST = "trust policy"

    @property
    def with_article(self) -> str:
        """The type with its indefinite article."""
        return f"{'an' if self is PolicyKind.IDENTITY else 'a'} {self.value}"


def read_document(text: str) -> dict[str, Any]:
    """Return the parsed JSON of a policy; raises MalformedPolicyError."""
    if len(text) > _LONGEST:
        raise MalformedPolicyError(
            f"it has {len(text):,} characters; AWS accepts at most {_LONGEST:,} as any policy"
        )
    try:
        document = json.loads(
            text, object_pairs_hook=_without_repetition, parse_constant=_refuse_constant
        )
        require_bounded(document, _DEEPEST)
    except (RecursionError, NestingError):
        raise MalformedPolicyError(NESTED) from None
    except MalformedPolicyError:
        raise
    except ValueError as reason:
        hint = _explain_no_json(text)
        raise MalformedPolicyError(f"it is not JSON: {reason}{hint}", Defect.JSON) from None
    found = find_lone_surrogate(document)
    if found is not None:
        raise MalformedPolicyError(f"it has the lone surrogate {found}, which is no character")
    if not isinstance(document, dict):
        what = "a list" if isinstance(document, list) else f"the value {text[:_SHOWN]}"
        raise MalformedPolicyError(f"a policy is a JSON object, not {what}")
    return document


def _explain_no_json(text: str) -> str:
    """Return what a text seems to be that is no policy, for the end of an error."""
    if looks_like_arn(text):
        return f"; {text[:_SHOWN]!r} is an ARN, and here stands the document itself"
    if not text.strip():
        return "; the text is empty"
    if _PATH.fullmatch(text):
        return f"; if {text[:_SHOWN]!r} is the path of a file, pass its content: read_text()"
    if "{" not in text:
        return "; a policy is the text of a JSON object, as json.dumps returns it"
    return ""


def check_document(document: dict[str, Any], kind: PolicyKind) -> None:
    """Raise MalformedPolicyError for a document that is not a valid policy of its kind."""
    if "Statement" not in document and "Effect" in document:
        raise MalformedPolicyError('this is a statement; a policy has it inside: {"Statement": …}')
    _require_known(document, _MEMBERS, "the policy")
    if document.get("Version", VERSIONS[0]) not in VERSIONS:
        raise MalformedPolicyError(f"Version must be one of {', '.join(VERSIONS)}")
    if not isinstance(document.get("Id", ""), str):
        raise MalformedPolicyError("Id must be a text")
    statements = document.get("Statement")
    if isinstance(statements, dict):
        statements = [statements]
    if statements == []:
        raise MalformedPolicyError("its Statement is empty: a policy has at least one statement")
    if not isinstance(statements, list):
        raise MalformedPolicyError("it needs a Statement")
    for number, statement in enumerate(statements, 1):
        _check_statement(statement, f"statement {number}", kind)


def _check_statement(statement: Any, name: str, kind: PolicyKind) -> None:
    if not isinstance(statement, dict):
        raise MalformedPolicyError(f"{name} is not an object")
    _require_known(statement, _STATEMENT_MEMBERS, name)
    if statement.get("Effect") not in ("Allow", "Deny"):
        value = f", not {describe(statement['Effect'])}" if "Effect" in statement else ""
        raise MalformedPolicyError(f"{name} needs an Effect, Allow or Deny{value}")
    if not isinstance(statement.get("Sid", ""), str):
        raise MalformedPolicyError(f"the Sid of {name} must be a text")
    for member in ("Principal", "Action", "Resource"):
        if member in statement and f"Not{member}" in statement:
            raise MalformedPolicyError(f"{name} has both {member} and Not{member}")
    _check_elements_of_kind(statement, name, kind)
    for member in ("Action", "NotAction"):
        for action in _texts(statement, member, name):
            if not _ACTION.fullmatch(action):
                raise MalformedPolicyError(
                    f"{action!r} in {name} is not an action; write kms:Decrypt, kms:* or *",
                    Defect.ACTION,
                )
    for member in ("Resource", "NotResource"):
        _texts(statement, member, name)
    _check_condition(statement.get("Condition", {}), name)


def _check_elements_of_kind(statement: dict[str, Any], name: str, kind: PolicyKind) -> None:
    principal = statement.get("Principal", statement.get("NotPrincipal"))
    if kind is PolicyKind.RESOURCE:
        if "Principal" not in statement and "NotPrincipal" not in statement:
            raise MalformedPolicyError(
                f"{name} needs a Principal or NotPrincipal", Defect.NO_PRINCIPAL
            )
        _check_principal(principal, name)
        return
    if kind is PolicyKind.TRUST:
        if "Resource" in statement or "NotResource" in statement:
            raise MalformedPolicyError(
                f"{name} has a Resource, which a trust policy cannot have", Defect.RESOURCE
            )
        _check_principal(principal, name)
        return
    if kind is PolicyKind.RESOURCE_CONTROL:
        if principal != "*":
            raise MalformedPolicyError(f'the Principal of {name} must be "*"')
    elif principal is not None:
        raise MalformedPolicyError(
            f"{name} has a Principal, which {kind.with_article} cannot have", Defect.PRINCIPAL
        )
    for member, defect in (("Action", Defect.NO_ACTION), ("Resource", Defect.NO_RESOURCE)):
        if member not in statement and f"Not{member}" not in statement:
            raise MalformedPolicyError(f"{name} needs {member} or Not{member}", defect)


def _check_principal(principal: Any, name: str) -> None:
    if principal == "*":
        return
    if principal in ({}, [], "") or (
        isinstance(principal, dict) and not any(value != [] for value in principal.values())
    ):
        raise MalformedPolicyError(f"the Principal of {name} is empty", Defect.NO_PRINCIPAL)
    if not isinstance(principal, dict) or not principal:
        raise MalformedPolicyError(
            f'the Principal of {name} is "*" or an object such as {{"AWS": "…"}}'
        )
    _require_known(principal, _PRINCIPAL_TYPES, f"the Principal of {name}")
    for kind in principal:
        _texts(principal, kind, f"the Principal of {name}")


def _check_condition(condition: Any, name: str) -> None:
    if not isinstance(condition, dict):
        raise MalformedPolicyError(f"the Condition of {name} is not an object")
    for operator, tests in condition.items():
        if not isinstance(tests, dict) or not tests:
            raise MalformedPolicyError(f"{operator} in {name} is not an object of condition keys")
        for key, values in tests.items():
            for value in as_list(values):
                if not isinstance(value, (str, int, float, bool)):
                    raise MalformedPolicyError(
                        f"{key} in {name} has a value that is no text, number or boolean"
                    )
            try:
                Condition(operator, key, ())
            except ValueError as reason:
                raise MalformedPolicyError(f"{reason}, in {name}") from None


def _texts(element: dict[str, Any], member: str, name: str) -> list[str]:
    if member not in element:
        return []
    texts = as_list(element[member])
    if not texts or not all(isinstance(text, str) and text for text in texts):
        raise MalformedPolicyError(f"{member} of {name} must be a text or a list of texts")
    return texts


def _require_known(element: dict[str, Any], known: frozenset[str], name: str) -> None:
    unknown = sorted(element.keys() - known)
    if unknown:
        hint = did_you_mean(unknown[0], sorted(known))
        raise MalformedPolicyError(f"{name} has the unknown element {unknown[0]!r}{hint}")


def _without_repetition(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise MalformedPolicyError("a name occurs twice in one object")
    return members


def _refuse_constant(name: str) -> None:
    raise MalformedPolicyError(f"it is not JSON: {name} is no number")


def as_list(value: Any) -> list[Any]:
    """Return a list as it is, and another value as a list of one."""
    return value if isinstance(value, list) else [value]
