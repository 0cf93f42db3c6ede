"""The operations for signatures, MACs and public keys."""

from __future__ import annotations

from collections.abc import Collection

from kmsmock.aws import errors
from kmsmock.aws.operations import CRYPTOGRAPHIC, PriceClass, per_second, read_event
from kmsmock.crypto import symmetric
from kmsmock.keys.key import Key
from kmsmock.keys.specs import KeyUsage
from kmsmock.keys.states import READABLE_PUBLIC_KEY, USABLE
from kmsmock.misuse.encodings import get_encoding
from kmsmock.operations.key_lookup import by_any_identifier
from kmsmock.operations.registry import Call, Response, Target, operation
from kmsmock.operations.response_members import ALGORITHMS_MEMBER

_RAW, _DIGEST, _EXTERNAL_MU = "RAW", "DIGEST", "EXTERNAL_MU"
_MU_BYTES = 64
_DIGEST_BYTES = {"256": 32, "384": 48, "512": 64}
#: Signing algorithm -> message types; all others take RAW and DIGEST.
#: Source: AWS KMS API Reference, Sign, MessageType.
_MESSAGE_TYPES = {
    "ED25519_SHA_512": (_RAW,),
    "ED25519_PH_SHA_512": (_DIGEST,),
    "ML_DSA_SHAKE_256": (_RAW, _EXTERNAL_MU),
}
_SM2_DIGEST_BYTES = 32
_RECORD_OF_SIGNATURE = read_event(
    *("KeyId", "SigningAlgorithm", "MessageType", "DryRun"), defaults={"MessageType": _RAW}
)


def _get_digest_bytes(algorithm: str) -> int:
    return _DIGEST_BYTES.get(algorithm[-3:], _SM2_DIGEST_BYTES)


def _require_message(key: Key, algorithm: str, message_type: str, message: bytes) -> None:
    """Require a message type and digest length that fit the algorithm (ValidationException)."""
    allowed = _MESSAGE_TYPES.get(algorithm, (_RAW, _DIGEST))
    if message_type not in allowed:
        by_algorithm = algorithm.startswith("ED25519") and message_type != _EXTERNAL_MU
        subject = f"algorithm {algorithm}" if by_algorithm else f"key spec {key.spec.name}"
        raise errors.ValidationException(
            f"Message type {message_type} is incompatible with {subject}.",
            explanation=f"{algorithm} takes MessageType {' or '.join(allowed)}.",
        )
    if message_type == _DIGEST:
        digest_bytes = _get_digest_bytes(algorithm)
        if len(message) != digest_bytes:
            raise errors.ValidationException(
                f"Digest is invalid length for algorithm {algorithm}.",
                explanation=_explain_digest(message, digest_bytes, allowed),
            )
    if message_type == _EXTERNAL_MU and len(message) != _MU_BYTES:
        raise errors.ValidationException(
            f"External Mu is invalid length for algorithm {algorithm}.",
            explanation=f"The external mu has {len(message)} bytes and must have {_MU_BYTES}.",
        )


def _explain_digest(digest: bytes, digest_bytes: int, message_types: Collection[str]) -> str:
    """Explain the wrong length of a digest.

    digest_bytes: the right length, in bytes. message_types: those that the algorithm takes.
    """
    text = f"The digest has {len(digest)} bytes and must have {digest_bytes}"
    if len(digest) == 2 * digest_bytes and get_encoding(digest) is not None:
        return f"{text}: this is hexadecimal text. Pass the bytes of hashlib's digest()."
    or_message = ", or the message itself with MessageType='RAW'" if _RAW in message_types else ""
    return f"{text}: pass the hash of the message, from hashlib's digest(){or_message}."


def _read_message(call: Call, key: Key) -> tuple[str, bytes, str]:
    """Return algorithm, message and message type of a request, which must fit the key."""
    parameters = call.parameters
    algorithm, message = parameters["SigningAlgorithm"], parameters["Message"]
    message_type = parameters.get("MessageType", _RAW)
    key.require_algorithm(algorithm)
    _require_message(key, algorithm, message_type, message)
    return algorithm, message, message_type


@operation(
    "Sign",
    Target("kms:Sign", by_any_identifier("KeyId"), USABLE, KeyUsage.SIGN_VERIFY, grant_order=13),
    trail=_RECORD_OF_SIGNATURE,
    price=PriceClass.BY_KEY_SPEC,
    quota=CRYPTOGRAPHIC,
)
def sign(call: Call, key: Key) -> Response:
    """Sign a message, a digest, or the external mu of ML-DSA."""
    algorithm, message, message_type = _read_message(call, key)
    signature = key.key_pair.sign(message, algorithm, message_type)
    return {"KeyId": key.arn, "Signature": signature, "SigningAlgorithm": algorithm}


