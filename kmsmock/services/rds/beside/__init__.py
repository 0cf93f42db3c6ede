"""RDS beside another mock: databases and snapshots are encrypted with KMS keys.

The flows are the same as when kmsmock answers RDS. `stored` is what they need of the databases and
snapshots that the other mock stores, and `unrecorded` asks about those that were stored unrecorded.
`answers` completes the other mock's answers; each further module has the operations of one topic.

Source: Amazon RDS User Guide, "Encrypting Amazon RDS resources".
"""

from __future__ import annotations

from functools import partial

from kmsmock.services.beside import BesideHandler, BesideStore, Steps
from kmsmock.services.rds.answered.tagging import read_tags
from kmsmock.services.rds.beside import databases, lists, snapshots
from kmsmock.services.rds.beside.stored import ChecksBeside
from kmsmock.services.rds.kinds import KINDS
from kmsmock.services.rds.kms_use.lost_keys import check_keys
from kmsmock.services.registry import ServiceCall


def _check_first(handler: BesideHandler) -> BesideHandler:
    """Find databases whose key has become unusable, and refuse tags that RDS does not accept."""

    def handle(call: ServiceCall) -> Steps:
        check_keys(call.backend, call.now, ChecksBeside)
        read_tags(call.parameters.get("Tags", ()))
        return (yield from handler(call))

    return handle


def _add_tags(_: ServiceCall) -> Steps:
    yield


_OF_EACH_KIND = {**databases.OF_EACH_KIND, **snapshots.OF_EACH_KIND}
_OPERATIONS: dict[str, BesideHandler] = {
    **{
        name.format(kind): partial(steps, kind)
        for name, steps in _OF_EACH_KIND.items()
        for kind in KINDS
    },
    **databases.OPERATIONS,
    **lists.OPERATIONS,
    **snapshots.OPERATIONS,
    "AddTagsToResource": _add_tags,
}
BESIDE = BesideStore(
    {name: _check_first(handler) for name, handler in _OPERATIONS.items()},
    {},
    hidden=("KmsKeyId",),
    data_operations=("AddTagsToResource",),
)
