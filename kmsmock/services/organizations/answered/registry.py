"""The table of the operations of Organizations, each with the authorization of its caller."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from kmsmock.aws.errors import AccessDeniedException
from kmsmock.aws.paging import InvalidMarkerError, paginate
from kmsmock.services.organizations.answered.tree import Tree, find_tree
from kmsmock.services.organizations.errors import (
    AWSOrganizationsNotInUseException,
    InvalidInputException,
)
from kmsmock.services.permissions import require_allowed
from kmsmock.services.registry import Handler, ServiceCall

OPERATIONS: dict[str, Handler] = {}
#: The largest page, and that of requests that do not ask for a size.
_PAGE_SIZE = 20
#: The parameters that name something with an ARN, which the caller must be authorized for.
_TARGETS = ("AccountId", "ChildId", "ParentId", "TargetId", "OrganizationalUnitId")

Function = Callable[[ServiceCall, Tree], "dict[str, Any]"]


def operation(name: str, *, is_of_members: bool = False) -> Callable[[Function], Function]:
    """Register the function that answers an operation.

    is_of_members: whether accounts other than the management account may call it.
    """

    def register(function: Function) -> Function:
        def handle(call: ServiceCall) -> dict[str, Any]:
            default = call.backend.options["account_id"]
            tree = find_tree(call.identities, call.account, default, call.partition)
            arn = "*" if tree is None else _find_arn(call, tree)
            require_allowed(call, f"organizations:{name}", arn, error=AccessDeniedException)
            if tree is None:
                raise AWSOrganizationsNotInUseException(
                    explanation="A test makes an account a member with "
                    "kms.account(id).join_organization(organization_id)."
                )
            if call.account != tree.management_account and not is_of_members:
                raise AccessDeniedException(
                    "You don't have permissions to access this resource.",
                    explanation=f"Only the management account, {tree.management_account}, may "
                    f"call {name}.",
                )
            return function(call, tree)

        OPERATIONS[name] = handle
        return function

    return register


def _find_arn(call: ServiceCall, tree: Tree) -> str:
    """Return the ARN of what a request names; ``*`` if that is nothing in the organization."""
    for member in _TARGETS:
        target = call.parameters.get(member)
        if target in tree.parents:
            return tree.arn_of(target)
    policy = tree.list_policies().get(call.parameters.get("PolicyId", ""))
    return "*" if policy is None else tree.arn_of_policy(policy)


def paginate_response(
    call: ServiceCall, member: str, items: Iterable[Any], describe: Callable[[Any], Any]
) -> dict[str, Any]:
    """Return the answer with one page of a list, and the token of the next page.

    member: of the answer, that has the list. Raises InvalidInputException.
    """
    parameters = call.parameters
    token, limit = parameters.get("NextToken"), parameters.get("MaxResults", _PAGE_SIZE)
    others = {k: v for k, v in parameters.items() if k not in ("NextToken", "MaxResults")}
    list_name = f"organizations {member} {sorted(others.items())}"
    try:
        page, next_token = paginate(call.backend.markers, list_name, items, token, limit, describe)
    except InvalidMarkerError:
        raise InvalidInputException(
            explanation="NextToken is not one of this list; tokens depend on the other parameters."
        ) from None
    return {member: page, **({} if next_token is None else {"NextToken": next_token})}
