"""EC2 beside another mock: volumes, snapshots and images are encrypted with KMS keys.

What EBS does later on AWS is done here as soon as the answer is there: a volume whose key cannot
be used has vanished then, and such a copy is in state error. `stored_resources` is what is known of
what the other mock stores, `unrecorded` asks about what has no record, and `filters` are those
that it cannot apply; each further module has the operations of one topic.

Source: Amazon EBS User Guide, "How Amazon EBS encryption works".
"""

from __future__ import annotations

from kmsmock.services.beside import BesideHandler, BesideStore, Steps
from kmsmock.services.ec2.answered.tagging import require_valid_tags
from kmsmock.services.ec2.beside import (
    attachments,
    images,
    instances,
    settings,
    snapshots,
    volume_copies,
    volumes,
)
from kmsmock.services.registry import ServiceCall

#: The operations to which encryption by default applies.
_ENCRYPTING = ("CreateVolume", "CopySnapshot", "CopyImage", "RunInstances")


def _skip_dry_runs(name: str, handler: BesideHandler) -> BesideHandler:
    """Do nothing for a dry run, which ends before EC2 uses keys."""

    def handle(call: ServiceCall) -> Steps:
        if call.parameters.get("DryRun"):
            yield
            return None
        if name in _ENCRYPTING:
            settings.read_setting(call)
        return (yield from handler(call))

    return handle


def _require_valid_tags(handler: BesideHandler) -> BesideHandler:
    """Refuse tags that EC2 does not accept, which the other mock may take."""

    def handle(call: ServiceCall) -> Steps:
        require_valid_tags(call)
        return (yield from handler(call))

    return handle


def _create_tags(_: ServiceCall) -> Steps:
    yield


_STORED = {
    **attachments.OPERATIONS,
    **images.OPERATIONS,
    **instances.OPERATIONS,
    **snapshots.OPERATIONS,
    **volumes.OPERATIONS,
}
_OPERATIONS: dict[str, BesideHandler] = {
    **{name: _skip_dry_runs(name, handler) for name, handler in _STORED.items()},
    **settings.OPERATIONS,
    **volume_copies.OPERATIONS,
    "CreateTags": _create_tags,
}
BESIDE = BesideStore(
    {name: _require_valid_tags(handler) for name, handler in _OPERATIONS.items()},
    {},
    data_operations=("CreateTags",),
)
