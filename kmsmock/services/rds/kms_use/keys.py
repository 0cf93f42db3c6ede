"""The requested key of a database, and the errors of RDS for one that cannot be used.

Source: Amazon RDS User Guide, "Encrypting Amazon RDS resources", "Sharing encrypted snapshots".
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from kmsmock.aws.arns import Arn
from kmsmock.aws.errors import AccessDeniedException
from kmsmock.keys.states import KeyState
from kmsmock.services.rds.errors import InvalidParameterCombination, KMSKeyNotAccessibleFault
from kmsmock.services.rds.kinds import INSTANCE, Kind
from kmsmock.services.rds.kms_use.encryption import DatabaseEncryption
from kmsmock.services.rds.kms_use.kms_calls import Context, Grant, create_grant, describe_key
from kmsmock.services.registry import ServiceCall
from kmsmock.services.storage_keys import KeyUnusableError, get_key
from kmsmock.state.backend import Backend

#: The AWS managed key of RDS.
DEFAULT_KEY = "alias/aws/rds"
SPECIFIED_KEY = "Specified KMS key [{}]"
SOURCE_KEY = "The source snapshot KMS key [{}]"
_NEEDED = (
    "RDS needs both kms:DescribeKey and kms:CreateGrant on the key, with the identity of its "
    "caller. For a key of another account the key policy has to allow them, and the policies of "
    "the caller as well."
)


def requested_key(call: ServiceCall, kind: Kind) -> str | None:
    """Return the key to encrypt a new database with; None for one that is not encrypted.

    Members of a cluster use its storage, and have no key of their own.
    """
    parameters = call.parameters
    if is_member(call, kind):
        return None
    key: str | None = parameters.get("KmsKeyId")
    if parameters.get("StorageEncrypted"):
        return key or DEFAULT_KEY
    if key:
        raise InvalidParameterCombination(
            "You must enable StorageEncrypted when you specify KmsKeyId for DB engine "
            f"{parameters['Engine']}"
        )
    return None


def is_member(call: ServiceCall, kind: Kind) -> bool:
    """Return whether a request is for an instance of a cluster."""
    return kind is INSTANCE and bool(call.parameters.get("DBClusterIdentifier"))


def refuse_key_of_member(call: ServiceCall) -> None:
    """Refuse a request for an instance of a cluster that names a key."""
    if "KmsKeyId" in call.parameters:
        raise InvalidParameterCombination(
            "The requested DB Instance will be a member of a DB Cluster and its storage "
            "encryption key should not be set directly."
        )


@contextmanager
def translate_key_errors(description: str, key: str) -> Iterator[None]:
    """Translate errors of KMS into those of RDS.

    description: AWS's description of the key. key: as the caller names it.
    """
    try:
        yield
    except KeyUnusableError as reason:
        why = str(reason)
        if isinstance(reason.error, AccessDeniedException):
            why = f"{why}\n{_NEEDED}"
        raise key_not_accessible_error(description, key, why) from None


def key_not_accessible_error(description: str, key: str, why: str) -> KMSKeyNotAccessibleFault:
    """Return the error for a key that cannot be used. why: the explanation."""
    return KMSKeyNotAccessibleFault(
        f"{description.format(key)} does not exist, is not enabled or you do not have permissions "
        "to access it.",
        explanation=why,
    )


def describe_target_key(call: ServiceCall, description: str, key: str) -> str:
    """Call DescribeKey for the key to encrypt storage with; return its ARN.

    key: as the caller names it. Raises `KMSKeyNotAccessibleFault` with AWS's text.
    """
    try:
        with translate_key_errors(description, key):
            return describe_key(call, key)
    except KMSKeyNotAccessibleFault as fault:
        arn = Arn.parse(key)
        if arn is not None and arn.region not in ("", call.region):
            fault.explanation = (
                f"The key is in {arn.region}. What is stored in {call.region} needs a key of "
                f"{call.region}."
            )
        raise


def create_target_grant(
    call: ServiceCall, description: str, key: str, key_arn: str, context: Context
) -> Grant:
    """Create RDS's grant on a key. key: as the caller names it.

    Raises `KMSKeyNotAccessibleFault` with AWS's text.
    """
    with translate_key_errors(description, key):
        return create_grant(call, key_arn, context)


def why_unusable(backend: Backend, encryption: DatabaseEncryption) -> str | None:
    """Explain why RDS cannot use the key of a database; return None when it can."""
    key = get_key(backend, encryption.key_arn)
    if key is None:
        return f"{encryption.key_arn} is gone, and the data with it"
    if key.state is not KeyState.ENABLED:
        return f"{key.arn} is in state {key.state.value}"
    for grant in encryption.grants:
        if key.grants.get(grant.grant_id) is None:
            return f"the grant of {grant.grantee} on {key.arn} has been revoked"
    return None
