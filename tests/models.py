"""The API as the installed botocore knows it."""

from __future__ import annotations

import functools
from typing import Any

from botocore.loaders import Loader


def installed(client: Any, shape: str, members: dict[str, Any]) -> dict[str, Any]:
    """Leave out the members that an older model does not have, as its parser does."""
    known = client.meta.service_model.shape_for(shape).members
    return {name: value for name, value in members.items() if name in known}


@functools.cache
def has_operation(service: str, operation: str) -> bool:
    """Return whether the installed botocore has an operation; needs no profile of the machine."""
    return operation in Loader().load_service_model(service, "service-2")["operations"]
