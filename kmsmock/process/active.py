"""The stack of active mocks, and what the edge needs of one."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any, Protocol

from kmsmock.aws.api_call import Answer, ApiCall


class ActiveMock(Protocol):
    """What the edge needs of a mock."""

    @property
    def wire(self) -> bool:
        """Whether requests are answered as HTTP, behind all of botocore's own machinery."""
        ...

    @property
    def answer(self) -> Callable[[ApiCall], Answer]:
        """What answers a request."""
        ...

    @property
    def services(self) -> Collection[str]:
        """The names of the AWS services that are answered."""
        ...

    @property
    def kms(self) -> Any:
        """The control object of the mock."""
        ...

    @property
    def is_started(self) -> bool:
        """Whether it has not been stopped; while mocks are paused, it is not active."""
        ...

    @property
    def answer_service(self) -> Callable[..., Answer]:
        """What answers a request to another service than KMS."""
        ...

    @property
    def begin(self) -> Callable[..., tuple[Any, Answer | None]]:
        """What does a service's part with KMS before something else answers the service."""
        ...


#: The mocks that have been started, the innermost last.
active: list[ActiveMock] = []
