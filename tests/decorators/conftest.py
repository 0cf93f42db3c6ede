"""What the tests of decorators share."""

from __future__ import annotations

import pytest

from tests.decorators.mocked import is_mocked


@pytest.fixture(autouse=True)
def _no_mock_is_left(request):
    yield
    # The mock of a class-level set-up lasts as long as the class.
    assert request.cls is not None or not is_mocked()
