"""What an overlay is made of: steps around a call, and the errors that KMS's become."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from kmsmock.errors import ServiceError
from kmsmock.services.registry import ServiceCall

#: What happens around a call: up to the one ``yield`` before storing, which gives the answer, and
#: then what comes after. Where the one that stores refuses, the ``yield`` raises `NotStored`. What
#: is returned, if anything, is answered instead; before the ``yield``, nothing is stored then.
Steps = Generator[None, dict[str, Any], Any]
Handler = Callable[[ServiceCall], Steps]


class NotStored(Exception):
    """What stores has refused the call. code: of its error."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Refused(ServiceError):
    """An error that a service answers with when KMS, or the service's own rule, says no.

    code: of the service. query_code: what SDKs show instead, for a service that once spoke the
    query protocol. members: what else the error has, such as the argument it is about.
    """

    def __init__(
        self,
        code: str,
        message: str,
        *,
        status: int = 400,
        query_code: str | None = None,
        members: Mapping[str, str] | None = None,
        explanation: str | None = None,
    ) -> None:
        super().__init__(message, explanation=explanation)
        self.status = status
        self.members = members or {}
        self.query_code = query_code
        self._code = code

    @property
    def code(self) -> str:
        """The error code as clients see it."""
        return self._code


class Refusal(NamedTuple):
    """What a service makes of an error of KMS.

    code: of the service. text: its words, in which ``{text}`` stands for KMS's, and ``{told}`` for
    KMS's with the suffix of the SDK for Java. ``{code}`` in both stands for KMS's code.
    """

    code: str
    text: str = "{told}"
    status: int = 400
    query_code: str | None = None


#: Code of KMS, or ``*`` for all others -> what a service makes of it. Others are its own.
Refusals = Mapping[str, Refusal]


@dataclass(frozen=True, slots=True)
class Overlay:
    """A service. operations: by name, those that use KMS. refusals: of all of them.

    hidden: members of queries that name keys, which the one that stores would look for in vain.
    trusts_store: whether requests are looked at whose credentials are no longer good here, because
    the one that stores has the say about them; the caller is then the one that they led to, or the
    root user of the default account.
    """

    operations: Mapping[str, Handler]
    refusals: Refusals
    hidden: Sequence[str] = ()
    trusts_store: bool = False


def refused(error: ServiceError, call: ServiceCall, refusals: Refusals) -> ServiceError:
    """Give the service's own error for an error of KMS, or for one that is its own already."""
    refusal = refusals.get(error.code) or refusals.get("*")
    if refusal is None or isinstance(error, Refused):
        return error
    text = "null" if error.message is None else error.message
    told = (
        f"{text} (Service: AWSKMS; Status Code: {error.status}; "
        f"Error Code: {error.code}; Request ID: {call.backend.new_uuid()}; Proxy: null)"
    )
    return Refused(
        refusal.code.format(code=error.code),
        refusal.text.format(text=text, code=error.code, told=told),
        status=refusal.status,
        query_code=refusal.query_code,
        explanation=error.explanation,
    )
