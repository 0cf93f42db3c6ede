"""The stack of active mocks, and the interface of a mock that interception uses."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any, Protocol

from kmsmock.aws.api_call import Answer, ApiCall


class ActiveMock(Protocol):
    """The interface of a mock that interception uses."""

    @property
    def wire(self) -> bool:
        """Whether KMS requests are answered as HTTP, after botocore's serializer and signer."""
        ...

    @property
    def answer(self) -> Callable[[ApiCall], Answer]:
        """The function that answers a KMS request."""
        ...

    @property
    def services(self) -> Collection[str]:
        """The names of the AWS services that the mock answers."""
        ...

    @property
    def kms(self) -> Any:
        """The control object of the mock."""
        ...

    @property
    def is_started(self) -> bool:
        """Whether the mock has been started and not stopped; it may be paused."""
        ...

    @property
    def answer_service(self) -> Callable[..., Answer]:
        """The function that answers a request to a service other than KMS."""
        ...

    @property
    def begin(self) -> Callable[..., tuple[Any, Answer | None]]:
        """The function that makes a service's KMS calls when moto answers the request."""
        ...


#: The started mocks, the innermost last.
active: list[ActiveMock] = []
