"""Actions and condition keys in policies that KMS does not have, and what was meant by them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache

from kmsmock.authorization.conditions import Condition
from kmsmock.authorization.joined_texts import JoinedTexts
from kmsmock.authorization.pattern_sets import PatternTree
from kmsmock.authorization.policy import Policy, Statement
from kmsmock.authorization.policy_document import as_list
from kmsmock.authorization.wildcards import tokens_of
from kmsmock.aws.condition_keys import CONDITION_KEYS, get_condition_key
from kmsmock.aws.operations import permissions
from kmsmock.misuse.caller_warnings import warn_caller
from kmsmock.misuse.suggestions import get_nearest

_PREFIX, _ALL = "kms:", "kms:*"
#: How similar a known name must be to a misspelt one, from 0 to 1.
_SIMILAR = 0.8
#: For how many names of a policy a similar one is searched; the others are counted.
_MOST = 30
_SEPARATOR = re.compile("[:/.]")


def find_misspelt(policy: Policy) -> Mapping[Statement | None, Sequence[str]]:
    """Find the actions and condition keys that KMS does not have, each with what was meant.

    AWS accepts them in policies. Those that are like no known name may be new, and are accepted,
    too. Returns the findings in each statement; of many names only some are looked at, and None
    has the number of the others.
    """
    found: dict[Statement | None, list[str]] = {}
    unknown: list[tuple[Statement, str | Condition]] = []
    for statement in policy.statements:
        unknown += [(statement, name) for name in _list_unknown_actions(statement)]
        unknown += [(statement, key) for key in _list_unknown_keys(statement)]
    for statement, name in unknown[:_MOST]:
        text = _explain_action(name) if isinstance(name, str) else _explain_key(name)
        if text is not None:
            found.setdefault(statement, []).append(text)
    if len(unknown) > _MOST:
        more = len(unknown) - _MOST
        found[None] = [f"KMS has none of {more:,} more of its actions and condition keys"]
    return found


def warn_of_misspelt(policy: Policy, name: str) -> None:
    """Warn of misspelt actions and condition keys where a policy is given, since AWS accepts them.

    name: of the policy.
    """
    for statement, texts in find_misspelt(policy).items():
        where = name if statement is None else f"{name}, {statement.name}"
        for text in texts:
            warn_caller(f"{where}: {text}")


# --- actions ------------------------------------------------------------------------------------


def _list_unknown_actions(statement: Statement) -> list[str]:
    """Return the actions of a statement that mean no action of KMS, and none of other services."""
    elements = (statement.source.get(name, []) for name in ("Action", "NotAction"))
    actions = [action for element in elements for action in as_list(element)]
    own = [one for one in actions if one.lower().startswith(_PREFIX) and one.lower() != _ALL]
    if not own:
        return []
    known = tuple(action.lower() for action in permissions())
    texts = _join(known)
    return [
        action
        for action in own
        if action.lower() not in known
        and not PatternTree([tokens_of(action.lower())]).match_any(texts)
    ]


# Tests can declare operations.
@lru_cache(maxsize=4)
def _join(actions: tuple[str, ...]) -> JoinedTexts:
    return JoinedTexts(actions)


def _explain_action(action: str) -> str | None:
    """Return a sentence with the actions that a misspelt one means; None if there is none.

    action: can have wildcards.
    """
    longer = [each for each in permissions() if each.lower().startswith(action.lower())]
    if len(longer) > 1:
        meant: str | None = " or ".join(longer)
    else:
        meant = get_nearest(action.rstrip("*?"), permissions(), _SIMILAR)
    return None if meant is None else f"KMS has no action {action}; did you mean {meant}?"


# --- condition keys -----------------------------------------------------------------------------


def _list_unknown_keys(statement: Statement) -> list[Condition]:
    return [
        condition
        for condition in statement.conditions
        if condition.lower_key.startswith(_PREFIX)
        and get_condition_key(condition.lower_key) is None
    ]


def _explain_key(condition: Condition) -> str | None:
    """Return a sentence with the condition key that a misspelt one means; None if there is none."""
    known = [key.name for lower, key in CONDITION_KEYS.items() if lower.startswith(_PREFIX)]
    base = condition.key.rpartition(":")[0] if condition.key.count(":") > 1 else condition.key
    nearest = get_nearest(base, known, _SIMILAR)
    if nearest is None:
        return None
    meant = nearest + _get_last_part(condition.key) if nearest.endswith(":") else nearest
    return f"there is no condition key {condition.key}; did you mean {meant}?"


def _get_last_part(key: str) -> str:
    """Return the name in a key such as kms:EncryptionContext/name; ``name`` if there is none."""
    parts = _SEPARATOR.split(key[len(_PREFIX) :], maxsplit=1)
    return parts[1] if len(parts) > 1 and parts[1] else "name"
