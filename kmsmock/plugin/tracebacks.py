"""Shorter tracebacks: pytest hides the frames of clients and mocks that do not matter to a test.

These are all frames of boto3, botocore and this package in an error that a mock has answered with,
in one whose note says what to change, in one about the arguments that a client or a mock was called
with, and in a failed assertion.
"""

from __future__ import annotations

import dis
from types import TracebackType
from typing import Any

from kmsmock.process.exceptions import hide_frames_of, hides_frames, iterate_errors

_PACKAGES = ("aiobotocore", "boto3", "botocore", "kmsmock")
#: Those in between.
_HELPERS = ("contextlib",)
#: botocore's error about wrong parameters, with which no mock has to answer.
_WRONG_PARAMETERS = ("botocore.exceptions", "ParamValidationError")
#: What pytest reads from the variables of a frame, and from those of its module.
_HIDDEN = "__tracebackhide__"
_RAISE = dis.opmap["RAISE_VARARGS"]


def hide_client_frames(error: BaseException, *, has_mock: bool) -> None:
    """Let pytest hide the frames of clients and mocks in the tracebacks of an error and its causes.

    Other errors keep these frames, and so do all errors with ``--full-trace`` and ``--tb=native``.
    has_mock: whether a mock has answered the test.
    """
    for each in iterate_errors(error):
        kind = type(each)
        if has_mock and (kind.__module__, kind.__name__) == _WRONG_PARAMETERS:
            hide_frames_of(each)
        if _is_about_use(each):
            _hide_frames(each.__traceback__)


def _is_about_use(error: BaseException) -> bool:
    """Return whether an error is about how the test uses a client or a mock."""
    return hides_frames(error) or _is_raised_here(error)


def _is_raised_here(error: BaseException) -> bool:
    """Return whether a statement of this package has raised an error, as for a wrong argument.

    Others, such as a KeyError of a dict, may come of a mistake in this package.
    """
    traceback = error.__traceback__
    if traceback is None:
        return False
    while traceback.tb_next is not None:
        traceback = traceback.tb_next
    frame = traceback.tb_frame
    is_here = _package_of(frame) == "kmsmock"
    return is_here and frame.f_code.co_code[traceback.tb_lasti] == _RAISE


def _package_of(frame: Any) -> str:
    name: str = frame.f_globals.get("__name__", "")
    return name.partition(".")[0]


def _hide_frames(traceback: TracebackType | None) -> None:
    while traceback is not None:
        if _package_of(traceback.tb_frame) in (*_PACKAGES, *_HELPERS):
            traceback.tb_frame.f_globals.setdefault(_HIDDEN, _is_hidden)
        traceback = traceback.tb_next


def _is_hidden(excinfo: Any) -> bool:
    """Return whether a frame is hidden in an error. excinfo: pytest's ExceptionInfo."""
    return excinfo is not None and _is_about_use(excinfo.value)
