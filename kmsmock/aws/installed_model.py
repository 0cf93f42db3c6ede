"""The model of the KMS API that is part of the installed botocore."""

from __future__ import annotations

from functools import cache
from typing import Any


@cache
def get_operation_model(name: str) -> Any:
    """Return botocore's OperationModel of a KMS operation; None if botocore does not have it."""
    model = _service_model()
    return model.operation_model(name) if name in model.operation_names else None


@cache
def _service_model() -> Any:
    from botocore.loaders import Loader
    from botocore.model import ServiceModel

    return ServiceModel(Loader().load_service_model("kms", "service-2"))


@cache
def list_services() -> frozenset[str]:
    """Return the names of all services that the installed botocore has."""
    from botocore.loaders import Loader

    return frozenset(Loader().list_available_services("service-2"))
