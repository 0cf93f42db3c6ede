"""The registry of KMS operations: the decorator that declares one, its targets, and the call."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from kmsmock.aws import errors
from kmsmock.aws.operations import (
    KeyNaming,
    ManagedKeyUse,
    OperationFacts,
    PageSizes,
    Permission,
    PriceClass,
    RequestQuota,
    TrailMembers,
    permissions,
    register,
    unregister,
)
from kmsmock.keys.key import Key
from kmsmock.keys.specs import KeyUsage
from kmsmock.keys.states import ANY_STATE, KeyState
from kmsmock.ledger.pending_call import PendingCall
from kmsmock.process.real_time import RealTime
from kmsmock.process.watchers import watchers
from kmsmock.timing.passing_states import Shows

if TYPE_CHECKING:
    from kmsmock.aws.principals import Principal
    from kmsmock.crypto.ciphertext import Blob
    from kmsmock.keys.region import KmsRegion
    from kmsmock.state.backend import Backend

Response = dict[str, Any]


class Call(PendingCall):
    """A call in progress, as operation handlers receive it.

    backend: the state of the mock. blob: the symmetric ciphertext of the request, once it has been
    parsed. started: the real time at the start if a watcher measures calls, otherwise 0.
    """

    __slots__ = ("backend", "blob", "started")

    operation: Operation

    def __init__(
        self,
        operation: Operation,
        principal: Principal,
        region: KmsRegion,
        backend: Backend,
        request_id: str,
        now: datetime,
        access_key: str | None = None,
        user_agent: str | None = None,
    ) -> None:
        self.started = RealTime.seconds() if watchers.called else 0.0
        # Narrower than the base class's OperationFacts, and never assigned again.
        self.operation = operation  # pyright: ignore[reportIncompatibleVariableOverride]
        self.parameters = {}
        self.principal = principal
        self.region = region
        self.backend = backend
        self.request_id = request_id
        self.now = now
        self.access_key = access_key
        self.user_agent = user_agent
        self.keys = []
        self.material_ids = []
        self.alias = None
        self.grant_id = None
        self.blob: Blob | None = None
        self.decision = None
        self.additional_event_data = None
        self.authorized = []
        self.was_authorized = False
        self.note = None

    @property
    def dry_run(self) -> bool:
        """Whether the request has ``DryRun=True``."""
        return bool(self.parameters.get("DryRun"))

    def record_material(self, key: Key, material_id: bytes) -> str | None:
        """Record which key material was used; return its id in hex if KMS shows it for the key."""
        if not key.shows_material_id:
            return None
        known = key.find_material(material_id).id  # the same bytes object in all events
        self.material_ids.append(known)
        return known.hex()

    def end_dry_run(self) -> None:
        """End a dry run; a handler calls this after its checks, before it changes anything.

        Raises DryRunOperationException. Handlers that change nothing need not call it.
        """
        if self.parameters.get("DryRun"):
            raise errors.DryRunOperationException(
                "The request would have succeeded, but the DryRun option is set."
            )


@dataclass(frozen=True, slots=True)
class Locator:
    """How an operation finds a key."""

    #: Returns the key, or None to skip the target; raises AWS's error when there is no such key.
    find: Callable[[Call], Key | None]
    #: Which key identifiers the request can use.
    naming: KeyNaming
    #: The parameter that has the identifier.
    member: str | None = None
    #: Whether the key can belong to another account.
    cross_account: bool = False


@dataclass(frozen=True, slots=True)
class Target:
    """One permission that an operation needs, and the key or other resource that it is about."""

    #: The IAM action.
    action: str
    #: How to find the key; None for actions that are not about one key.
    locate: Locator | None = None
    #: The permitted key states.
    states: frozenset[KeyState] = ANY_STATE
    #: The required key usage; None for any.
    usage: KeyUsage | None = None
    _: KW_ONLY
    #: The position of the action in AWS's list of grant operations; None if grants cannot allow it.
    grant_order: int | None = None
    #: Whether the key must be asymmetric (True) or symmetric (False), which the handler checks;
    #: None for either.
    of_key_pairs: bool | None = None
    #: The parameter that has the encryption context.
    context_member: str | None = None
    #: Who can be allowed the action on an AWS managed key; None for the default: everybody if the
    #: action only reads or uses the key, nobody otherwise.
    managed_key_use: ManagedKeyUse | None = None
    #: Returns the ARN of a resource that is not a key; None for the key, or ``*`` without one.
    resource: Callable[[Call], str] | None = None
    #: Returns whether a call needs this permission; None if every call does.
    when: Callable[[Call], bool] | None = None
    #: The parameter that names the Region in which the action takes place, if not the client's.
    region_from: str | None = None
    #: Whether the message of AccessDeniedException does not name the resource.
    omits_resource: bool = False
    #: Whether kms:EncryptionContext condition keys have the context in the constraints of the
    #: request's grant, instead of the encryption context of the request.
    context_from_grant_constraints: bool = False

    def is_same_named_action(self, operation: str) -> bool:
        """Return whether the action has the operation's name and its resource is just the key."""
        is_own = self.action == f"kms:{operation}"
        return is_own and self.resource is None and not self.context_from_grant_constraints

    def permission(self, *, is_read_only: bool) -> Permission:
        """Return the facts about the action. is_read_only: as CloudTrail shows it."""
        locator = self.locate
        managed_key_use = self.managed_key_use
        if managed_key_use is None:
            # The key usage of all AWS managed keys is ENCRYPT_DECRYPT.
            fits = self.usage in (None, KeyUsage.ENCRYPT_DECRYPT)
            is_open = is_read_only and fits
            managed_key_use = ManagedKeyUse.ANYBODY if is_open else ManagedKeyUse.NOBODY
        return Permission(
            self.action,
            None if locator is None else locator.naming,
            None if locator is None else locator.member,
            locator is not None and locator.cross_account,
            self.grant_order,
            self.context_member,
            managed_key_use,
            self.context_from_grant_constraints,
        )


