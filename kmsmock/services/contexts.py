"""The condition keys of calls of services beside KMS."""

from __future__ import annotations

from collections.abc import Mapping

from kmsmock.context_keys import ContextKeys, context_of_principal, context_of_request
from kmsmock.services.registry import ServiceCall


def context_of(call: ServiceCall, members: Mapping[str, str]) -> ContextKeys:
    """Collect the condition keys of a call. members: condition key -> parameter."""
    parameters = call.parameters
    context = context_of_request(call.now, call.region)
    context.update(context_of_principal(call.identities, call.principal, call.region))
    context.update((key, parameters[m]) for key, m in members.items() if m in parameters)
    tags = parameters.get("Tags", ())
    context.update((f"aws:RequestTag/{tag['Key']}", tag["Value"]) for tag in tags)
    names = [tag["Key"] for tag in tags] or parameters.get("TagKeys")
    if names:
        context["aws:TagKeys"] = names
    context.update(call.backend.request_context)
    return context
