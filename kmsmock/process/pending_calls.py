"""Call a function in the main thread as soon as a function of C, which is running, has returned.

A hook of a fork cannot do itself what is to happen after the fork: Python looks for threads when
all hooks have run. Source: Python/C API Reference Manual, "Asynchronous Notifications",
Py_AddPendingCall, which Python has for the handlers of signals.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from types import FrameType
from typing import Any

#: The functions to call, each with the frame that is to go on before.
_waiting: list[tuple[Callable[[], None], FrameType]] = []
#: The one function that C calls.
_callback: Any = None


def call_after_return(function: Callable[[], None], frame: FrameType | None) -> None:
    """Call a function when a frame, which now waits for a function of C, goes on.

    At once in other threads than the main thread, and where there is no such way, as in other
    implementations of Python than CPython.
    """
    add = _get_adder()
    if add is None or frame is None or not _is_main_thread():
        function()
        return
    _waiting.append((function, frame))
    if add(_callback, None) != 0:  # too many calls are pending
        _call_all(None)


def _is_main_thread() -> bool:
    return threading.current_thread() is threading.main_thread()


def _get_adder() -> Any:
    global _callback  # noqa: PLW0603 - kept, since C has the address only
    if sys.implementation.name != "cpython":
        return None
    try:
        import ctypes
    except ImportError:
        return None
    if _callback is None:
        _callback = ctypes.PYFUNCTYPE(ctypes.c_int, ctypes.c_void_p)(_call_all)
    # Not the attribute, which is shared by all code that uses it.
    add: Any = ctypes.pythonapi["Py_AddPendingCall"]
    add.argtypes = [type(_callback), ctypes.c_void_p]
    return add


def _call_all(_: Any) -> int:
    """Call the functions whose frames have gone on; C calls this between two bytecodes."""
    running: FrameType | None = sys._getframe(1)  # noqa: SLF001 - inspect imports a lot
    for function, frame in list(_waiting):
        if not _is_inside(running, frame):
            _waiting.remove((function, frame))
            function()
    if _waiting:
        _get_adder()(_callback, None)
    return 0


def _is_inside(running: FrameType | None, frame: FrameType) -> bool:
    """Return whether what runs was called by a frame, which so has not gone on."""
    callers = None if running is None else running.f_back
    while callers is not None:
        if callers is frame:
            return True
        callers = callers.f_back
    return False
