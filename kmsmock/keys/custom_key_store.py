"""Custom key stores: AWS CloudHSM and external ones, as a state machine."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum


class ConnectionState(Enum):
    """The connection states of a custom key store."""

    CONNECTED = "CONNECTED"
    CONNECTING = "CONNECTING"
    FAILED = "FAILED"
    DISCONNECTED = "DISCONNECTED"
    DISCONNECTING = "DISCONNECTING"


class StoreType(Enum):
    """The kinds of custom key store."""

    AWS_CLOUDHSM = "AWS_CLOUDHSM"
    EXTERNAL_KEY_STORE = "EXTERNAL_KEY_STORE"


@dataclass(slots=True)
class CustomKeyStore:
    """One custom key store of an account and Region.

    settings: the request members of CreateCustomKeyStore that describe cluster or proxy.
    error_code: why the last connection attempt failed; only in state FAILED.
    """

    store_id: str
    name: str
    store_type: StoreType
    creation_date: datetime
    settings: dict[str, object]
    state: ConnectionState = ConnectionState.DISCONNECTED
    error_code: str | None = None
    xks_key_ids: set[str] = field(default_factory=set)

    @property
    def is_connected(self) -> bool:
        """Whether keys of this store can be used."""
        return self.state is ConnectionState.CONNECTED
