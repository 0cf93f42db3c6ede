"""Our explanations beside the errors that clients raise, as notes (PEP 678)."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import botocore.exceptions

if TYPE_CHECKING:
    from kmsmock.aws.errors import ServiceError

_NOTES_KEPT = 64
#: Request id -> explanation, of errors that clients have not raised yet.
_explanations: dict[str, str] = {}


def keep_explanation(request_id: str, error: ServiceError) -> None:
    """Keep the explanation of an error until a client raises it."""
    if error.explanation is None:
        return
    if len(_explanations) >= _NOTES_KEPT:
        del _explanations[next(iter(_explanations))]
    _explanations[request_id] = error.explanation


def _attach_note(error: Any) -> None:
    """Attach the explanation of an error of botocore's as a note (PEP 678)."""
    request_id = error.response.get("ResponseMetadata", {}).get("RequestId")
    note = _explanations.pop(request_id, None)
    if note is not None:
        # Before Python 3.11 nobody prints notes, but pytest and we find them.
        error.__notes__ = [*getattr(error, "__notes__", ()), note]


def install() -> None:
    """Let botocore's errors take their notes, once.

    Without wrapt, whose import takes longer than that of this whole package.
    """
    client_error: Any = botocore.exceptions.ClientError
    original = client_error.__init__

    @functools.wraps(original)
    def initialize(error: Any, *args: Any, **kwargs: Any) -> None:
        original(error, *args, **kwargs)
        if _explanations:
            _attach_note(error)

    client_error.__init__ = initialize
