"""The record of one call."""

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
from kmsmock.misuse.public_object import PlainPublicObject

if TYPE_CHECKING:
    from kmsmock.authorization.decision import Decision

#: Members of requests that name keys.
_KEY_MEMBERS = ("KeyId", "TargetKeyId", "SourceKeyId", "DestinationKeyId")


class Failure(NamedTuple):
    """How a call failed: AWS's error code and message, and our explanation.

    decision: of authorization, if that denied the call. is_injected: whether a fault of the test
    has caused it.
    """

    code: str
    message: str | None
    explanation: str | None
    decision: Decision | None
    is_injected: bool = False


class RareFields(NamedTuple):
    """Fields that few calls have. Records without them share one instance, to save memory."""

    #: The destination key of ReEncrypt; for UpdateAlias the new key of the alias.
    second_key: Key | None = None
    #: The id of the key material of the destination key, 32 bytes.
    second_material_id: bytes | None = None
    #: The grant that allowed the call, or that it created or deleted.
    grant_id: str | None = None
    #: The decisions that allowed the call; None for one about the operation and its only key.
    authorized: tuple[Authorized, ...] | None = None
    #: The values of `TrailMembers.response`, in that order.
    response_members: tuple[Any, ...] | None = None
    #: Condition key -> value, for condition keys that the network determines.
    context: Mapping[str, Any] | None = None
    #: Members of additionalEventData -> value, with their names in the API.
    additional_event_data: Mapping[str, Any] | None = None
    #: What a successful answer does not show.
    note: str | None = None


NO_RARE_FIELDS = RareFields()


class Record(NamedTuple):
    """The fields of the record of a call; `Call` adds derived ones."""

    operation: str
    principal: Principal
    access_key: str | None
    user_agent: str
    #: The Region of the client.
    region: str
    #: The first key of the call; None if no key was found.
    key: Key | None
    #: The ARN of the alias that the request named, if it named one.
    alias: str | None
    #: The values of `TrailMembers.request`, in that order; None for absent members.
    parameters: tuple[Any, ...]
    #: The id of the key material that was used, 32 bytes.
    material_id: bytes | None
    #: None if the call succeeded.
    failure: Failure | None
    #: The usage type and price. Calls of the same price share one object.
    charge: Charge
    #: The time on the mock's clock.
    at: datetime
    #: The pytest node id of the running test.
    test_id: str | None
    request_id: str
    rare: RareFields = NO_RARE_FIELDS


class Call(Record, PlainPublicObject, internal=("charge", "rare")):
    """One call of the KMS API, allowed or refused: a record of a few hundred bytes."""

    __slots__ = ()

    @property
    def caller(self) -> str:
        """The ARN of the principal; for a service its name."""
        return self.principal.arn

    @property
    def account(self) -> str:
        """The account that made the request."""
        return self.principal.account

    @property
    def price(self) -> Decimal:
        """The list price in USD, before the free tier; zero for requests that are not charged."""
        return self.charge.price

    @property
    def key_arn(self) -> str | None:
        """The ARN of the first key of the call; None if no key was found."""
        return None if self.key is None else self.key.arn

    @property
    def key_spec(self) -> str | None:
        """The key spec of that key."""
        return None if self.key is None else self.key.spec.name

    @property
    def key_name(self) -> str:
        """A readable name of the first key: its alias in the request, or ``key/…``.

        For a key that was not found, what the request named; empty if the call is about no key.
        """
        arn = self.key_arn
        known = self.alias or (resource_of(arn) if arn else None)
        return known or next(iter(self.key_references), "")

    @property
    def key_references(self) -> tuple[str, ...]:
        """The key ids, key ARNs and aliases in the request, whether there are such keys or not."""
        references = (self.parameter(member) for member in _KEY_MEMBERS)
        return tuple(reference for reference in references if reference is not None)

    @property
    def keys(self) -> tuple[Key, ...]:
        """The keys of the call: none, one, or for ReEncrypt two."""
        return tuple(key for key in (self.key, self.rare.second_key) if key is not None)

    @property
    def encryption_context(self) -> Mapping[str, str] | None:
        """A copy of the encryption context; for ReEncrypt that of the source."""
        context = self.parameter("EncryptionContext") or self.parameter("SourceEncryptionContext")
        return dict(context) if context else None

    @property
    def grant_id(self) -> str | None:
        """The id of the grant that allowed the call, or that the call created."""
        return self.rare.grant_id

    @property
    def dry_run(self) -> bool:
        """Whether the call was a dry run."""
        return bool(self.parameter("DryRun"))

    @property
    def allowed(self) -> bool:
        """Whether the call was authorized."""
        return self.error_code != "AccessDeniedException"

    @property
    def error_code(self) -> str | None:
        """The error code of the response; None if the call succeeded."""
        return None if self.failure is None else self.failure.code

    @property
    def explanation(self) -> str | None:
        """The explanation of that error, or of what a successful response lacks, if any."""
        return self.rare.note if self.failure is None else self.failure.explanation

    @property
    def decision(self) -> Decision | None:
        """The decision of authorization, if that denied the call."""
        return None if self.failure is None else self.failure.decision

    @property
    def via_service(self) -> str | None:
        """The ``kms:ViaService`` value of the service that called for the principal, if any."""
        return self.principal.via_service(self.region)

    @property
    def authorized(self) -> tuple[Authorized, ...]:
        """Action, resource and encryption context of each decision that allowed the call."""
        if self.rare.authorized is not None:
            return self.rare.authorized
        resource = self.key_arn or "*"
        return ((f"kms:{self.operation}", resource, self.parameter("EncryptionContext")),)

    def parameter(self, name: str) -> Any:
        """Return a member of the request; None if it was absent, or is not recorded."""
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


#: The members by which records can be filtered.
MEMBERS = (
    *("operation", "caller", "account", "region", "key_arn", "key_spec", "alias"),
    *("encryption_context", "grant_id", "dry_run", "allowed", "error_code", "via_service"),
    *("price", "at", "test_id", "request_id", "explanation", "user_agent"),
)
