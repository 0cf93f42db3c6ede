"""The explanations of errors, attached as notes (PEP 678) to the exceptions of AWS clients."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import botocore.exceptions

if TYPE_CHECKING:
    from kmsmock.aws.errors import ServiceError

_MAX_EXPLANATIONS = 64
#: Request id -> explanation, of errors that the client has not raised yet.
_explanations: dict[str, str] = {}


def keep_explanation(request_id: str, error: ServiceError) -> None:
    """Store the explanation of an error until the client raises it."""
    if error.explanation is None:
        return
    if len(_explanations) >= _MAX_EXPLANATIONS:
        del _explanations[next(iter(_explanations))]
    _explanations[request_id] = error.explanation


def _attach_note(error: Any) -> None:
    """Attach the explanation that belongs to a ClientError as a note."""
    request_id = error.response.get("ResponseMetadata", {}).get("RequestId")
    note = _explanations.pop(request_id, None)
    if note is not None:
        # Python prints notes since 3.11; on 3.10 pytest shows them.
        error.__notes__ = [*getattr(error, "__notes__", ()), note]


def install() -> None:
    """Patch botocore's ClientError to attach notes when it is created.

    Without wrapt, whose import takes longer than that of this package.
    """
    client_error: Any = botocore.exceptions.ClientError
    original = client_error.__init__

    @functools.wraps(original)
    def initialize(error: Any, *args: Any, **kwargs: Any) -> None:
        original(error, *args, **kwargs)
        if _explanations:
            _attach_note(error)

    client_error.__init__ = initialize
