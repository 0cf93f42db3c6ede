"""Wrap methods of botocore's classes, and of the subclasses that aiobotocore defines later."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

#: Returns the replacement of a method or property, which it is passed.
Wrapper = Callable[[Any], Any]
_PACKAGES = ("botocore.", "aiobotocore.")


def is_of_botocore(cls: type) -> bool:
    """Return whether a class is one of botocore or aiobotocore."""
    return cls.__module__.startswith(_PACKAGES)


def wrap_methods(
    base: Any, wrappers: Mapping[str, Wrapper], is_wrapped: Callable[[type], bool]
) -> None:
    """Wrap the methods that a class and its subclasses define themselves, also later subclasses.

    wrappers: by the names of methods and properties. is_wrapped: returns whether to wrap those of a
    class.
    """

    def wrap_those_of(cls: Any) -> None:
        for name, wrapper in wrappers.items():
            original = vars(cls).get(name)
            if original is not None and is_wrapped(cls):
                setattr(cls, name, wrapper(original))

    earlier = vars(base).get("__init_subclass__")  # of other wrappers

    def __init_subclass__(cls: Any, /, **kwargs: Any) -> None:  # noqa: N807
        if earlier is None:
            super(base, cls).__init_subclass__(**kwargs)
        else:
            earlier.__func__(cls, **kwargs)
        wrap_those_of(cls)

    for cls in _list_classes(base):
        wrap_those_of(cls)
    base.__init_subclass__ = classmethod(__init_subclass__)


def _list_classes(base: Any) -> list[Any]:
    return [base, *(each for subclass in base.__subclasses__() for each in _list_classes(subclass))]
