"""Shorter tracebacks: pytest hides the frames of clients in errors that a mock answered with."""

from __future__ import annotations

from types import TracebackType
from typing import Any

from kmsmock.process.exceptions import is_answered, iterate_errors

_PACKAGES = ("aiobotocore", "boto3", "botocore", "kmsmock")
#: What pytest reads from the variables of a frame, and from those of its module.
_HIDDEN = "__tracebackhide__"


def hide_client_frames(error: BaseException) -> None:
    """Let pytest hide the frames of AWS clients in the tracebacks of an error and its causes.

    Other errors keep these frames, and so do all errors with ``--full-trace`` and ``--tb=native``.
    """
    for each in iterate_errors(error):
        if is_answered(each):
            _hide_frames(each.__traceback__)


def _hide_frames(traceback: TracebackType | None) -> None:
    while traceback is not None:
        module = traceback.tb_frame.f_globals
        if module.get("__name__", "").partition(".")[0] in _PACKAGES:
            module.setdefault(_HIDDEN, _is_hidden)
        traceback = traceback.tb_next


def _is_hidden(excinfo: Any) -> bool:
    """Return whether a frame is hidden in an error. excinfo: pytest's ExceptionInfo."""
    return excinfo is not None and is_answered(excinfo.value)
