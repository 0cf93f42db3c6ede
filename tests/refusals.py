"""Asserting on errors as boto3 raises them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from botocore.exceptions import ClientError


@contextmanager
def refused(code: str, message: str | None = None) -> Iterator[pytest.ExceptionInfo[ClientError]]:
    """Expect an error with this code and, if given, exactly this text."""
    with pytest.raises(ClientError) as caught:
        yield caught
    error: dict[str, Any] = caught.value.response["Error"]
    assert error["Code"] == code
    if message is not None:
        assert error["Message"] == message
