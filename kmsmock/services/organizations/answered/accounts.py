"""The accounts of an organization."""

from __future__ import annotations

from typing import Any

from kmsmock.services.organizations.answered.registry import operation, paginate_response
from kmsmock.services.organizations.answered.tree import ACCOUNT, ROOT, UNIT, Tree
from kmsmock.services.organizations.errors import (
    AccountNotFoundException,
    ParentNotFoundException,
)
from kmsmock.services.registry import ServiceCall


@operation("ListAccounts")
def list_accounts(call: ServiceCall, tree: Tree) -> dict[str, Any]:
    """List all accounts, the management account first."""
    return paginate_response(
        call, "Accounts", tree.targets(ACCOUNT), lambda account: _describe(tree, account)
    )


@operation("ListAccountsForParent")
def list_accounts_for_parent(call: ServiceCall, tree: Tree) -> dict[str, Any]:
    """List the accounts that are directly below a root or organizational unit."""
    parent = call.parameters["ParentId"]
    if parent not in tree.targets(ROOT, UNIT):
        raise ParentNotFoundException
    accounts = tree.children(parent, ACCOUNT)
    return paginate_response(call, "Accounts", accounts, lambda account: _describe(tree, account))


@operation("DescribeAccount")
def describe_account(call: ServiceCall, tree: Tree) -> dict[str, Any]:
    """Describe an account."""
    account = call.parameters["AccountId"]
    if account not in tree.targets(ACCOUNT):
        raise AccountNotFoundException
    return {"Account": _describe(tree, account)}


def _describe(tree: Tree, account: str) -> dict[str, Any]:
    # A mock knows neither names and mail addresses of accounts, nor when they have joined.
    return {
        "Id": account,
        "Arn": tree.arn_of(account),
        "Name": account,
        "Status": "ACTIVE",
    }
