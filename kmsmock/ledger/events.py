"""The record that each call leaves, and what the service did by itself."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

from kmsmock.aws.arns import resource_of
from kmsmock.aws.operations import OPERATION_FACTS
from kmsmock.aws.prices import Charge
from kmsmock.aws.principals import Principal
from kmsmock.keys.key import Key
from kmsmock.ledger.pending_call import Authorized

if TYPE_CHECKING:
    from kmsmock.authorization.decision import Decision

#: Members of requests that name keys.
_NAMING = ("KeyId", "TargetKeyId", "SourceKeyId", "DestinationKeyId")


class Failure(NamedTuple):
    """How a call failed: AWS's code and text, and what helps a human.

    decision: when it was authorization that refused.
    """

    code: str
    message: str | None
    explanation: str | None
    decision: Decision | None


class Rest(NamedTuple):
    """What few calls have, apart, so that the records of the many stay small.

    second_key and second_material_id: of the destination of ReEncrypt. authorized: when it is not
    just the operation on its one key. shown: what CloudTrail shows of the answer. context: the
    condition keys that came from the network. noted: what CloudTrail shows beside request and
    answer, by names of the API.
    """

    second_key: Key | None = None
    second_material_id: bytes | None = None
    grant_id: str | None = None
    authorized: tuple[Authorized, ...] | None = None
    shown: tuple[Any, ...] | None = None
    context: Mapping[str, Any] | None = None
    noted: Mapping[str, Any] | None = None


NO_REST = Rest()


class Record(NamedTuple):
    """What is kept of one call. `Call` says what it means.

    parameters: values of the members that CloudTrail shows of the operation, None for those that
    were not given. material_id: of the key material that was used, 32 bytes. charge: one and the
    same object for all that cost the same.
    """

    operation: str
    principal: Principal
    access_key: str | None
    user_agent: str
    region: str
    key: Key | None
    alias: str | None
    parameters: tuple[Any, ...]
    material_id: bytes | None
    failure: Failure | None
    charge: Charge
    at: datetime
    test_id: str | None
    request_id: str
    rest: Rest = NO_REST


class Call(Record):
    """One call of the KMS API, allowed or refused: a record of a few hundred bytes.

    region: of the client. alias: the name that the call used, if any. at: the mock's time.
    test_id: the pytest node id.
    """

    __slots__ = ()

    @property
    def caller(self) -> str:
        """The ARN of the principal; of services their name."""
        return self.principal.arn

    @property
    def account(self) -> str:
        """The account that made the request."""
        return self.principal.account

    @property
    def price(self) -> Decimal:
        """The list price in USD, before the free tier; zero for what is not charged."""
        return self.charge.price

    @property
    def key_arn(self) -> str | None:
        """The ARN of the first key that the call found."""
        return None if self.key is None else self.key.arn

    @property
    def key_spec(self) -> str | None:
        """The key spec of that key."""
        return None if self.key is None else self.key.spec.name

    @property
    def key_name(self) -> str:
        """What a person calls the key: the alias that the call used, or ``key/…``; empty if none.

        For a key that was not found, what the call asked for.
        """
        arn = self.key_arn
        known = self.alias or (resource_of(arn) if arn else None)
        return known or next(iter(self.named), "")

    @property
    def named(self) -> tuple[str, ...]:
        """The names of keys that the call gave, whether there are such keys or not."""
        given = (self.parameter(member) for member in _NAMING)
        return tuple(name for name in given if name is not None)

    @property
    def keys(self) -> tuple[Key, ...]:
        """The keys that the call found: none, one, or for ReEncrypt two."""
        return tuple(key for key in (self.key, self.rest.second_key) if key is not None)

    @property
    def encryption_context(self) -> Mapping[str, str] | None:
        """The encryption context, a copy; for ReEncrypt that of its source."""
        context = self.parameter("EncryptionContext") or self.parameter("SourceEncryptionContext")
        return dict(context) if context else None

    @property
    def grant_id(self) -> str | None:
        """The id of the grant that allowed the call, or that the call made."""
        return self.rest.grant_id

    @property
    def dry_run(self) -> bool:
        """Whether the caller only wanted to know if the call would succeed."""
        return bool(self.parameter("DryRun"))

    @property
    def allowed(self) -> bool:
        """Whether authorization let it pass."""
        return self.error_code != "AccessDeniedException"

    @property
    def error_code(self) -> str | None:
        """The code of the error that the call was answered with."""
        return None if self.failure is None else self.failure.code

    @property
    def explanation(self) -> str | None:
        """What helps a human with that error."""
        return None if self.failure is None else self.failure.explanation

    @property
    def decision(self) -> Decision | None:
        """Why the call was refused, when authorization refused it."""
        return None if self.failure is None else self.failure.decision

    @property
    def via_service(self) -> str | None:
        """The service that called KMS for the principal, as ``kms:ViaService`` has it."""
        return self.principal.via_service(self.region)

    @property
    def authorized(self) -> tuple[Authorized, ...]:
        """Action, resource and encryption context of each decision that was passed."""
        if self.rest.authorized is not None:
            return self.rest.authorized
        resource = self.key_arn or "*"
        return ((f"kms:{self.operation}", resource, self.parameter("EncryptionContext")),)

    def parameter(self, name: str) -> Any:
        """Give a member of the request; None for what was not given, or is not recorded."""
        names = OPERATION_FACTS[self.operation].trail.request
        return self.parameters[names.index(name)] if name in names else None

    def __str__(self) -> str:
        context = dict(self.encryption_context) if self.encryption_context else ""
        words = (
            self.operation,
            self.key_name,
            context,
            "dry run" if self.dry_run else "",
            f"by {self.caller}",
            f"via {self.principal.via}" if self.principal.via else "",
        )
        return f"{' '.join(str(word) for word in words if word)} -> {self.error_code or 'ok'}"

    __repr__ = __str__


#: What records can be filtered by: the members that are values to compare.
MEMBERS = (
    *("operation", "caller", "account", "region", "key_arn", "key_spec", "alias"),
    *("encryption_context", "grant_id", "dry_run", "allowed", "error_code", "via_service"),
    *("price", "at", "test_id", "request_id", "explanation", "user_agent"),
)
