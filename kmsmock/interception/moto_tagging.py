"""The tagging API of moto reports the keys that KMS refuses to tag, as AWS's does.

Source: Resource Groups Tagging API Reference, "FailureInfo": the error code of the service that
hosts the resource.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from typing import Any

from kmsmock.aws.arns import Arn
from kmsmock.process.active_mocks import get_own

_METHODS = ("tag_resources", "untag_resources")
_MARK = "kmsmock_original"


def install() -> None:
    """Replace what tags resources, once; for a request to the tagging API, which is imported then.

    What a moto has elsewhere stays as it is.
    """
    models = sys.modules.get("moto.resourcegroupstaggingapi.models")
    backend_class = getattr(models, "ResourceGroupsTaggingAPIBackend", None)
    for name in _METHODS:
        original = getattr(backend_class, name, None)
        if original is not None and not hasattr(original, _MARK):
            setattr(backend_class, name, _report_failures(original))


def _report_failures(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def replacement(backend: Any, *args: Any, **kwargs: Any) -> dict[str, Any]:
        arns, tags = (*args, *kwargs.values())  # moto names the first one differently in each
        keys = [] if get_own() is None else [arn for arn in arns if _is_key(arn)]
        failed: dict[str, Any] = dict(original(backend, [a for a in arns if a not in keys], tags))
        for arn in keys:
            failed |= _try_change(original, backend, arn, tags)
        return failed

    setattr(replacement, _MARK, original)
    return replacement


def _try_change(original: Callable[..., Any], backend: Any, arn: str, tags: Any) -> dict[str, Any]:
    """Return the failure of a key by its ARN; nothing for success."""
    refused: Any = sys.modules["moto.core.exceptions"].JsonRESTError
    try:
        return dict(original(backend, [arn], tags))
    except refused as error:
        failure = {"StatusCode": 400, "ErrorCode": error.error_type, "ErrorMessage": error.message}
        return {arn: failure}


def _is_key(arn: Any) -> bool:
    parsed = Arn.parse(arn) if isinstance(arn, str) else None
    return parsed is not None and parsed.service == "kms"
