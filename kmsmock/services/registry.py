"""What a service beside KMS is, and a call to one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from kmsmock.aws.arns import Arn, iam_arn
from kmsmock.aws.errors import ServiceError
from kmsmock.aws.principals import Principal
from kmsmock.identities.directory import Identities
from kmsmock.protocols.errors import InvalidAction
from kmsmock.services.errors import ValidationError
from kmsmock.state.backend import Backend
from kmsmock.timing.passing_states import Shows


@dataclass(frozen=True, slots=True)
class ServiceCall:
    """A call to another service than KMS."""

    backend: Backend
    principal: Principal
    region: str
    #: The time of the call on the mock's clock.
    now: datetime
    #: The parameters of the request, as boto3 takes them; they can have plaintexts and passwords.
    parameters: Mapping[str, Any] = field(repr=False)
    #: The access key that signs the request; None for an unsigned request.
    access_key: str | None = None
    request_id: str = ""
    #: Whether TLS protects the request; only one to a host of AWS can lack it.
    is_secure: bool = True
    #: Whether another mock has answered the call already, so that nothing may be refused.
    is_answered: bool = False
    #: Whoever stores the resources, a `kmsmock.services.store_reader.Store`; None if it cannot be
    #: asked, or if this mock stores them.
    store: Any = field(default=None, repr=False)

    @property
    def identities(self) -> Identities:
        """The users and roles of all accounts."""
        return self.backend.identities

    @property
    def account(self) -> str:
        """The account that the call is made in."""
        return self.principal.account

    @property
    def partition(self) -> str:
        """The AWS partition that the call is made in."""
        return self.principal.partition

    def arn(
        self, service: str, resource: str, *, region: str | None = None, account: str | None = None
    ) -> str:
        """Return the ARN of a resource in the account and Region of the call, or in another."""
        region = self.region if region is None else region
        account = self.account if account is None else account
        return str(Arn(self.partition, service, region, account, resource))

    def iam_arn(self, resource: str) -> str:
        """Return the ARN of an IAM resource in the account of the call."""
        return iam_arn(self.partition, self.account, resource)


Handler = Callable[[ServiceCall], "dict[str, Any]"]


def _accept(parameters: Mapping[str, Any]) -> None:
    """Accept all parameters."""


@dataclass(frozen=True, slots=True)
class Service:
    """A service that this mock answers."""

    #: Operation name -> handler.
    operations: Mapping[str, Handler]
    #: Checks the parameters, before the limits of botocore's model are checked.
    validate_first: Callable[[Mapping[str, Any]], None] = _accept
    #: The message for an operation that is not emulated, with ``{name}`` and the API's
    #: ``{version}``.
    unknown_operation: str = "Could not find operation {name} for version {version}"
    #: Whether the handlers check the limits of botocore's model, with their own messages.
    validates_parameters: bool = False
    #: The error for an operation that is not emulated.
    not_emulated: type[ServiceError] = InvalidAction
    #: The error for parameters that violate the limits of botocore's model.
    invalid: type[ServiceError] = ValidationError
    #: Operation name -> the states that its answer shows, if they can be passing ones.
    shown_states: Mapping[str, Shows] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for operation, shows in self.shown_states.items():
            shows.register(operation)
