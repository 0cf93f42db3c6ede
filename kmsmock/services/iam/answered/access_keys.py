"""Long-term access keys of users."""

from __future__ import annotations

from typing import Any

from kmsmock.aws.secret_values import reveal
from kmsmock.identities.credentials import AccessKey
from kmsmock.identities.iam_names import KEYS_PER_USER
from kmsmock.services.errors import LimitExceeded, NoSuchEntity
from kmsmock.services.iam.answered.descriptions import to_response_time
from kmsmock.services.iam.answered.lookup import USER, find_user, paginate_response
from kmsmock.services.iam.answered.registry import operation
from kmsmock.services.registry import ServiceCall


@operation("CreateAccessKey", USER.resource)
def create_access_key(call: ServiceCall) -> dict[str, Any]:
    """Create an access key for a user; no other operation returns its secret."""
    user = find_user(call)
    credentials = call.identities.credentials
    if len(list(credentials.keys_of(user.unique_id))) == KEYS_PER_USER.most:
        raise LimitExceeded(f"Cannot exceed quota for AccessKeysPerUser: {KEYS_PER_USER.most}")
    key = credentials.add_key(call.identities.get_or_create(user.arn))
    credentials.forget_past(call.identities.sessions)
    secret = {"SecretAccessKey": reveal(key.credentials.secret_key)}
    return {"AccessKey": _describe_access_key(key, user.name) | secret}


@operation("ListAccessKeys", USER.resource)
def list_access_keys(call: ServiceCall) -> dict[str, Any]:
    """List the access keys of a user."""
    user = find_user(call)
    keys = call.identities.credentials.keys_of(user.unique_id)
    listed = (_describe_access_key(key, user.name) for key in keys)
    return paginate_response(call, "ListAccessKeys", "AccessKeyMetadata", listed)


@operation("UpdateAccessKey", USER.resource)
def update_access_key(call: ServiceCall) -> None:
    """Activate or deactivate an access key."""
    key = _find_access_key(call)
    is_active = call.parameters["Status"] == "Active"
    call.identities.credentials.set_active(key, is_active=is_active)


@operation("DeleteAccessKey", USER.resource)
def delete_access_key(call: ServiceCall) -> None:
    """Delete an access key."""
    call.identities.credentials.delete_key(_find_access_key(call))


def _find_access_key(call: ServiceCall) -> AccessKey:
    access_key_id = call.parameters["AccessKeyId"]
    for key in call.identities.credentials.keys_of(find_user(call).unique_id):
        if key.credentials.access_key == access_key_id:
            return key
    raise NoSuchEntity(f"The Access Key with id {access_key_id} cannot be found.")


def _describe_access_key(key: AccessKey, user_name: str) -> dict[str, Any]:
    return {
        "UserName": user_name,
        "AccessKeyId": key.credentials.access_key,
        "Status": "Active" if key.is_active else "Inactive",
        "CreateDate": to_response_time(key.created),
    }
