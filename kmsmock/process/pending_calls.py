"""Call a function after each fork, when the code that has forked the process goes on.

A hook of `os.register_at_fork` is called too early for some things: Python looks for threads, and
warns of them, when all hooks have run. So the hook only asks for a pending call, which Python makes
in the main thread before the next bytecode; and no bytecode is in between, since all of the hook is
C. Source: Python/C API Reference Manual, "Asynchronous Notifications", Py_AddPendingCall.
"""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any


class AfterForks:
    """Calls a function after each fork, in the process that has forked; it cannot be undone.

    function: does nothing, and is called again, while a hook of the fork still runs. Where there is
    no pending call, as in other implementations of Python than CPython, hooks call it.
    """

    def __init__(self, function: Callable[[], None]) -> None:
        self._hook = _make_adder(function) or function
        #: Whether no other hook runs after this one.
        self._is_last = False
        if hasattr(os, "register_at_fork"):
            self._watch_other_hooks()

    def _watch_other_hooks(self) -> None:
        register = os.register_at_fork

        @functools.wraps(register)
        def register_at_fork(**hooks: Any) -> None:
            register(**hooks)
            self._is_last = False

        os.register_at_fork = register_at_fork

    def prepare(self) -> None:
        """Register a hook that runs after all others. To be called before a fork."""
        if not self._is_last:
            os.register_at_fork(after_in_parent=self._hook)
            self._is_last = True


def _make_adder(function: Callable[[], None]) -> Callable[[], object] | None:
    """Return a function of C that asks for a pending call of a function."""
    if sys.implementation.name != "cpython":
        return None
    try:
        import ctypes
    except ImportError:
        return None

    def call(_: object) -> int:
        function()
        return 0

    callback = ctypes.PYFUNCTYPE(ctypes.c_int, ctypes.c_void_p)(call)
    # Not the attribute, which is shared by all code that uses it.
    add: Any = ctypes.pythonapi["Py_AddPendingCall"]
    add.argtypes = [type(callback), ctypes.c_void_p]
    return functools.partial(add, callback, None)


def is_inside(running: FrameType | None, frame: FrameType | None) -> bool:
    """Return whether a frame has called what runs, perhaps through others."""
    callers = None if running is None else running.f_back
    while callers is not None:
        if callers is frame:
            return True
        callers = callers.f_back
    return False
