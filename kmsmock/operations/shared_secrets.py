"""Shared secrets: key agreement and key encapsulation."""

from __future__ import annotations

from kmsmock.aws import errors
from kmsmock.aws.operations import CRYPTOGRAPHIC, PriceClass, read_event
from kmsmock.crypto.errors import DecryptionFailed, InvalidKeyEncoding
from kmsmock.keys.key import Key
from kmsmock.keys.specs import KeyUsage
from kmsmock.keys.states import USABLE
from kmsmock.operations import recipient
from kmsmock.operations.key_lookup import by_any_identifier
from kmsmock.operations.registry import Call, Response, Target, operation


@operation(
    "DeriveSharedSecret",
    Target(
        "kms:DeriveSharedSecret",
        by_any_identifier("KeyId"),
        USABLE,
        KeyUsage.KEY_AGREEMENT,
        grant_order=17,
    ),
    trail=read_event("KeyId", "KeyAgreementAlgorithm", "DryRun"),
    price=PriceClass.BY_KEY_SPEC,
    quota=CRYPTOGRAPHIC,
    hands_out="SharedSecret",
)
def derive_shared_secret(call: Call, key: Key) -> Response:
    """Compute a shared secret by ECDH: the x coordinate, without key derivation (SP 800-56A)."""
    parameters = call.parameters
    algorithm = parameters["KeyAgreementAlgorithm"]
    key.require_algorithm(algorithm)
    try:
        secret = key.key_pair.exchange(parameters["PublicKey"])
    except InvalidKeyEncoding as reason:
        raise errors.ValidationException(
            "",
            explanation=f"PublicKey must be a DER SubjectPublicKeyInfo on the curve of "
            f"{key.spec.name}: {reason}",
        ) from None
    response = {
        "KeyId": key.arn,
        "KeyAgreementAlgorithm": algorithm,
        "KeyOrigin": key.origin.value,
    }
    if "Recipient" in parameters:
        return response | {"CiphertextForRecipient": recipient.encrypt(call, secret)}
    return response | {"SharedSecret": secret}


@operation(
    "Encapsulate",
    Target(
        "kms:Encapsulate",
        by_any_identifier("KeyId"),
        USABLE,
        KeyUsage.ENCAPSULATE_DECAPSULATE,
        grant_order=18,
    ),
    trail=read_event("KeyId", "EncapsulationAlgorithm", "DryRun"),
    price=PriceClass.BY_KEY_SPEC,
    quota=CRYPTOGRAPHIC,
    hands_out="SharedSecret",
)
def encapsulate(call: Call, key: Key) -> Response:
    """Generate a shared secret and its ciphertext by ML-KEM (FIPS 203)."""
    algorithm = call.parameters["EncapsulationAlgorithm"]
    key.require_algorithm(algorithm)
    blob, secret = key.key_pair.encapsulate()
    return {
        "KeyId": key.arn,
        "SharedSecret": secret,
        "SharedSecretCiphertextBlob": blob,
        "EncapsulationAlgorithm": algorithm,
    }


@operation(
    "Decapsulate",
    Target(
        "kms:Decapsulate",
        by_any_identifier("KeyId"),
        USABLE,
        KeyUsage.ENCAPSULATE_DECAPSULATE,
        grant_order=19,
    ),
    trail=read_event("KeyId", "EncapsulationAlgorithm", "DryRun"),
    price=PriceClass.BY_KEY_SPEC,
    quota=CRYPTOGRAPHIC,
    hands_out="SharedSecret",
)
def decapsulate(call: Call, key: Key) -> Response:
    """Recover a shared secret by ML-KEM (FIPS 203).

    A ciphertext of the right length for another key yields a different secret, and no error.
    """
    algorithm = call.parameters["EncapsulationAlgorithm"]
    key.require_algorithm(algorithm)
    try:
        secret = key.key_pair.decapsulate(call.parameters["SharedSecretCiphertextBlob"])
    except DecryptionFailed as reason:
        raise errors.InvalidCiphertextException(explanation=str(reason)) from None
    return {"KeyId": key.arn, "SharedSecret": secret, "EncapsulationAlgorithm": algorithm}
