"""The data of the installed botocore: the models of APIs, and the partitions of AWS."""

from __future__ import annotations

from functools import cache
from typing import Any


@cache
def get_operation_model(name: str) -> Any:
    """Return botocore's OperationModel of a KMS operation; None if botocore does not have it."""
    model = get_service_model("kms")
    return model.operation_model(name) if name in model.operation_names else None


@cache
def read_partitions() -> list[dict[str, Any]]:
    """Return the partitions of AWS, as in botocore's ``partitions.json``.

    Only botocore's own data: a file of the same name in the user's folder may have less.
    """
    from botocore.loaders import Loader

    loader = Loader([Loader.BUILTIN_DATA_PATH], include_default_search_paths=False)
    partitions: list[dict[str, Any]] = loader.load_data("partitions")["partitions"]
    return partitions


@cache
def get_service_model(service: str) -> Any:
    """Return botocore's ServiceModel of a service, one of `list_services`."""
    from botocore.loaders import Loader
    from botocore.model import ServiceModel

    return ServiceModel(Loader().load_service_model(service, "service-2"), service)


def get_text_member(service: Any, code: str) -> str | None:
    """Return the member with the text of an error, ``message`` or ``Message``.

    None for errors that the model does not have, or has without members. service: botocore's model.
    """
    shape = service.shape_for_error_code(code)
    names = () if shape is None else shape.members
    return next((name for name in names if name.lower() == "message"), None)


@cache
def get_error_codes(operation: str) -> frozenset[str] | None:
    """Return the error codes that the model lists for an operation.

    The common errors of all AWS services are not among them. None if botocore does not have the
    operation.
    """
    model = get_operation_model(operation)
    return None if model is None else frozenset(shape.error_code for shape in model.error_shapes)


@cache
def find_operations_with_error(code: str) -> frozenset[str]:
    """Return the operations for which the model lists an error code."""
    names = get_service_model("kms").operation_names
    return frozenset(name for name in names if code in (get_error_codes(name) or ()))


@cache
def list_services() -> frozenset[str]:
    """Return the names of all services that the installed botocore has."""
    from botocore.loaders import Loader

    return frozenset(Loader().list_available_services("service-2"))
