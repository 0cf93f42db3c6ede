"""Custom key stores, AWS CloudHSM and external: settings, connection state, failures."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum

from kmsmock.misuse.public_object import PublicObject
from kmsmock.misuse.suggestions import did_you_mean
from kmsmock.timing.passing_states import PassingStates, ShownState


class ConnectionState(Enum):
    """The connection states of a custom key store."""

    CONNECTED = "CONNECTED"
    CONNECTING = "CONNECTING"
    FAILED = "FAILED"
    DISCONNECTED = "DISCONNECTED"
    DISCONNECTING = "DISCONNECTING"


#: The connection state in answers; CONNECTING and DISCONNECTING are passing states.
CONNECTION_STATE = ShownState("ConnectionState")


class StoreType(Enum):
    """The kinds of custom key store."""

    AWS_CLOUDHSM = "AWS_CLOUDHSM"
    EXTERNAL_KEY_STORE = "EXTERNAL_KEY_STORE"


_COMMON = ("INTERNAL_ERROR", "NETWORK_ERRORS", "INVALID_CREDENTIALS")
#: Store type -> the error codes with which a connection can fail.
#: Source: AWS KMS API Reference, CustomKeyStoresListEntry, ConnectionErrorCode.
CONNECTION_ERRORS: dict[StoreType, tuple[str, ...]] = {
    StoreType.AWS_CLOUDHSM: (
        *_COMMON,
        *("CLUSTER_NOT_FOUND", "INSUFFICIENT_CLOUDHSM_HSMS", "SUBNET_NOT_FOUND"),
        *("INSUFFICIENT_FREE_ADDRESSES_IN_SUBNET", "USER_LOCKED_OUT", "USER_LOGGED_IN"),
        "USER_NOT_FOUND",
    ),
    StoreType.EXTERNAL_KEY_STORE: (
        *_COMMON,
        *("XKS_PROXY_ACCESS_DENIED", "XKS_PROXY_INVALID_CONFIGURATION"),
        *("XKS_PROXY_INVALID_RESPONSE", "XKS_PROXY_INVALID_TLS_CONFIGURATION"),
        *("XKS_PROXY_NOT_REACHABLE", "XKS_PROXY_TIMED_OUT"),
        *("XKS_VPC_ENDPOINT_SERVICE_INVALID_CONFIGURATION", "XKS_VPC_ENDPOINT_SERVICE_NOT_FOUND"),
    ),
}
_REPEATEDLY = "If you see this error repeatedly,"
#: Connection error -> the message of requests to a connected external key store with that error.
#: Source: AWS KMS Developer Guide, "Troubleshooting external key stores".
PROXY_FAILURES = {
    "XKS_PROXY_ACCESS_DENIED": "The external key store proxy rejected the request because it could "
    "not authenticate AWS KMS. Verify the credentials for your external key store and update if "
    "necessary.",
    "XKS_PROXY_INVALID_CONFIGURATION": "The external key store proxy rejected the request because "
    "of an invalid URI path. Verify the URI path for your external key store and update if "
    "necessary.",
    "XKS_PROXY_INVALID_RESPONSE": "AWS KMS cannot interpret the response from the external key "
    f"store proxy. {_REPEATEDLY} consult your external key store proxy administrator.",
    "XKS_PROXY_INVALID_TLS_CONFIGURATION": "AWS KMS cannot establish a TLS connection to the "
    "external key store proxy. Verify the TLS configuration, including its certificate.",
    "XKS_PROXY_NOT_REACHABLE": "AWS KMS cannot communicate with the external key store proxy. This "
    f"might be a transient network issue. {_REPEATEDLY} verify that your external key store proxy "
    "is active and is connected to the network, and that its endpoint URI is correct in your "
    "external key store.",
    "XKS_PROXY_TIMED_OUT": "AWS KMS rejected the request because the external key store proxy did "
    f"not respond in time. Retry the request. {_REPEATEDLY} report it to your external key store "
    "proxy administrator.",
}


@dataclass(slots=True)
class CustomKeyStore(
    PublicObject,
    internal=(
        *("begin_transition", "complete_transition", "describe_state", "proxy_failure", "sequence"),
        "xks_key_ids",
    ),
):
    """One custom key store of an account and Region."""

    store_id: str
    name: str
    store_type: StoreType
    creation_date: datetime
    #: The members of the CreateCustomKeyStore request that describe cluster or proxy.
    settings: dict[str, object]
    sequence: int
    state: ConnectionState = ConnectionState.DISCONNECTED
    #: The ConnectionErrorCode of a failed connection, only in state FAILED.
    error_code: str | None = None
    #: The connection error that a test has set with `fail`.
    fault: str | None = None
    #: Ids of the external keys that are in use.
    xks_key_ids: set[str] = field(default_factory=set)
    #: When the store leaves CONNECTING or DISCONNECTING; None in other states.
    transient_until: datetime | None = None

    @property
    def is_connected(self) -> bool:
        """Whether keys of this store can be used."""
        return self.state is ConnectionState.CONNECTED

    @property
    def proxy_failure(self) -> str | None:
        """AWS's error message while the proxy of a connected store fails; None while it works."""
        return PROXY_FAILURES.get(self.fault or "") if self.is_connected else None

    def describe_state(self, passing: PassingStates) -> str:
        """Return the connection state and what to do about it, as sentences for explanations.

        passing: the passing states of the mock.
        """
        named = f"The custom key store {self.name!r} is {self.state.value}"
        if self.transient_until is not None:
            waiting = passing.explain(CONNECTION_STATE, self.store_id) or ""
            return f"{named} until {self.transient_until:%Y-%m-%d %H:%M:%S} UTC. {waiting}".strip()
        if self.error_code is not None:
            return f"{named} ({self.error_code}): DisconnectCustomKeyStore, then connect it again."
        return f"{named}." if self.is_connected else f"{named}: ConnectCustomKeyStore comes first."

    def fail(self, error_code: str) -> None:
        """Simulate a failure of the cluster or proxy, until `heal` is called.

        error_code: a ConnectionErrorCode. With some codes, a connected external key store stays
        connected and each request to its proxy fails; with all others the store becomes FAILED.
        Raises ValueError for a code that this type of store cannot have.
        """
        possible = CONNECTION_ERRORS[self.store_type]
        if error_code not in possible:
            raise ValueError(
                f"a store of type {self.store_type.value} cannot fail with {error_code!r}; it can "
                f"with {', '.join(possible)}{did_you_mean(error_code, possible)}"
            )
        self.fault = error_code
        if self.is_connected and self.proxy_failure is None:
            self._connect()

    def heal(self) -> None:
        """End a simulated failure; a store in state FAILED must be disconnected and reconnected."""
        self.fault = None

    def begin_transition(self, transient: ConnectionState, due: datetime) -> None:
        """Begin to connect or disconnect. transient: CONNECTING or DISCONNECTING."""
        self.state, self.transient_until, self.error_code = transient, due, None

    def complete_transition(self) -> None:
        """Complete what `begin_transition` has begun."""
        self.transient_until = None
        if self.state is ConnectionState.CONNECTING:
            self._connect()
        else:
            self.state = ConnectionState.DISCONNECTED

    def _connect(self) -> None:
        self.error_code = self.fault
        self.state = ConnectionState.CONNECTED if self.fault is None else ConnectionState.FAILED
