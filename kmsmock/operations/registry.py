"""What an operation is: a handler, and what AWS tabulates about it, declared as data."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import KW_ONLY, dataclass
from datetime import datetime
from time import perf_counter
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
from kmsmock.keys.states import KeyState
from kmsmock.ledger.pending_call import PendingCall
from kmsmock.process.watchers import watchers

if TYPE_CHECKING:
    from kmsmock.aws.principals import Principal
    from kmsmock.crypto.ciphertext import Blob
    from kmsmock.keys.region import KmsRegion
    from kmsmock.state.backend import Backend

Response = dict[str, Any]

# Named sets of key states. Source: AWS KMS Developer Guide, "Key states of AWS KMS keys".
_S = KeyState
ANY_STATE = frozenset(KeyState)
USABLE = frozenset({_S.ENABLED, _S.UPDATING})
PENDING_DELETION = frozenset({_S.PENDING_DELETION, _S.PENDING_REPLICA_DELETION})
NOT_PENDING_DELETION = ANY_STATE - PENDING_DELETION
GRANTABLE = USABLE | {_S.UNAVAILABLE}
SWITCHABLE = frozenset({_S.ENABLED, _S.DISABLED, _S.UNAVAILABLE})
DELETABLE = NOT_PENDING_DELETION - {_S.UPDATING}
READABLE_PUBLIC_KEY = USABLE | {_S.DISABLED}
REPLICABLE = frozenset({_S.ENABLED})
IMPORTABLE = frozenset({_S.ENABLED, _S.DISABLED, _S.PENDING_IMPORT})


class Call(PendingCall):
    """One call on its way, as operations see it.

    backend: what the mock holds. blob: the symmetric ciphertext of the request, once it has been
    taken apart. started: by `perf_counter` when somebody observes how long calls take, otherwise 0.
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
        self.started = perf_counter() if watchers.called else 0.0
        # Which is more than facts, and never another one.
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

    @property
    def dry_run(self) -> bool:
        """Whether the caller only wants to know if the call would succeed."""
        return bool(self.parameters.get("DryRun"))

    @property
    def encryption_context(self) -> Mapping[str, str] | None:
        """The encryption context of the call; for ReEncrypt that of its source."""
        parameters = self.parameters
        return parameters.get("EncryptionContext") or parameters.get("SourceEncryptionContext")

    def show_material(self, key: Key, material_id: bytes) -> str | None:
        """Note which key material was used, and give its id where KMS tells it."""
        if not key.shows_material_id:
            return None
        known = key.material_with(material_id).id  # one object for all records
        self.material_ids.append(known)
        return known.hex()

    def before_effect(self) -> None:
        """End a dry run here: a handler calls this when all its checks are done.

        Raises DryRunOperationException. Handlers without effects need not call it.
        """
        if self.parameters.get("DryRun"):
            raise errors.DryRunOperationException(
                "The request would have succeeded, but the DryRun option is set."
            )


@dataclass(frozen=True, slots=True)
class Locator:
    """How an operation finds a key.

    find: gives the key, or None to skip the target; it raises the error to answer when there is no
    such key. naming, member: how, and by which parameter, the request names the key. cross_account:
    whether the key can be another account's.
    """

    find: Callable[[Call], Key | None]
    naming: KeyNaming
    member: str | None = None
    cross_account: bool = False


@dataclass(frozen=True, slots=True)
class Target:
    """A resource that an operation acts on.

    action: the IAM action to be allowed. locate: how to find the key; None for actions that are
    not about one key. states: permitted key states. usage: required key usage. grant_order: the
    place of the action among those that a grant can allow. of_key_pairs: whether the key must be
    asymmetric (True) or symmetric (False), which the operation checks itself. context_member: the
    parameter that is the encryption context. managed_key_use: who may do it with an AWS managed
    key; by default everybody what only reads or uses it, and nobody anything else. resource: the
    ARN of what is no key; otherwise ``*``. when: whether the call has this target at all.
    region_from: the parameter that names the Region in which the action takes place, if not the
    client's. is_unnamed: AWS does not name the resource when it
    refuses. is_about_grant: whether the encryption context is that of the constraints of a grant.
    """

    action: str
    locate: Locator | None = None
    states: frozenset[KeyState] = ANY_STATE
    usage: KeyUsage | None = None
    _: KW_ONLY
    grant_order: int | None = None
    of_key_pairs: bool | None = None
    context_member: str | None = None
    managed_key_use: ManagedKeyUse | None = None
    resource: Callable[[Call], str] | None = None
    when: Callable[[Call], bool] | None = None
    region_from: str | None = None
    is_unnamed: bool = False
    is_about_grant: bool = False

    def is_plain_for(self, operation: str) -> bool:
        """Tell whether this is the permission of an operation's own name, on nothing but a key."""
        is_own = self.action == f"kms:{operation}"
        return is_own and self.resource is None and not self.is_about_grant

    def permission(self, *, is_read_only: bool) -> Permission:
        """Give the facts of the action. is_read_only: whether the operation changes nothing."""
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
            self.is_about_grant,
        )


Handler = Callable[..., "Response | None"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation(OperationFacts):
    """One operation of the KMS API: the facts about it, and what carries it out.

    targets: one for each of the permissions. first: checks that come before those of key usage and
    key state. handler: called with the `Call` and one `Key` for each target that locates one; gives
    the members of the answer, or None for operations that answer nothing.
    """

    targets: tuple[Target, ...]
    handler: Handler
    first: Callable[..., None] | None


OPERATIONS: dict[str, Operation] = {}


def operation(  # noqa: PLR0913 - the columns of a table
    name: str,
    *targets: Target,
    trail: TrailMembers,
    quota: RequestQuota,
    price: PriceClass = PriceClass.STANDARD,
    pages: PageSizes | None = None,
    first: Callable[..., None] | None = None,
    is_routine: bool = False,
    puts_policy: bool = False,
    hands_out: str | None = None,
) -> Callable[[Handler], Handler]:
    """Declare an operation, with the function that carries it out.

    This is all that is known of the operation: everything else about it is derived. The arguments
    are those of `Operation` and `OperationFacts`. An operation that requires a key usage is a
    cryptographic one.
    """

    def register_with(handler: Handler) -> Handler:
        declared = Operation(
            name=name,
            permissions=tuple(t.permission(is_read_only=trail.is_read_only) for t in targets),
            trail=trail,
            quota=quota,
            price=price,
            is_cryptographic=any(target.usage is not None for target in targets),
            is_routine=is_routine,
            puts_policy=puts_policy,
            hands_out=hands_out,
            pages=pages,
            is_plain=len(targets) == 1 and targets[0].is_plain_for(name),
            targets=targets,
            handler=handler,
            first=first,
        )
        OPERATIONS[name] = declared
        register(declared)
        return handler

    return register_with


def is_account_level(action: str) -> bool:
    """Tell whether an action of KMS is about no key, so that no key policy has a say."""
    return action in permissions() and permissions()[action].naming is None


def is_decided_on_alias(action: str) -> bool:
    """Tell whether an action is decided on an alias before it is decided on a key."""
    return any(
        {target.locate is None for target in declared.targets if target.action == action}
        == {True, False}
        for declared in OPERATIONS.values()
    )


def remove_operation(name: str) -> None:
    """Remove an operation again, as tests do with those that they made up."""
    del OPERATIONS[name]
    unregister(name)
