"""Our explanations beside the errors that clients raise, as notes (PEP 678)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import botocore.exceptions
import wrapt

if TYPE_CHECKING:
    from kmsmock.errors import ServiceError

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


def _explain(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> None:
    """Attach our explanation to an error of botocore's as a note (PEP 678)."""
    wrapped(*args, **kwargs)
    if not _explanations:
        return
    request_id = instance.response.get("ResponseMetadata", {}).get("RequestId")
    note = _explanations.pop(request_id, None)
    if note is not None:
        # Before Python 3.11 nobody prints notes, but pytest and we find them.
        instance.__notes__ = [*getattr(instance, "__notes__", ()), note]


def install() -> None:
    """Let botocore's errors take their notes."""
    wrapt.wrap_function_wrapper(botocore.exceptions, "ClientError.__init__", _explain)
