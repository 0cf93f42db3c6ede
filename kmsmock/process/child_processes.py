"""Notice that this process starts another one, or copies its environment for one.

A child can be started in many ways, and most of them give it the environment of its parent. What
children need is added there at the last moment, so that a test without children needs nothing.

Three moments are noticed: the environment is listed, as ``{**os.environ}`` does; a function that
starts a program is called; the process forks. Patches of functions are used instead of an audit
hook, which could never be removed, and which Python calls for each opened file and each import.
"""

from __future__ import annotations

import functools
import os
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from typing import Any, NamedTuple


class Hooks(NamedTuple):
    """What is called at these moments."""

    #: Before children get the environment; with whether one is being started. It returns what is to
    #: be called when it has started.
    prepare: Callable[[bool], Callable[[], None]]
    #: Returns the environment that is passed to a child, without what it need not have.
    adapt: Callable[[Mapping[str, str]], Mapping[str, str]]
    #: Before the process forks.
    before_fork: Callable[[], None]
    #: Afterwards, in the process itself, while other hooks can still run.
    after_in_parent: Callable[[], None]
    #: When the function that has forked returns, in the process itself and in the child.
    after_fork: Callable[[], None]
    #: Afterwards, in the child.
    after_in_child: Callable[[], None]


#: Functions that start a program, with the environment of this process or one that is passed.
#: multiprocessing calls the last two, without subprocess.
_STARTING = (
    *(("os", "system"), ("os", "posix_spawn"), ("os", "posix_spawnp")),
    *(("_posixsubprocess", "fork_exec"), ("_winapi", "CreateProcess")),
)
#: The place of the environment among the arguments of `subprocess.Popen`.
_PLACE_OF_ENVIRONMENT = 10
#: Functions in C that fork; subprocess keeps one of them under another name.
_FORKING = (
    *(("os", "fork"), ("os", "forkpty")),
    *(("_posixsubprocess", "fork_exec"), ("subprocess", "_fork_exec")),
)
#: The threads that are in one of these.
_forking: set[int] = set()
#: Modules that list the environment and start no children.
_READERS = ("urllib.request",)
#: The names by which the module of ``items()`` and ``keys()`` knows itself.
_VIEWS = ("collections.abc", "_collections_abc")
_installed: Hooks | None = None


def is_installed() -> bool:
    """Return whether the moments are noticed."""
    return _installed is not None


def install(hooks: Hooks) -> None:
    """Patch what lists the environment and what starts processes, once for the process."""
    global _installed  # noqa: PLW0603 - once per process
    _installed = hooks
    _patch_environment(hooks)
    for module_name, name in _FORKING:
        _patch_function(module_name, name, functools.partial(_note_fork, hooks))
    for module_name, name in _STARTING:
        _patch_function(module_name, name, functools.partial(hooks.prepare, True))  # noqa: FBT003
    _patch_popen(hooks)
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(
            before=hooks.before_fork,
            after_in_parent=functools.partial(_end_hooks_in_parent, hooks),
            after_in_child=hooks.after_in_child,
        )


def _note_fork(hooks: Hooks) -> Callable[[], None]:
    """Note that this thread calls a function that forks; return what to call when it returns.

    Python looks for threads, and warns of them, when all hooks of the fork have run. So threads can
    only start again when the function has returned.
    """
    thread = threading.get_ident()
    _forking.add(thread)

    def end() -> None:
        _forking.discard(thread)
        hooks.after_fork()

    return end


def _end_hooks_in_parent(hooks: Hooks) -> None:
    hooks.after_in_parent()
    if threading.get_ident() not in _forking:  # a function that was imported before the patch
        hooks.after_fork()


def _patch_environment(hooks: Hooks) -> None:
    environment: Any = type(os.environ)
    original = environment.__iter__

    @functools.wraps(original)
    def __iter__(self: Any) -> Iterator[str]:  # noqa: N807
        if self is os.environ and _is_copied_by(sys._getframe(1)):  # noqa: SLF001
            hooks.prepare(False)  # noqa: FBT003 - only read, so far
        listed: Iterator[str] = original(self)
        return listed

    environment.__iter__ = __iter__


def _is_copied_by(frame: Any) -> bool:
    """Return whether what lists the environment, perhaps by ``items()``, can copy it."""
    while frame.f_globals.get("__name__") in _VIEWS and frame.f_back is not None:
        if frame.f_code.co_name == "popitem":  # also of ``clear()``
            return False
        frame = frame.f_back
    return frame.f_globals.get("__name__") not in _READERS


def _patch_function(module_name: str, name: str, begin: Callable[[], Callable[[], None]]) -> None:
    """Patch a function. begin: called before it, and returns what is called after it."""
    try:
        module = import_module(module_name)
    except ImportError:
        return
    original = getattr(module, name, None)
    if original is None:
        return

    @functools.wraps(original)
    def start(*args: Any, **kwargs: Any) -> Any:
        __tracebackhide__ = True
        end = begin()
        try:
            return original(*args, **kwargs)
        finally:
            end()

    setattr(module, name, start)


def _patch_popen(hooks: Hooks) -> None:
    # The class itself stays: other classes inherit from it.
    import subprocess

    popen: Any = subprocess.Popen
    original = popen.__init__

    @functools.wraps(original)
    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:  # noqa: N807
        __tracebackhide__ = True
        started = hooks.prepare(True)  # noqa: FBT003
        if isinstance(kwargs.get("env"), Mapping):
            kwargs["env"] = hooks.adapt(kwargs["env"])
        elif len(args) > _PLACE_OF_ENVIRONMENT and isinstance(args[_PLACE_OF_ENVIRONMENT], Mapping):
            before, after = args[:_PLACE_OF_ENVIRONMENT], args[_PLACE_OF_ENVIRONMENT + 1 :]
            args = (*before, hooks.adapt(args[_PLACE_OF_ENVIRONMENT]), *after)
        try:
            original(self, *args, **kwargs)
        finally:
            started()

    popen.__init__ = __init__
