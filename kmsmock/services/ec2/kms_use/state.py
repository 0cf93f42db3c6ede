"""The encryption settings of EBS, whichever mock stores volumes and snapshots.

Source: Amazon EBS User Guide, "Amazon EBS encryption by default".
"""

from __future__ import annotations

from dataclasses import dataclass, field

from kmsmock.services.registry import ServiceCall
from kmsmock.services.store_reader import StoredElsewhere
from kmsmock.timing.passing_states import ShownState

#: The AWS managed key of EBS.
DEFAULT_KEY = "alias/aws/ebs"
#: The states in answers: those of volumes include their attachments.
VOLUME_STATE, SNAPSHOT_STATE, IMAGE_STATE = (
    ShownState("State"),
    ShownState("State"),
    ShownState("State"),
)


@dataclass(slots=True)
class EncryptionSettings:
    """Settings of one account in one Region. default_key: an alias, or an ARN once it was set."""

    encrypts_by_default: bool = False
    default_key: str = DEFAULT_KEY


@dataclass(slots=True)
class EbsEncryption:
    """The settings of one mock, by account and Region."""

    settings: dict[tuple[str, str], EncryptionSettings] = field(default_factory=dict)


@dataclass(slots=True)
class EbsEncryptionBeside(EbsEncryption, StoredElsewhere):
    """The settings while another store answers EC2, which end when that removes all."""


def settings_for(call: ServiceCall) -> EncryptionSettings:
    """Return the settings of the account and Region of a call."""
    kind = EbsEncryption if call.store is None else EbsEncryptionBeside
    settings = call.backend.service_state(kind).settings
    return settings.setdefault((call.account, call.region), EncryptionSettings())
