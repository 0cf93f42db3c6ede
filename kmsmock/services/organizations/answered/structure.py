"""The organization itself, its roots and organizational units."""

from __future__ import annotations

from typing import Any

from kmsmock.services.organizations.answered.registry import operation, paginate_response
from kmsmock.services.organizations.answered.tree import ACCOUNT, ROOT, UNIT, Tree
from kmsmock.services.organizations.errors import (
    ChildNotFoundException,
    OrganizationalUnitNotFoundException,
    ParentNotFoundException,
)
from kmsmock.services.registry import ServiceCall


@operation("DescribeOrganization", is_of_members=True)
def describe_organization(call: ServiceCall, tree: Tree) -> dict[str, Any]:  # noqa: ARG001
    """Describe the organization of the caller."""
    enabled = [{"Type": kind, "Status": "ENABLED"} for kind in tree.types]
    return {
        "Organization": {
            "Id": tree.id,
            "Arn": tree.arn(f"organization/{tree.id}"),
            "FeatureSet": "ALL",
            "MasterAccountArn": tree.arn_of(tree.management_account),
            "MasterAccountId": tree.management_account,
            "AvailablePolicyTypes": enabled,
        }
    }


@operation("ListRoots")
def list_roots(call: ServiceCall, tree: Tree) -> dict[str, Any]:
    """List the roots, each with the types of policies that are enabled."""
    enabled = [{"Type": kind, "Status": "ENABLED"} for kind in tree.types]

    def describe(root: str) -> dict[str, Any]:
        return {"Id": root, "Arn": tree.arn_of(root), "Name": "Root", "PolicyTypes": enabled}

    return paginate_response(call, "Roots", tree.targets(ROOT), describe)


@operation("ListOrganizationalUnitsForParent")
def list_organizational_units_for_parent(call: ServiceCall, tree: Tree) -> dict[str, Any]:
    """List the organizational units that are directly below a root or unit."""
    units = tree.children(_find_parent(call, tree), UNIT)
    return paginate_response(
        call, "OrganizationalUnits", units, lambda unit: _describe_unit(tree, unit)
    )


@operation("DescribeOrganizationalUnit")
def describe_organizational_unit(call: ServiceCall, tree: Tree) -> dict[str, Any]:
    """Describe an organizational unit."""
    unit = call.parameters["OrganizationalUnitId"]
    if unit not in tree.targets(UNIT):
        raise OrganizationalUnitNotFoundException
    return {"OrganizationalUnit": _describe_unit(tree, unit)}


@operation("ListChildren")
def list_children(call: ServiceCall, tree: Tree) -> dict[str, Any]:
    """List the ids of the units or accounts that are directly below a root or unit."""
    kind = call.parameters["ChildType"]
    children = tree.children(_find_parent(call, tree), kind)
    return paginate_response(call, "Children", children, lambda one: {"Id": one, "Type": kind})


@operation("ListParents")
def list_parents(call: ServiceCall, tree: Tree) -> dict[str, Any]:
    """Return the root or unit that is directly above a unit or account."""
    child = call.parameters["ChildId"]
    if child not in tree.targets(UNIT, ACCOUNT):
        raise ChildNotFoundException
    return paginate_response(
        call,
        "Parents",
        [tree.parents[child]],
        lambda parent: {"Id": parent, "Type": tree.type_of(parent)},
    )


def _find_parent(call: ServiceCall, tree: Tree) -> str:
    """Return the root or unit that a call names. Raises ParentNotFoundException."""
    parent: str = call.parameters["ParentId"]
    if parent not in tree.targets(ROOT, UNIT):
        raise ParentNotFoundException
    return parent


def _describe_unit(tree: Tree, unit: str) -> dict[str, Any]:
    # A mock knows no names of units.
    return {"Id": unit, "Arn": tree.arn_of(unit), "Name": unit}