Handler = Callable[..., "Response | None"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation(OperationFacts):
    """One operation of the KMS API: the facts about it, and the function that carries it out."""

    #: The permissions, and the keys that they are about.
    targets: tuple[Target, ...]
    #: Called with the `Call` and the `Key` of each target that locates one; returns the members of
    #: the response, or None for operations without response members.
    handler: Handler
    #: Called in the same way after authorization, for checks that come before those of key usage
    #: and key state.
    precheck: Callable[..., None] | None
    #: The states that the answer shows, if they can be passing ones.
    shows: Shows | None


OPERATIONS: dict[str, Operation] = {}


def operation(  # noqa: PLR0913 - one argument for each column of the table of operations
    name: str,
    *targets: Target,
    trail: TrailMembers,
    quota: RequestQuota,
    price: PriceClass = PriceClass.STANDARD,
    pages: PageSizes | None = None,
    precheck: Callable[..., None] | None = None,
    is_use_of_keys: bool = False,
    puts_policy: bool = False,
    hands_out: str | None = None,
    answers_anew: bool = False,
    shows: Shows | None = None,
) -> Callable[[Handler], Handler]:
    """Return a decorator that registers a function as the handler of a KMS operation.

    The declaration is complete: every other list of operations is derived from it. The arguments
    are those of `Operation` and `OperationFacts`. An operation with a target that requires a key
    usage is a cryptographic operation. answers_anew: whether a read-only operation, which is
    neither cryptographic nor hands out plaintexts, has another answer each time.
    """

    def register_with(handler: Handler) -> Handler:
        is_cryptographic = any(target.usage is not None for target in targets)
        declared = Operation(
            name=name,
            permissions=tuple(t.permission(is_read_only=trail.is_read_only) for t in targets),
            trail=trail,
            quota=quota,
            price=price,
            is_cryptographic=is_cryptographic,
            is_use_of_keys=is_use_of_keys,
            puts_policy=puts_policy,
            hands_out=hands_out,
            pages=pages,
            needs_only_same_named_action=len(targets) == 1
            and targets[0].is_same_named_action(name),
            is_repeatable=trail.is_read_only
            and not (is_cryptographic or hands_out is not None or answers_anew),
            targets=targets,
            handler=handler,
            precheck=precheck,
            shows=shows,
        )
        if shows is not None:
            shows.register(name)
        OPERATIONS[name] = declared
        register(declared)
        return handler

    return register_with


def is_account_level(action: str) -> bool:
    """Return whether an IAM action is not about a key, so that key policies do not apply to it."""
    return action in permissions() and permissions()[action].naming is None


def is_key_level(action: str) -> bool:
    """Return whether an IAM action is about a key, so that the key policy decides, too."""
    return action.startswith("kms:") and not is_account_level(action)


def is_decided_on_alias(action: str) -> bool:
    """Return whether an IAM action needs permission on an alias as well as on a key."""
    return any(
        {target.locate is None for target in declared.targets if target.action == action}
        == {True, False}
        for declared in OPERATIONS.values()
    )


def remove_operation(name: str) -> None:
    """Remove an operation that a test has declared."""
    del OPERATIONS[name]
    unregister(name)
