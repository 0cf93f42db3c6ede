"""What was asked, as CloudTrail shows it: requestParameters.

Source: AWS KMS Developer Guide, "Logging AWS KMS API calls with CloudTrail", the page of each
operation.
"""

from __future__ import annotations

from typing import Any

from kmsmock.aws.operations import OPERATION_FACTS
from kmsmock.aws.principals import PrincipalKind
from kmsmock.aws.services import calling_service
from kmsmock.ledger.call_record import Call
from kmsmock.trail.members import lowered, shown

#: Members that CloudTrail calls by another name than the API, in requests.
_NAMES = {"CloudHsmClusterId": "clusterId"}
#: Errors of requests that could not be read, of which nothing is recorded then.
_UNREADABLE = frozenset({"SerializationException", "ValidationException"})


def request_parameters(event: Call) -> dict[str, Any] | None:
    """Show the parameters of a call; None when there is nothing to show.

    Nothing is shown of calls that were refused, that named a key that does not exist, or that
    could not be read.
    """
    if is_hidden(event) or (event.error_code in _UNREADABLE and not any(event.parameters)):
        return None
    members = OPERATION_FACTS[event.operation].trail
    if members.hides_request_of_services and event.principal.kind is PrincipalKind.SERVICE:
        return None
    parameters: dict[str, Any] = {}
    for name, value in zip(members.request, event.parameters, strict=True):
        given = members.defaults.get(name) if value is None else value
        if given is not None:
            parameters[_NAMES.get(name) or lowered(name)] = shown(name, given)
    if members.shows_key_of_ciphertext:
        _name_key(parameters, event)
    given = next((v for v in map(event.parameter, members.synonyms) if v is not None), None)
    if given is not None:
        parameters.update((lowered(name), given) for name in members.synonyms)
    return parameters or None


def is_hidden(event: Call) -> bool:
    """Tell whether nothing is shown of what a call was about."""
    code = event.error_code
    return code == "AccessDeniedException" or (code == "NotFoundException" and event.key is None)


def _name_key(parameters: dict[str, Any], event: Call) -> None:
    """Add the key that a ciphertext named, unless a service opens what it made."""
    principal = event.principal
    service = calling_service(principal.via)
    is_hidden = principal.kind is PrincipalKind.SERVICE or service.hides_decrypting_key
    if event.key is not None and not is_hidden:
        parameters.setdefault("keyId", event.key.arn)