@operation(
    "Verify",
    Target("kms:Verify", by_any_identifier("KeyId"), USABLE, KeyUsage.SIGN_VERIFY, grant_order=14),
    trail=_RECORD_OF_SIGNATURE,
    price=PriceClass.BY_KEY_SPEC,
    quota=CRYPTOGRAPHIC,
)
def verify(call: Call, key: Key) -> Response:
    """Verify a signature; an invalid one raises KMSInvalidSignatureException."""
    parameters = call.parameters
    algorithm, message = parameters["SigningAlgorithm"], parameters["Message"]
    message_type = parameters.get("MessageType", _RAW)
    key.require_algorithm(algorithm)
    _require_message(key, algorithm, message_type, message)
    signature = parameters["Signature"]
    if not key.key_pair.verify(message, signature, algorithm, message_type):
        raise errors.KMSInvalidSignatureException(
            explanation=f"{key.arn} did not make this signature over this message with "
            f"{algorithm} and MessageType {message_type}."
            + _find_valid_type(key, algorithm, message, signature, message_type)
        )
    return {"KeyId": key.arn, "SignatureValid": True, "SigningAlgorithm": algorithm}


def _find_valid_type(
    key: Key, algorithm: str, message: bytes, signature: bytes, refused: str
) -> str:
    """Say with which other message type a signature is valid; empty if with none."""
    other = _RAW if refused == _DIGEST else _DIGEST
    is_digest = len(message) == _get_digest_bytes(algorithm)
    is_possible = is_digest and refused != _EXTERNAL_MU and algorithm not in _MESSAGE_TYPES
    if not is_possible or not key.key_pair.verify(message, signature, algorithm, other):
        return ""
    if other == _RAW:
        return f" It was made over these bytes with MessageType {_RAW}."
    return f" The message is a digest: it is valid with MessageType {_DIGEST}."


@operation(
    "GenerateMac",
    Target(
        "kms:GenerateMac",
        by_any_identifier("KeyId"),
        USABLE,
        KeyUsage.GENERATE_VERIFY_MAC,
        grant_order=15,
    ),
    trail=read_event("KeyId", "MacAlgorithm", "DryRun"),
    quota=CRYPTOGRAPHIC,
)
def generate_mac(call: Call, key: Key) -> Response:
    """Compute an HMAC."""
    algorithm = call.parameters["MacAlgorithm"]
    key.require_algorithm(algorithm)
    mac = symmetric.mac(key.secret, call.parameters["Message"], algorithm)
    return {"Mac": mac, "MacAlgorithm": algorithm, "KeyId": key.arn}


@operation(
    "VerifyMac",
    Target(
        "kms:VerifyMac",
        by_any_identifier("KeyId"),
        USABLE,
        KeyUsage.GENERATE_VERIFY_MAC,
        grant_order=16,
    ),
    trail=read_event("KeyId", "MacAlgorithm", "DryRun"),
    quota=CRYPTOGRAPHIC,
)
def verify_mac(call: Call, key: Key) -> Response:
    """Verify an HMAC; an invalid one raises KMSInvalidMacException."""
    algorithm = call.parameters["MacAlgorithm"]
    key.require_algorithm(algorithm)
    expected = symmetric.mac(key.secret, call.parameters["Message"], algorithm)
    if not symmetric.macs_equal(expected, call.parameters["Mac"]):
        raise errors.KMSInvalidMacException(
            explanation=f"{key.arn} did not make this MAC over this message with {algorithm}."
        )
    return {"KeyId": key.arn, "MacValid": True, "MacAlgorithm": algorithm}


@operation(
    "GetPublicKey",
    Target(
        "kms:GetPublicKey",
        by_any_identifier("KeyId"),
        READABLE_PUBLIC_KEY,
        grant_order=4,
        of_key_pairs=True,
    ),
    trail=read_event("KeyId", shows_key_type=True),
    price=PriceClass.BY_KEY_SPEC,
    quota=per_second(2000),
)
def get_public_key(call: Call, key: Key) -> Response:
    """Return the public key of an asymmetric key: SubjectPublicKeyInfo in DER (RFC 5280)."""
    if not key.spec.is_asymmetric:
        raise errors.UnsupportedOperationException(
            explanation=f"A {key.spec.name} key has no public key."
        )
    return {
        "KeyId": key.arn,
        "PublicKey": key.key_pair.public_der(),
        "CustomerMasterKeySpec": key.spec.name,
        "KeySpec": key.spec.name,
        "KeyUsage": key.usage.value,
        ALGORITHMS_MEMBER[key.usage]: list(key.algorithms),
    }
