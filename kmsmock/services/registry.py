"""What the operations of services beside KMS are given."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from kmsmock.backend import Backend
from kmsmock.principals import Principal


@dataclass(frozen=True, slots=True)
class ServiceCall:
    """One call of another service. parameters: as boto3 takes them."""

    backend: Backend
    principal: Principal
    region: str
    now: datetime
    parameters: Mapping[str, Any]


Handler = Callable[[ServiceCall], dict[str, Any]]
