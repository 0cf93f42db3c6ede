"""A call of a service beside KMS, and what a service is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from kmsmock.aws.arns import Arn, iam_arn
from kmsmock.aws.errors import ServiceError
from kmsmock.aws.principals import Principal
from kmsmock.identities.directory import Identities
from kmsmock.services.errors import InvalidAction, InvalidClientTokenId, ValidationError
from kmsmock.state.backend import Backend


@dataclass(frozen=True, slots=True)
class ServiceCall:
    """One call of another service. parameters: as boto3 takes them. access_key: that signs it.

    is_answered: whether another mock has answered it, so that nothing is to be refused.
    """

    backend: Backend
    principal: Principal
    region: str
    now: datetime
    parameters: Mapping[str, Any]
    access_key: str | None = None
    request_id: str = ""
    is_answered: bool = False

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
        """Return the ARN of something of IAM in the account of the call."""
        return iam_arn(self.partition, self.account, resource)


Handler = Callable[[ServiceCall], "dict[str, Any]"]


def _accept(parameters: Mapping[str, Any]) -> None:
    """Require nothing."""


def _invalid_token(explanation: str) -> ServiceError:
    return InvalidClientTokenId(
        "The security token included in the request is invalid.", explanation=explanation
    )


@dataclass(frozen=True, slots=True)
class Service:
    """A service. operations: by name. first: what it requires before the limits of the model.

    unknown: the words for an operation that it does not have, with its ``{name}`` and ``{version}``
    of the API. words_limits: whether it has words of its own for what breaks the limits of the
    model, so that these are not looked at. Its errors: unauthenticated, for credentials that are no
    longer good, made of the reason; not_emulated, for an operation that it does not have; invalid,
    for what breaks the limits of the model.
    """

    operations: Mapping[str, Handler]
    first: Callable[[Mapping[str, Any]], None] = _accept
    unknown: str = "Could not find operation {name} for version {version}"
    words_limits: bool = False
    unauthenticated: Callable[[str], ServiceError] = _invalid_token
    not_emulated: type[ServiceError] = InvalidAction
    invalid: type[ServiceError] = ValidationError
