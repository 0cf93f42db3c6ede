"""The encryption of volumes and snapshots that were stored without a record.

It is what it would be if the mock had seen them: with a data key, and for attached volumes with the
grant of the instance. KMS is not called for it.
"""

from __future__ import annotations

from kmsmock.aws.secret_values import SecretBytes
from kmsmock.crypto.xts import KEY_BYTES
from kmsmock.keys.key import Key
from kmsmock.services.ebs_identity import service_principal
from kmsmock.services.ec2.kms_use.attachments import AttachedKey, infrastructure_role
from kmsmock.services.ec2.kms_use.kms_calls import DataKey, Grant, context_of
from kmsmock.services.registry import ServiceCall
from kmsmock.services.unrecorded_data_keys import encrypt_given_data_key
from kmsmock.services.unrecorded_grants import add_grant
from kmsmock.state.backend import Backend


def encrypt_unrecorded(backend: Backend, key: Key, resource_id: str) -> tuple[DataKey, SecretBytes]:
    """Return the data key of a volume or snapshot, encrypted and as plaintext."""
    plaintext = SecretBytes(backend.entropy(KEY_BYTES))
    encrypted = encrypt_given_data_key(key, plaintext, context_of(resource_id))
    return DataKey(key.arn, encrypted, resource_id, backend.new_uuid()), plaintext


def attach_unrecorded(
    call: ServiceCall, key: Key, data_key: DataKey, plaintext: SecretBytes, instance_id: str
) -> AttachedKey:
    """Return the data key of a volume in an instance, with its grant."""
    grant_id = add_grant(
        call.backend,
        key,
        call.account,
        grantee=infrastructure_role(call, instance_id).arn,
        retiring=service_principal(key.region_name),
        operations=("Decrypt",),
        context=data_key.context,
    )
    return AttachedKey(Grant(data_key, grant_id), plaintext)
