"""Long-term access keys of users."""

from __future__ import annotations

from typing import Any

from kmsmock.identities.credentials import AccessKey
from kmsmock.services.errors import LimitExceeded, NoSuchEntity
from kmsmock.services.iam.answered.finding import USER, find_user, page
from kmsmock.services.iam.answered.registry import operation
from kmsmock.services.iam.answered.views import moment
from kmsmock.services.registry import ServiceCall

_KEYS_PER_USER = 2


@operation("CreateAccessKey", USER.resource)
def create_access_key(call: ServiceCall) -> dict[str, Any]:
    """Make an access key of a user; its secret is shown this once."""
    user = find_user(call)
    credentials = call.identities.credentials
    if len(list(credentials.keys_of(user.unique_id))) == _KEYS_PER_USER:
        raise LimitExceeded(f"Cannot exceed quota for AccessKeysPerUser: {_KEYS_PER_USER}")
    key = credentials.add_key(call.identities.get_or_create(user.arn))
    return {"AccessKey": _shown(key, user.name) | {"SecretAccessKey": key.credentials.secret_key}}


@operation("ListAccessKeys", USER.resource)
def list_access_keys(call: ServiceCall) -> dict[str, Any]:
    """List the access keys of a user."""
    user = find_user(call)
    keys = call.identities.credentials.keys_of(user.unique_id)
    return page(
        call, "ListAccessKeys", "AccessKeyMetadata", (_shown(key, user.name) for key in keys)
    )


@operation("UpdateAccessKey", USER.resource)
def update_access_key(call: ServiceCall) -> None:
    """Let an access key be good, or not."""
    key = _find(call)
    is_active = call.parameters["Status"] == "Active"
    call.identities.credentials.set_active(key, is_active=is_active)


@operation("DeleteAccessKey", USER.resource)
def delete_access_key(call: ServiceCall) -> None:
    """Delete an access key."""
    call.identities.credentials.delete_key(_find(call))


def _find(call: ServiceCall) -> AccessKey:
    wanted = call.parameters["AccessKeyId"]
    for key in call.identities.credentials.keys_of(find_user(call).unique_id):
        if key.credentials.access_key == wanted:
            return key
    raise NoSuchEntity(f"The Access Key with id {wanted} cannot be found.")


def _shown(key: AccessKey, name: str) -> dict[str, Any]:
    return {
        "UserName": name,
        "AccessKeyId": key.credentials.access_key,
        "Status": "Active" if key.is_active else "Inactive",
        "CreateDate": moment(key.created),
    }
