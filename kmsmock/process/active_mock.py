"""The interface of a mock that has been started, for what passes requests on to it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any, Protocol

from kmsmock.aws.api_call import Answer, ApiCall
from kmsmock.process.block_settings import BlockSetting


class ActiveMock(Protocol):
    """The interface of a mock that interception uses."""

    def answers_http(self, operation: str) -> bool:
        """Return whether calls of KMS are answered after botocore's serializer and signer."""
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
    def is_served(self) -> bool:
        """Whether it is the mock of a server, which is not started, and answers until that ends."""
        ...

    @property
    def kms(self) -> Any:
        """The control object of the mock."""
        ...

    @property
    def answer_service(self) -> Callable[..., Answer]:
        """The function that answers a request to a service other than KMS."""
        ...

    @property
    def begin(self) -> Callable[..., tuple[Any, Answer | None]]:
        """The function that makes a service's KMS calls when moto answers the request."""
        ...

    def find_account(self, access_key: str | None, region: str) -> str:
        """Return the account of the caller with an access key."""
        ...

    @property
    def call_kms(self) -> Callable[..., Any]:
        """The function that calls KMS because of a request to moto."""
        ...

    @property
    def region(self) -> str | None:
        """The option ``region``; None if the mock has none."""
        ...

    @property
    def block(self) -> BlockSetting | None:
        """What its arguments say about requests that nothing answers; None if nothing."""
        ...

    @property
    def follows_moto(self) -> bool:
        """The option ``with_moto``."""
        ...

    def find_variables(self) -> Mapping[str, str]:
        """Return the environment variables to set while the mock answers, by name."""
        ...

    @property
    def processes(self) -> str:
        """The option ``processes``."""
        ...

    @property
    def options(self) -> Mapping[str, Any]:
        """All options of the mock, by name."""
        ...

    @property
    def backend(self) -> Any:
        """The state of the mock; None if only another process has it."""
        ...

    @property
    def forward(self) -> Callable[..., Any] | None:
        """Sends requests to the process that has the mock; None if this one has it.

        Called with an `HttpRequest`, and with ``is_signed_here``, whether this process has signed
        it; it returns a `Forwarded`. For a forked child, its parent has the mock.
        """
        ...

    @property
    def parent_url(self) -> str | None:
        """In a forked child, where the process answers that has the mock; None for its own."""
        ...

    def leave_to_parent(self, url: str) -> None:
        """Leave calls to the process that has forked this one. url: where it answers."""
        ...

    def find_region(self) -> str:
        """Return the Region of clients that name none."""
        ...

    def skip_sleep(self, seconds: float, *, is_random: bool, is_retry: bool = False) -> bool:
        """Move the mock's clock instead of a sleep; return False if sleeps are to be real.

        is_random: whether the time is different each time, as that between retries. is_retry:
        whether a request is sent again afterwards.
        """
        ...

    def has_issued(self, access_key: str) -> bool:
        """Return whether an access key is one of the mock."""
        ...
