"""What tests of eventual consistency share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from botocore.exceptions import ClientError

from kmsmock import KMSMock, mock_kms

SEEDS = range(8)


@contextmanager
def eventual(seed: int, **options: Any) -> Iterator[KMSMock]:
    """A mock whose nodes see changes late, in an ordering of their own."""
    with mock_kms(consistency="eventual", seed=seed, **options) as kms:
        yield kms


def attempt(call: Callable[[], Any]) -> str:
    """The error code of a call, or "ok"."""
    try:
        call()
    except ClientError as error:
        return str(error.response["Error"]["Code"])
    return "ok"


def settle(kms: KMSMock) -> None:
    """Let all nodes see all changes."""
    kms.clock.advance(minutes=5)


def retried(call: Callable[[], Any], attempts: int = 5) -> Any:
    """Call as code does that is written for AWS: again after NotFoundException."""
    try:
        return call()
    except ClientError as error:
        if attempts == 1 or error.response["Error"]["Code"] != "NotFoundException":
            raise
    return retried(call, attempts - 1)


def find_seed(outcome_of: Callable[[KMSMock], object], wanted: object, **options: Any) -> int:
    """The first seed with which a program has an outcome; fails if there is none."""
    for seed in range(30):
        with eventual(seed, **options) as kms:
            if outcome_of(kms) == wanted:
                return seed
    pytest.fail(f"no ordering has the outcome {wanted!r}")
