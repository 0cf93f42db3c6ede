"""The storage of databases: the key that it is encrypted under, its data key, and who holds it.

Source: Amazon RDS User Guide, "Encrypting Amazon RDS resources"; integrations of AWS KMS with
Amazon EBS, which has the volumes of instances.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from kmsmock.arns import Arn
from kmsmock.backend import Backend
from kmsmock.errors import AccessDeniedException
from kmsmock.principals import PrincipalKind
from kmsmock.services.rds import kms_calls
from kmsmock.services.rds.errors import InvalidParameterCombination, KMSKeyNotAccessibleFault
from kmsmock.services.rds.kinds import INSTANCE, Kind
from kmsmock.services.rds.kms_calls import Context, Grant
from kmsmock.services.rds.storage import Database, Snapshot
from kmsmock.services.registry import ServiceCall
from kmsmock.services.storage_keys import KeyUnusableError

#: The AWS managed key of RDS.
DEFAULT_KEY = "alias/aws/rds"
SPECIFIED_KEY = "Specified KMS key [{}]"
SOURCE_KEY = "The source snapshot KMS key [{}]"
_NEEDED = (
    "RDS needs both kms:DescribeKey and kms:CreateGrant on the key, with the identity of its "
    "caller. For a key of another account the key policy has to allow them, and the policies of "
    "the caller as well."
)


@contextmanager
def key_faults(words: str, key: str) -> Iterator[None]:
    """Answer with AWS's words when a key cannot be used. key: as the caller names it."""
    try:
        yield
    except KeyUnusableError as reason:
        why = str(reason)
        if isinstance(reason.error, AccessDeniedException):
            why = f"{why}\n{_NEEDED}"
        raise key_fault(words, key, why) from None


def describe_target(call: ServiceCall, words: str, key: str) -> str:
    """Look at the key that storage is to be encrypted under; gives its ARN.

    key: as the caller names it. Raises `KMSKeyNotAccessibleFault` with AWS's words.
    """
    try:
        with key_faults(words, key):
            return kms_calls.describe_key(call, key)
    except KMSKeyNotAccessibleFault as fault:
        arn = Arn.parse(key)
        if arn is not None and arn.region != call.region:
            fault.explanation = (
                f"The key is in {arn.region}. What is stored in {call.region} needs a key of "
                f"{call.region}."
            )
        raise


def key_fault(words: str, key: str, why: str) -> KMSKeyNotAccessibleFault:
    """Tell that a key cannot be used, and to humans why."""
    return KMSKeyNotAccessibleFault(
        f"{words.format(key)} does not exist, is not enabled or you do not have permissions to "
        "access it.",
        explanation=why,
    )


def refuse_root(call: ServiceCall, source: Snapshot) -> None:
    """Refuse the root user what is encrypted, and shared by another account."""
    is_shared = source.owner != call.account
    if source.key_arn is not None and is_shared and call.principal.kind is PrincipalKind.ROOT:
        raise key_fault(
            SOURCE_KEY,
            source.key_arn,
            "The root user of an account cannot use what is shared and encrypted; a user or role "
            "of it can.",
        )


def context_of(found: Database | Snapshot) -> Context:
    """Give the encryption context of a database and its snapshots."""
    return context_for(found.kind, found.resource_id)


def context_for(kind: Kind, resource_id: str) -> Context:
    """Give the encryption context of a database of a resource id."""
    return {kind.context_key: resource_id}


def asked_key(call: ServiceCall) -> str | None:
    """Give the key that a new database is to be encrypted under; None when it is not to be."""
    parameters = call.parameters
    key: str | None = parameters.get("KmsKeyId")
    if parameters.get("StorageEncrypted"):
        return key or DEFAULT_KEY
    if key:
        raise InvalidParameterCombination(
            "You must enable StorageEncrypted when you specify KmsKeyId for DB engine "
            f"{parameters['Engine']}"
        )
    return None


def encrypt_under(call: ServiceCall, database: Database, key: str) -> None:
    """Let a new database be encrypted under a key, as far as that is up to the request."""
    arn = describe_target(call, SPECIFIED_KEY, key)
    with key_faults(SPECIFIED_KEY, key):
        database.grants.append(kms_calls.lend(call, arn, context_of(database)))
    database.key_arn = arn


def make_storage(backend: Backend, now: datetime, database: Database) -> None:
    """Make the data key of a new database, and open it. Raises `KeyUnusableError`."""
    if database.key_arn is None:
        return
    context = context_of(database)
    if database.kind is INSTANCE:
        context = kms_calls.of_volume(context, f"vol-0{backend.entropy(8).hex()}")
    database.key = kms_calls.new_data_key(backend, now, database.key_arn, context)
    open_storage(backend, now, database)


def open_storage(backend: Backend, now: datetime, database: Database) -> None:
    """Let a database that starts have its data key in memory. Raises `KeyUnusableError`."""
    key = database.key
    if key is None:
        return
    if database.kind is not INSTANCE:
        database.opened = kms_calls.open_data_key(backend, now, key)
        return
    close_storage(backend, now, database)
    database.grants.append(kms_calls.lend_volume(backend, now, key))
    database.opened = kms_calls.open_volume(backend, now, key)


def close_storage(backend: Backend, now: datetime, database: Database) -> None:
    """Let a database that stops have its data key no more; RDS keeps its own grant."""
    database.opened = None
    own, others = database.grants[:1], database.grants[1:]
    kms_calls.retire(backend, now, others)
    database.grants = own


def give_up_storage(backend: Backend, now: datetime, database: Database) -> None:
    """End all grants of a database that is deleted."""
    close_storage(backend, now, database)
    grants: list[Grant] = database.grants
    kms_calls.retire(backend, now, grants)
    database.grants = []
