"""The path of a request to a service beside KMS that this mock answers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import replace
from importlib import import_module
from typing import Any

from botocore.utils import parse_to_aware_datetime

from kmsmock.aws.api_call import Answer, ApiCall
from kmsmock.aws.api_model import parse_request
from kmsmock.aws.errors import ServiceError, ValidationException
from kmsmock.aws.secret_values import SecretText
from kmsmock.aws.services import AWS_SERVICES
from kmsmock.identities.credentials import CredentialsError
from kmsmock.misuse.suggestions import list_similar
from kmsmock.services.members import MissingMemberError, as_members
from kmsmock.services.readable import missing_parameter, read_parameters
from kmsmock.services.registry import Handler, Service, ServiceCall
from kmsmock.state.backend import Backend
from kmsmock.timing.passing_states import Shows


def answer(
    backend: Backend,
    service: str,
    operation: str,
    parameters: Mapping[str, Any],
    *,
    access_key: str | None,
    region: str,
    model: Any,
    unknown_in: str | None = None,
) -> Answer:
    """Answer a request to another service than KMS.

    parameters: as boto3 takes them. model: the operation in botocore's model. unknown_in: the
    requested version of the API, if botocore's model has no such operation in it.
    """
    declared = _load(service)
    with backend.lock:
        request_id = backend.new_uuid()
        result: dict[str, Any] | ServiceError
        try:
            principal, now = backend.admit(access_key, region)
            handler = declared.operations.get(operation)
            if handler is None or unknown_in is not None:
                version = unknown_in or model.service_model.api_version
                raise _not_emulated(declared, service, operation, version)
            parameters = read_parameters(
                service,
                parameters,
                model.input_shape,
                requires_all=declared.validates_parameters,
            )
            declared.validate_first(parameters)
            if declared.validates_parameters:
                valid = deepcopy(parameters)
            else:
                # The limits of the model are the same for all protocols.
                times = _with_epochs(parameters, model.input_shape)
                body = SecretText(json.dumps(times, default=str))
                api_call = ApiCall(f"{service}.{operation}", body, access_key, region, model)
                valid = as_members(parse_request(api_call))
            call = ServiceCall(backend, principal, region, now, valid, access_key, request_id)
            result = handler(call)
            shows = declared.shown_states.get(operation)
            if shows is not None and backend.passing.open:
                result = _look(call, operation, handler, shows, result)
            # Scheduled work without a delay is done after the answer has been made.
            backend.clock.run_due_work(now)
        except CredentialsError as refusal:
            result = refusal.error_of(service)
        except MissingMemberError as missing:
            result = _missing(service, missing)
        except ValidationException as error:
            result = declared.invalid(error.message)
        except ServiceError as error:
            result = error
    return Answer(request_id, result)


def _missing(service: str, missing: MissingMemberError) -> ServiceError:
    """Return the error for a parameter that a handler has found missing."""
    error = missing_parameter(service, map(str, missing.args))
    assert error is not None
    return error


def _look(
    call: ServiceCall, operation: str, handler: Handler, shows: Shows, result: dict[str, Any]
) -> dict[str, Any]:
    """Count an answer as a look at passing states; return it, or a new one if that ended one."""
    filters = call.parameters.get("Filters", ())
    others = [each for each in filters if each.get("Name") not in shows.filters]
    shown = result
    if len(others) < len(filters):
        # Whether something is in the answer tells its state.
        paging = ("MaxResults", "NextToken")
        parameters = {k: v for k, v in call.parameters.items() if k not in paging}
        shown = handler(replace(call, parameters={**parameters, "Filters": others}))
    resources = shows.find_resources(call, shown)
    has_ended = call.backend.passing.look(shows.state, operation, resources, call.now)
    return handler(call) if has_ended else result


def _load(service: str) -> Service:
    """Import the `Service` of a service whose row has a module ``answered``."""
    module = AWS_SERVICES[service].answered
    assert module is not None
    loaded: Service = import_module(module).SERVICE
    return loaded


def _with_epochs(parameters: Mapping[str, Any], shape: Any) -> Mapping[str, Any]:
    """Return the parameters with times in whole epoch seconds, as they go over the wire."""
    members = {} if shape is None else shape.members
    times = {
        name: int(parse_to_aware_datetime(value).timestamp())
        for name, value in parameters.items()
        if name in members and members[name].type_name == "timestamp"
    }
    return {**parameters, **times} if times else parameters


def _not_emulated(declared: Service, service: str, operation: str, version: str) -> ServiceError:
    similar = list_similar(operation, declared.operations, 4, 0.5)
    others = f"; similar operations that are: {', '.join(similar)}" if similar else ""
    return declared.not_emulated(
        declared.unknown_operation.format(name=operation, version=version),
        explanation=f"{operation} of {service} is not emulated{others}. While moto's mock_aws is "
        f"active, moto answers {service}.",
    )
