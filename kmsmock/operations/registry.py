"""What an operation is: a handler, and what AWS tabulates about it, declared as data."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from time import perf_counter
from typing import TYPE_CHECKING, Any

from kmsmock import errors
from kmsmock.keys.key import Key
from kmsmock.keys.specs import KeyUsage
from kmsmock.keys.states import KeyState
from kmsmock.watchers import watchers

if TYPE_CHECKING:
    from kmsmock.authorization.decision import Decision
    from kmsmock.backend import Backend
    from kmsmock.crypto.ciphertext import Blob
    from kmsmock.keys.region import KmsRegion
    from kmsmock.principals import Principal

Response = dict[str, Any]
Locate = Callable[["Call"], Key]

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


class Call:
    """One call on its way: who asks what of which Region, and what was found out on the way.

    keys, alias, grant_id, material_ids: noted for the ledger by those who find them. blob: the
    symmetric ciphertext of the request, once it has been taken apart. authorized: action, resource
    and encryption context of what was allowed on the way. decision: of a refused call. noted: what
    CloudTrail shows beside request and answer.
    """

    __slots__ = (
        "access_key",
        "alias",
        "authorized",
        "backend",
        "blob",
        "decision",
        "grant_id",
        "keys",
        "material_ids",
        "noted",
        "now",
        "operation",
        "parameters",
        "principal",
        "region",
        "request_id",
        "started",
        "user_agent",
    )

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
        #: By `perf_counter`, when somebody observes how long calls take; otherwise 0.
        self.started = perf_counter() if watchers.called else 0.0
        self.operation = operation
        self.parameters: dict[str, Any] = {}
        self.principal = principal
        self.region = region
        self.backend = backend
        self.request_id = request_id
        self.now = now
        self.access_key = access_key
        self.user_agent = user_agent
        self.keys: list[Key] = []
        self.material_ids: list[bytes] = []
        self.alias: str | None = None
        self.grant_id: str | None = None
        self.blob: Blob | None = None
        self.decision: Decision | None = None
        self.noted: dict[str, Any] | None = None
        self.authorized: list[tuple[str, str, Mapping[str, str] | None]] = []

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
class Target:
    """A resource that an operation acts on.

    action: the IAM action to be allowed. locate: how to find the key; None for actions that are
    not about one key, and locators that give None skip the target. states: permitted key states.
    usage: required key usage. resource: the ARN of what is no key; otherwise ``*``. when: whether
    the call has this target at all. region_from: the parameter that names the Region in which the
    action takes place, if not the client's. is_unnamed: AWS does not name the resource when it
    refuses.
    """

    action: str
    locate: Callable[[Call], Key | None] | None = None
    states: frozenset[KeyState] = ANY_STATE
    usage: KeyUsage | None = None
    resource: Callable[[Call], str] | None = None
    when: Callable[[Call], bool] | None = None
    region_from: str | None = None
    is_unnamed: bool = False


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of the KMS API.

    first: checks that come before those of key usage and key state.
    marks_usage: whether GetKeyLastUsage counts it. puts_policy: whether the caller must be able
    to change the key policy that it gives (the lockout safety check). hands_out: members of the
    answer that are plaintexts.
    """

    name: str
    targets: tuple[Target, ...]
    handler: Callable[..., Response | None]
    first: Callable[..., None] | None
    marks_usage: bool
    puts_policy: bool
    hands_out: tuple[str, ...]


OPERATIONS: dict[str, Operation] = {}


def operation(
    name: str,
    *targets: Target,
    first: Callable[..., None] | None = None,
    marks_usage: bool = False,
    puts_policy: bool = False,
    hands_out: tuple[str, ...] = (),
) -> Callable[[Callable[..., Response | None]], Callable[..., Response | None]]:
    """Register the handler of an operation.

    It is called with the `Call` and one `Key` for each target that locates one. It gives the
    members of the answer, or None for operations that answer nothing.
    """

    def register(handler: Callable[..., Response | None]) -> Callable[..., Response | None]:
        OPERATIONS[name] = Operation(
            name, targets, handler, first, marks_usage, puts_policy, hands_out
        )
        return handler

    return register
