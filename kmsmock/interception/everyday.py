"""The everyday door: calls of KMS clients are answered before they become HTTP."""

from __future__ import annotations

from typing import Any

from botocore.awsrequest import AWSResponse

from kmsmock.api_call import ApiCall
from kmsmock.interception.active import active
from kmsmock.interception.parsed import to_client

#: Marks the context of a request that has no credentials to be signed with.
UNSIGNED = "kmsmock_unsigned"


def answer_before_call(
    *, model: Any, params: Any, request_signer: Any, context: Any, **_: Any
) -> tuple[AWSResponse, dict[str, Any]] | None:
    """Answer a call of a KMS client before it becomes HTTP; None when no mock is active."""
    if not active:
        return None
    mock = active[-1]
    credentials = request_signer._credentials  # noqa: SLF001 - reading it must not refresh it
    if mock.wire:
        if credentials is None:
            context[UNSIGNED] = True
        return None
    call = ApiCall(
        model.name,
        params["body"],
        access_key(credentials),
        context["client_region"],
        model,
        params["headers"].get("User-Agent"),
    )
    return to_client(mock.answer(call), model)


def access_key(credentials: Any) -> str | None:
    """Read the access key; the property of refreshable credentials would refresh them."""
    if credentials is None:
        return None
    members = vars(credentials)
    key: str | None = members.get("access_key") or members.get("_access_key")
    return key
