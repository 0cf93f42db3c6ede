"""What EC2 does with KMS for the volumes of instances, when they are launched, started and stopped.

A new volume has the calls of CreateVolume, and then those of AttachVolume. EC2 answers RunInstances
and StartInstances before it uses keys: a key that cannot be used terminates a new instance, and
stops one that was started.

Source: Amazon EBS User Guide, "How Amazon EBS encryption works"; AWS KMS Developer Guide, "How
Amazon EBS uses AWS KMS"; Amazon EC2 API Reference, EbsBlockDevice.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from kmsmock.services.ec2.kms_use.resources import EncryptedResource
from kmsmock.services.ec2.kms_use.volumes import CreateVolume
from kmsmock.services.registry import ServiceCall

#: The StateReason of an instance whose volumes cannot be decrypted, as it has been seen.
_CODE = "Client.InvalidKMSKey.InvalidState"
KEY_REASON: Mapping[str, str] = {
    "Code": _CODE,
    "Message": f"{_CODE}: The KMS key provided is in an incorrect state",
}
_ABOUT_ENCRYPTION = ("Encrypted", "KmsKeyId", "SnapshotId")


def create_volume_of_instance(
    call: ServiceCall, device: Mapping[str, Any], source: EncryptedResource | None
) -> CreateVolume:
    """Return the flow of a volume that is created with its instance.

    device: the ``Ebs`` of a block device mapping. source: its snapshot, or that of the image.
    """
    parameters = {name: device[name] for name in _ABOUT_ENCRYPTION if name in device}
    return CreateVolume(replace(call, parameters=parameters), source)
