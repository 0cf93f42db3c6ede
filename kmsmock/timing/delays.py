"""How long asynchronous work of AWS takes on the mock's clock, such as rotating a key on demand.

Source: AWS KMS Developer Guide, "Multi-Region keys", "Rotate AWS KMS keys", "Connect and
disconnect a custom key store". Where it only says "a few seconds" or "up to", a typical time.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta

_AT_ONCE = timedelta()


@dataclass(frozen=True, slots=True)
class Delays:
    """One delay for each kind of asynchronous work."""

    #: How long a replica key is in state Creating.
    replica: timedelta = timedelta(seconds=10)
    #: How long keys are in state Updating after UpdatePrimaryRegion.
    primary_region: timedelta = timedelta(seconds=10)
    #: How long an on-demand rotation takes.
    rotation: timedelta = timedelta(seconds=100)
    #: How long a custom key store of type AWS_CLOUDHSM is CONNECTING.
    cluster_connection: timedelta = timedelta(minutes=10)
    #: How long a custom key store of type EXTERNAL_KEY_STORE is CONNECTING.
    proxy_connection: timedelta = timedelta(minutes=5)
    #: How long a custom key store is DISCONNECTING.
    disconnection: timedelta = timedelta(minutes=1)
    #: How long it takes to create or change volumes, snapshots and databases.
    storage: timedelta = timedelta(minutes=5)
    #: How long it takes to change the key of a DynamoDB table.
    tables: timedelta = timedelta(seconds=21)


_ALL = Delays()
#: Value of the option `delays` -> the delays. Work without a delay is done at the next call.
DELAYS = {
    "kms": replace(_ALL, storage=_AT_ONCE, tables=_AT_ONCE),
    "all": _ALL,
    "none": Delays(*(_AT_ONCE for _ in Delays.__slots__)),
}
