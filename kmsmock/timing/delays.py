"""How long things take that AWS does a while after its answer, on the mock's clock.

Source: AWS KMS Developer Guide, "Multi-Region keys", "Rotate AWS KMS keys", "Connect and
disconnect a custom key store"; where it only says "a few seconds" or "up to", a usual time.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta

_AT_ONCE = timedelta()


@dataclass(frozen=True, slots=True)
class Delays:
    """How long each takes.

    replica: from Creating to Enabled. primary_region: in state Updating. rotation: a rotation on
    demand. cluster_connection, proxy_connection: a custom key store in state CONNECTING.
    disconnection: one in state DISCONNECTING. storage: volumes, snapshots and databases. tables: a
    table of DynamoDB under another key.
    """

    replica: timedelta = timedelta(seconds=10)
    primary_region: timedelta = timedelta(seconds=10)
    rotation: timedelta = timedelta(seconds=100)
    cluster_connection: timedelta = timedelta(minutes=10)
    proxy_connection: timedelta = timedelta(minutes=5)
    disconnection: timedelta = timedelta(minutes=1)
    storage: timedelta = timedelta(minutes=5)
    tables: timedelta = timedelta(seconds=21)


#: For the explanations of refusals.
HOW_TO_WAIT = (
    'kms.clock.advance(minutes=15) gets there; with mock_kms(delays="none") nothing takes a while.'
)
_ALL = Delays()
#: The values of the option `delays`. Without a delay things are done at the next call.
DELAYS = {
    "kms": replace(_ALL, storage=_AT_ONCE, tables=_AT_ONCE),
    "all": _ALL,
    "none": Delays(*(_AT_ONCE for _ in Delays.__slots__)),
}
