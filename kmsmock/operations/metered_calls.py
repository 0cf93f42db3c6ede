"""Count a request against the request quotas, before anything else is done with it."""

from __future__ import annotations

from kmsmock.aws.api_call import HttpNeededError
from kmsmock.aws.errors import ThrottlingException
from kmsmock.aws.operations import QuotaGroup
from kmsmock.aws.quotas import count_requests
from kmsmock.ledger.request_rates import find_metered_account
from kmsmock.operations.key_lookup import find_named_keys
from kmsmock.operations.registry import Call


def require_quota(call: Call, *, can_be_http: bool = False) -> None:
    """Count a request; raises ThrottlingException for one above a quota.

    Throttling comes before all checks but that of the credentials. can_be_http: whether botocore
    can still make an HTTP request, which it retries: then one above a quota raises HttpNeededError.

    Source: AWS KMS Developer Guide, "Throttling AWS KMS requests": a request that might otherwise
    be valid.
    """
    throttled = find_throttling(call, can_be_http=can_be_http)
    if throttled is not None:
        raise throttled


def find_throttling(call: Call, *, can_be_http: bool = False) -> ThrottlingException | None:
    """Count a request; return the error for one above a quota. See `require_quota`."""
    quotas, principal = call.backend.quotas, call.principal
    is_of_service = principal.is_service
    is_cryptographic = call.operation.quota.group is QuotaGroup.CRYPTOGRAPHIC
    keys, alias = call.keys, call.alias
    if is_cryptographic or not principal.account:
        keys, alias = find_named_keys(call)
    counted = count_requests(
        call.operation,
        find_metered_account(principal, keys),
        call.region.name,
        keys,
        call.parameters.get,
    )
    throttle = quotas.take(counted, call.operation.name, call.now)
    if throttle is None:
        return None
    if can_be_http:
        raise HttpNeededError
    if not keys:
        keys, alias = find_named_keys(call)
    # For the record: the call is not carried out, and so does not find its keys itself.
    call.keys, call.alias = keys, alias
    return quotas.refuse(throttle, call.now, is_of_service=is_of_service)
