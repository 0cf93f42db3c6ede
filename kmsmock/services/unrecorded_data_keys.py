"""Data keys and grants of what was stored unrecorded, such as before the mock was active.

They are made when the mock first learns of the resource, without a call to KMS: what encrypted it
has called KMS then. From then on the service decrypts them as all others.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from kmsmock.authorization.grants import EndedGrant, Grant, GrantConstraints, GrantTerms
from kmsmock.aws.arns import Arn
from kmsmock.aws.secret_values import SecretBytes
from kmsmock.crypto.ciphertext import DATA_KEY_PREFIX, ENCRYPT_PREFIX
from kmsmock.keys.key import Key
from kmsmock.keys.specs import KeyUsage
from kmsmock.operations.aws_managed_keys import new_aws_managed_key, store_aws_managed_key
from kmsmock.state.backend import Backend

_DATA_KEY_SIZE = 32


def find_key(backend: Backend, reference: str, account: str, region: str) -> Key | None:
    """Return the symmetric key that a store names, without a call; None if there is none here.

    reference: any of the four key identifiers. account, region: of the resource, for one that is no
    ARN. The AWS managed key of a predefined alias is created where it does not exist yet.
    """
    arn = Arn.parse(reference)
    if arn is not None:
        account, region, reference = arn.account, arn.region, arn.resource.removeprefix("key/")
    kms = backend.region(account, region)
    key = kms.get(reference)
    if key is None:
        now = backend.clock.now()
        key = new_aws_managed_key(backend, kms, reference, now)
        if key is not None:
            store_aws_managed_key(backend, key, reference, now)
    if key is None or key.spec.name != "SYMMETRIC_DEFAULT" or key.current_material is None:
        return None
    return key if key.usage is KeyUsage.ENCRYPT_DECRYPT else None


def encrypt_data_key(backend: Backend, key: Key, context: Mapping[str, str]) -> bytes:
    """Return the ciphertext of a new data key, encrypted under a KMS key in whatever state."""
    return key.encrypt(DATA_KEY_PREFIX, SecretBytes(backend.entropy(_DATA_KEY_SIZE)), context)


def encrypt_given_data_key(key: Key, data_key: SecretBytes, context: Mapping[str, str]) -> bytes:
    """Return the ciphertext of a data key, encrypted under a KMS key in whatever state."""
    return key.encrypt(DATA_KEY_PREFIX, data_key, context)


def encrypt(key: Key, plaintext: bytes, context: Mapping[str, str]) -> bytes:
    """Return the ciphertext of a plaintext, encrypted under a KMS key in whatever state."""
    return key.encrypt(ENCRYPT_PREFIX, plaintext, context)


def create_grant(
    backend: Backend,
    key: Key,
    grantee: str,
    retiring: str,
    operations: Collection[str],
    constraints: GrantConstraints,
) -> tuple[str, str]:
    """Create a grant that a service has created unrecorded; return its grant id and a grant token.

    grantee, retiring: principals, as CreateGrant takes them.
    """
    names = backend.identities.names
    unique_id = names.get_unique_id(grantee)
    terms = GrantTerms(
        tuple(operations),
        grantee_principal=grantee,
        retiring_principal=retiring,
        constraints=constraints,
        unique_ids={} if unique_id is None else {grantee: unique_id},
    )
    region = backend.region(key.account, key.region_name)
    created = backend.clock.now().replace(microsecond=0)
    grant_id, token = backend.entropy(32).hex(), backend.new_grant_token()
    grant = Grant(
        grant_id, key.arn, key.key_id, terms, key.account, created, region.next_sequence()
    )
    region.add_grant(grant, token)
    return grant_id, token


def remove_grant(backend: Backend, key_arn: str, grant_id: str) -> None:
    """Remove the grant of a resource that is gone, which its service has retired unrecorded."""
    arn = Arn.of(key_arn)
    region = backend.region(arn.account, arn.region)
    key = region.keys.get(arn.resource_id)
    grant = None if key is None else key.grants.get(grant_id)
    if grant is not None:
        region.end_grant(EndedGrant(grant, "retired", backend.clock.now()))
