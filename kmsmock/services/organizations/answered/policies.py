"""The policies of an organization, and what they are attached to."""

from __future__ import annotations

from typing import Any

from kmsmock.services.organizations.answered.registry import operation, paginate_response
from kmsmock.services.organizations.answered.tree import ROOT, ControlPolicy, Tree
from kmsmock.services.organizations.errors import (
    PolicyNotFoundException,
    TargetNotFoundException,
)
from kmsmock.services.registry import ServiceCall


@operation("ListPolicies")
def list_policies(call: ServiceCall, tree: Tree) -> dict[str, Any]:
    """List the policies of a type, with the one of AWS that allows everything."""
    kind = call.parameters["Filter"]
    policies = [policy for policy in tree.list_policies().values() if policy.type == kind]
    return paginate_response(call, "Policies", policies, lambda policy: _describe(tree, policy))


@operation("DescribePolicy")
def describe_policy(call: ServiceCall, tree: Tree) -> dict[str, Any]:
    """Describe a policy, with its document."""
    policy = _find_policy(call, tree)
    return {"Policy": {"PolicySummary": _describe(tree, policy), "Content": policy.content}}


@operation("ListTargetsForPolicy")
def list_targets_for_policy(call: ServiceCall, tree: Tree) -> dict[str, Any]:
    """List the roots, units and accounts that a policy is attached to."""
    policy = _find_policy(call, tree)
    targets = [one for one in tree.parents if policy in tree.list_attached(one, policy.type)]

    def describe(target: str) -> dict[str, str]:
        kind = tree.type_of(target)
        name = "Root" if kind == ROOT else target
        return {"TargetId": target, "Arn": tree.arn_of(target), "Name": name, "Type": kind}

    return paginate_response(call, "Targets", targets, describe)


@operation("ListPoliciesForTarget")
def list_policies_for_target(call: ServiceCall, tree: Tree) -> dict[str, Any]:
    """List the policies of a type that are attached to a root, unit or account itself."""
    target, kind = call.parameters["TargetId"], call.parameters["Filter"]
    if target not in tree.parents:
        raise TargetNotFoundException
    attached = tree.list_attached(target, kind)
    return paginate_response(call, "Policies", attached, lambda policy: _describe(tree, policy))


def _find_policy(call: ServiceCall, tree: Tree) -> ControlPolicy:
    policy = tree.list_policies().get(call.parameters["PolicyId"])
    if policy is None:
        raise PolicyNotFoundException
    return policy


def _describe(tree: Tree, policy: ControlPolicy) -> dict[str, Any]:
    return {
        "Id": policy.id,
        "Arn": tree.arn_of_policy(policy),
        "Name": policy.name,
        "Description": policy.description,
        "Type": policy.type,
        "AwsManaged": policy.is_of_aws,
    }
