"""The member requestParameters of records.

Source: AWS KMS Developer Guide, "Logging AWS KMS API calls with CloudTrail", the page of each
operation.
"""

from __future__ import annotations

from typing import Any

from kmsmock.aws.operations import OPERATION_FACTS
from kmsmock.aws.principals import PrincipalKind
from kmsmock.aws.services import find_calling_service
from kmsmock.ledger.call_record import Call
from kmsmock.trail.member_format import format_value, lower_first

#: Request members that have another name in CloudTrail than in the API.
_NAMES = {"CloudHsmClusterId": "clusterId"}
#: Errors of malformed requests, whose parameters are not known.
_MALFORMED = frozenset({"SerializationException", "ValidationException"})


def request_parameters(event: Call) -> dict[str, Any] | None:
    """Return requestParameters; None for calls without parameters.

    CloudTrail has none either for calls that were denied, that named a key that does not exist, or
    that were malformed.
    """
    if is_hidden(event) or (event.error_code in _MALFORMED and not any(event.parameters)):
        return None
    members = OPERATION_FACTS[event.operation].trail
    if members.hides_request_of_services and event.principal.kind is PrincipalKind.SERVICE:
        return None
    parameters: dict[str, Any] = {}
    for name, value in zip(members.request, event.parameters, strict=True):
        recorded = members.defaults.get(name) if value is None else value
        if recorded is not None:
            parameters[_NAMES.get(name) or lower_first(name)] = format_value(name, recorded)
    if members.shows_key_of_ciphertext:
        _add_key(parameters, event)
    synonym = next((v for v in map(event.parameter, members.synonyms) if v is not None), None)
    if synonym is not None:
        parameters.update((lower_first(name), synonym) for name in members.synonyms)
    return parameters or None


def is_hidden(event: Call) -> bool:
    """Return whether CloudTrail shows neither parameters nor resources of a call."""
    code = event.error_code
    return code == "AccessDeniedException" or (code == "NotFoundException" and event.key is None)


def _add_key(parameters: dict[str, Any], event: Call) -> None:
    """Add the key of a ciphertext, which CloudTrail does not show for some calls of services."""
    principal = event.principal
    service = find_calling_service(principal.via)
    is_hidden = principal.kind is PrincipalKind.SERVICE or service.hides_decrypting_key
    if event.key is not None and not is_hidden:
        parameters.setdefault("keyId", event.key.arn)
