"""Key policies: reading and replacing them."""

from __future__ import annotations

from operator import attrgetter
from typing import NamedTuple

from kmsmock import errors
from kmsmock.keys.key import Key
from kmsmock.operations.keys import policy_ids, read_policy
from kmsmock.operations.locating import key_only
from kmsmock.operations.registry import Call, Response, Target, operation
from kmsmock.operations.views import page

_NAME = "default"


@operation("GetKeyPolicy", Target("kms:GetKeyPolicy", key_only("KeyId")))
def get_key_policy(call: Call, key: Key) -> Response:
    """Give the key policy, to the letter as it was put, as far as its principals exist."""
    if call.parameters.get("PolicyName", _NAME) != _NAME:
        raise errors.NotFoundException("No such policy exists")
    text = key.policy
    identities = call.backend.identities
    for name in key.policy_ids or ():
        # Of a user or role that was deleted the id is left.
        text = text.replace(f'"{name}"', f'"{identities.names.shown(name, key.policy_ids)}"')
    return {"Policy": text, "PolicyName": _NAME}


class _PolicyName(NamedTuple):
    sequence: int
    text: str


@operation("ListKeyPolicies", Target("kms:ListKeyPolicies", key_only("KeyId")))
def list_key_policies(call: Call, key: Key) -> Response:
    """List the names of a key's policies; there is always just the one."""
    return page(call, "PolicyNames", [_PolicyName(1, _NAME)], attrgetter("text"), 100)


def _require_policy_name(call: Call, key: Key) -> None:
    name = call.parameters.get("PolicyName", _NAME)
    if name == "AWS_RAM":
        raise errors.ValidationException(
            "The AWS_RAM policy can only be managed by the RAM service"
        )
    if name != _NAME:
        raise errors.ValidationException(
            f"PolicyName {name} is not supported. The only valid value is {_NAME}."
        )


@operation(
    "PutKeyPolicy",
    Target("kms:PutKeyPolicy", key_only("KeyId")),
    first=_require_policy_name,
    puts_policy=True,
)
def put_key_policy(call: Call, key: Key) -> None:
    """Replace the key policy."""
    policy = read_policy(call)
    key.policy, key.policy_ids = policy, policy_ids(call, policy)
