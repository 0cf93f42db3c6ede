"""The everyday door: calls of KMS clients are answered before they become HTTP."""

from __future__ import annotations

from typing import Any

from botocore import UNSIGNED
from botocore.awsrequest import AWSResponse

from kmsmock.aws.api_call import ApiCall
from kmsmock.interception.parsed import to_client
from kmsmock.process.active import active

#: Marks the context of a request that has no credentials to be signed with.
NO_CREDENTIALS = "kmsmock_no_credentials"


def answer_before_call(
    *, model: Any, params: Any, request_signer: Any, context: Any, **_: Any
) -> tuple[AWSResponse, dict[str, Any]] | None:
    """Answer a call of a KMS client before it becomes HTTP; None when no mock is active."""
    if not active:
        return None
    mock = active[-1]
    if mock.wire:
        if request_signer._credentials is None:  # noqa: SLF001 - not to refresh them
            context[NO_CREDENTIALS] = True
        return None
    call = ApiCall(
        model.name,
        params["body"],
        access_key(request_signer),
        context["client_region"],
        model,
        params["headers"].get("User-Agent"),
    )
    return to_client(mock.answer(call), model)


def access_key(signer: Any) -> str | None:
    """Read the access key that a client signs with; None for requests that are not signed.

    signer: botocore's RequestSigner. The properties of refreshable credentials are not touched,
    which would refresh them.
    """
    credentials = signer._credentials  # noqa: SLF001 - there is nothing else to ask
    if credentials is None or signer._signature_version is UNSIGNED:  # noqa: SLF001 - as above
        return None
    members = vars(credentials)
    key: str | None = members.get("access_key") or members.get("_access_key")
    return key
