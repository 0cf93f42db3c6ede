"""The same principals for several users of a mock, each with a default principal of its own."""

from __future__ import annotations

from collections.abc import Callable
from copy import copy

from kmsmock.identities.directory import Identities


def share_identities(
    identities: Identities, account: str, find_region: Callable[[], str]
) -> Identities:
    """Return the principals for one of several users; the arguments are those of `Identities`.

    Only the stack of default principals is another one.
    """
    shared = copy(identities)
    shared._find_region = find_region  # noqa: SLF001 - of this package
    shared.administrator = identities.administrator_of(account)
    shared.defaults = [shared.administrator]
    return shared
