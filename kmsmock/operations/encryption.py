"""The operations Encrypt, Decrypt and ReEncrypt."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice

from kmsmock.aws import errors
from kmsmock.aws.operations import CRYPTOGRAPHIC, KeyNaming, PriceClass, read_event
from kmsmock.crypto import ciphertext
from kmsmock.crypto.errors import DecryptionFailed
from kmsmock.crypto.rsa import max_plaintext_bytes
from kmsmock.keys.key import Key, format_context
from kmsmock.keys.specs import KeyUsage
from kmsmock.keys.states import USABLE
from kmsmock.operations import recipient
from kmsmock.operations.key_lookup import (
    SYMMETRIC,
    by_any_identifier,
    by_ciphertext,
    ignores_ciphertext,
)
from kmsmock.operations.registry import OPERATIONS, Call, Response, Target, operation

#: Source: AWS KMS API Reference, Encrypt, Plaintext.
_LONGEST_SM2_PLAINTEXT = 1024
_MAX_CALLS_SEARCHED = 1_000
_MAX_CONTEXTS_LISTED = 3


@operation(
    "Encrypt",
    Target(
        "kms:Encrypt",
        by_any_identifier("KeyId"),
        USABLE,
        KeyUsage.ENCRYPT_DECRYPT,
        grant_order=6,
        context_member="EncryptionContext",
    ),
    trail=read_event(
        *("KeyId", "EncryptionContext", "EncryptionAlgorithm", "DryRun"),
        defaults={"EncryptionAlgorithm": SYMMETRIC},
        shows_key_store=True,
    ),
    price=PriceClass.BY_KEY_SPEC,
    quota=CRYPTOGRAPHIC,
)
def encrypt(call: Call, key: Key) -> Response:
    """Encrypt up to 4096 bytes under a KMS key."""
    parameters = call.parameters
    algorithm = parameters.get("EncryptionAlgorithm", SYMMETRIC)
    context = parameters.get("EncryptionContext")
    blob = _encrypt(key, parameters["Plaintext"], algorithm, context)
    if key.shows_material_id:
        call.material_ids.append(key.material.id)  # in CloudTrail, but not in the response
    return {"CiphertextBlob": blob, "KeyId": key.arn, "EncryptionAlgorithm": algorithm}


@operation(
    "Decrypt",
    Target(
        "kms:Decrypt",
        by_ciphertext(),
        USABLE,
        KeyUsage.ENCRYPT_DECRYPT,
        grant_order=5,
        context_member="EncryptionContext",
    ),
    trail=read_event(
        *("EncryptionContext", "EncryptionAlgorithm", "KeyId", "DryRun", "DryRunModifiers"),
        defaults={"EncryptionAlgorithm": SYMMETRIC},
        shows_key_of_ciphertext=True,
        shows_key_store=True,
    ),
    price=PriceClass.BY_KEY_SPEC,
    quota=CRYPTOGRAPHIC,
    hands_out="Plaintext",
)
def decrypt(call: Call, key: Key) -> Response:
    """Decrypt a ciphertext of Encrypt, ReEncrypt, GenerateDataKey or the key's public key."""
    parameters = call.parameters
    algorithm = parameters.get("EncryptionAlgorithm", SYMMETRIC)
    plaintext, material_id = _decrypt(call, key, algorithm, parameters.get("EncryptionContext"))
    response = {"KeyId": key.arn, "EncryptionAlgorithm": algorithm}
    if "Recipient" in parameters:
        return response | {"CiphertextForRecipient": recipient.encrypt(call, plaintext)}
    response["Plaintext"] = plaintext
    if material_id is not None:
        response["KeyMaterialId"] = material_id
    return response


@operation(
    "ReEncrypt",
    Target(
        "kms:ReEncryptFrom",
        by_ciphertext("SourceKeyId", "SourceEncryptionAlgorithm"),
        USABLE,
        KeyUsage.ENCRYPT_DECRYPT,
        grant_order=9,
        context_member="SourceEncryptionContext",
    ),
    Target(
        "kms:ReEncryptTo",
        by_any_identifier("DestinationKeyId"),
        USABLE,
        KeyUsage.ENCRYPT_DECRYPT,
        grant_order=10,
        context_member="DestinationEncryptionContext",
    ),
    trail=read_event(
        *("SourceKeyId", "SourceEncryptionContext", "SourceEncryptionAlgorithm"),
        *("DestinationKeyId", "DestinationEncryptionContext", "DestinationEncryptionAlgorithm"),
        *("DryRun", "DryRunModifiers"),
        defaults={
            "SourceEncryptionAlgorithm": SYMMETRIC,
            "DestinationEncryptionAlgorithm": SYMMETRIC,
        },
        shows_key_store=True,
    ),
    price=PriceClass.BY_KEY_SPEC,
    quota=CRYPTOGRAPHIC,
)
def re_encrypt(call: Call, source: Key, destination: Key) -> Response:
    """Decrypt a ciphertext and encrypt the plaintext under another KMS key, inside of KMS."""
    parameters = call.parameters
    source_algorithm = parameters.get("SourceEncryptionAlgorithm", SYMMETRIC)
    algorithm = parameters.get("DestinationEncryptionAlgorithm", SYMMETRIC)
    plaintext, source_material_id = _decrypt(
        call, source, source_algorithm, parameters.get("SourceEncryptionContext")
    )
    context = parameters.get("DestinationEncryptionContext")
    blob = _encrypt(destination, plaintext, algorithm, context)
    response = {
        "CiphertextBlob": blob,
        "SourceKeyId": source.arn,
        "KeyId": destination.arn,
        "SourceEncryptionAlgorithm": source_algorithm,
        "DestinationEncryptionAlgorithm": algorithm,
    }
    if source_material_id is not None:
        response["SourceKeyMaterialId"] = source_material_id
    material_id = call.record_material(destination, destination.material.id)
    if material_id is not None:
        response["DestinationKeyMaterialId"] = material_id
    return response


def _encrypt(
    key: Key, plaintext: bytes, algorithm: str, context: Mapping[str, str] | None
) -> bytes:
    key.require_algorithm(algorithm)
    if algorithm == SYMMETRIC:
        return key.encrypt(ciphertext.ENCRYPT_PREFIX, plaintext, context)
    _require_no_context(context)
    max_bytes = _get_max_plaintext_bytes(key, algorithm)
    if len(plaintext) > max_bytes:
        raise errors.ValidationException(
            f"Algorithm {algorithm} and key spec {key.spec.name} cannot encrypt data larger than "
            f"{max_bytes} bytes.",
            explanation="Encrypt more with a data key, which GenerateDataKey makes under a "
            "symmetric encryption key (envelope encryption).",
        )
    blob: bytes = key.key_pair.encrypt(plaintext, algorithm)
    return blob


def _get_max_plaintext_bytes(key: Key, algorithm: str) -> int:
    if algorithm == "SM2PKE":
        return _LONGEST_SM2_PLAINTEXT
    return max_plaintext_bytes(algorithm, key.key_pair.bits)


def _decrypt(
    call: Call, key: Key, algorithm: str, context: Mapping[str, str] | None
) -> tuple[bytes, str | None]:
    """Return the plaintext, and the id of the key material if KMS shows it for the key."""
    key.require_algorithm(algorithm)
    if algorithm != SYMMETRIC:
        _require_no_context(context)
    if "DryRunModifiers" in call.parameters and ignores_ciphertext(call):
        # Only a dry run can omit the ciphertext, so it ends here.
        call.end_dry_run()
    if call.blob is not None:
        try:
            plaintext = key.decrypt(call.blob, context)
        except errors.InvalidCiphertextException as error:
            error.explanation = f"{error.explanation}{_describe_recent_contexts(call, key)}"
            raise
        return plaintext, call.record_material(key, call.blob.material_id)
    try:
        return key.key_pair.decrypt(call.parameters["CiphertextBlob"], algorithm), None
    except DecryptionFailed as reason:
        raise errors.InvalidCiphertextException(
            explanation=f"{key.arn} cannot decrypt it with {algorithm}: {reason}. An {algorithm} "
            "ciphertext does not identify its key; check KeyId and algorithm."
        ) from None


def _describe_recent_contexts(call: Call, key: Key) -> str:
    """Describe the encryption contexts recently used with a key, newest first; may be empty."""
    used: dict[str, None] = {}
    for event in islice(reversed(call.backend.calls), _MAX_CALLS_SEARCHED):
        if event.error_code is not None or event.dry_run:
            continue
        permissions = OPERATIONS[event.operation].key_permissions
        for permission, used_key in zip(permissions, event.keys, strict=False):
            # A key named by a ciphertext decrypts; any other key with a context encrypts.
            encrypts = permission.naming is not KeyNaming.CIPHERTEXT
            if used_key is key and permission.context_member is not None and encrypts:
                used[format_context(event.parameter(permission.context_member))] = None
        if len(used) == _MAX_CONTEXTS_LISTED:
            break
    return f" Recently used with this key: {'; '.join(used)}." if used else ""


def _require_no_context(context: Mapping[str, str] | None) -> None:
    if context:
        raise errors.ValidationException(
            "EncryptionContext is not supported when encrypting/decrypting with asymmetric CMKs."
        )
