"""The operations for data keys, data key pairs and random bytes."""

from __future__ import annotations

from typing import Any

from kmsmock.aws import errors
from kmsmock.aws.operations import CRYPTOGRAPHIC, DATA_KEY_PAIR, PriceClass, read_event
from kmsmock.crypto import ciphertext
from kmsmock.keys.custom_key_store import StoreType
from kmsmock.keys.key import Key
from kmsmock.keys.specs import KEY_SPECS, KeyUsage, Origin
from kmsmock.keys.states import USABLE
from kmsmock.operations import recipient
from kmsmock.operations.key_lookup import by_any_identifier
from kmsmock.operations.registry import Call, Response, Target, operation

_RECORD_OF_DATA_KEY = read_event(
    *("KeyId", "KeySpec", "NumberOfBytes", "EncryptionContext", "DryRun"), shows_key_store=True
)
_RECORD_OF_PAIR = read_event("KeyId", "KeyPairSpec", "EncryptionContext", "DryRun")
_DATA_KEY_BYTES = {"AES_256": 32, "AES_128": 16}


def _require_size(call: Call, key: Key) -> None:
    parameters = call.parameters
    if ("KeySpec" in parameters) is ("NumberOfBytes" in parameters):
        raise errors.ValidationException("Please specify either number of bytes or key spec.")
    if key.spec.is_asymmetric:
        raise errors.InvalidKeyUsageException(
            "You cannot generate a data key with an asymmetric CMK"
        )


def _require_pair_possible(call: Call, key: Key) -> None:
    if key.spec.is_asymmetric:
        raise errors.InvalidKeyUsageException(
            "You cannot generate a data key pair with an asymmetric CMK"
        )
    if key.origin in (Origin.AWS_CLOUDHSM, Origin.EXTERNAL_KEY_STORE):
        raise errors.UnsupportedOperationException(
            f"{key.arn} origin is {key.origin.value} which is not valid for this operation."
        )
    pair_spec = KEY_SPECS[call.parameters["KeyPairSpec"]]
    if not pair_spec.is_offered_in(call.region.partition):
        raise errors.UnsupportedOperationException.in_own_words(
            f"KeyPairSpec {pair_spec.name} is not supported in this Region"
        )


def _new_data_key(call: Call, key: Key) -> tuple[bytes, Response]:
    """Generate a data key; return its plaintext, and the response with its ciphertext."""
    parameters = call.parameters
    size = parameters.get("NumberOfBytes") or _DATA_KEY_BYTES[parameters["KeySpec"]]
    plaintext = call.backend.entropy(size)
    response = {"CiphertextBlob": _encrypt_data_key(call, key, plaintext), "KeyId": key.arn}
    return plaintext, _add_material_id(call, key, response)


def _encrypt_data_key(call: Call, key: Key, plaintext: bytes) -> bytes:
    context = call.parameters.get("EncryptionContext")
    return key.encrypt(ciphertext.DATA_KEY_PREFIX, plaintext, context)


def _add_material_id(call: Call, key: Key, response: Response) -> Response:
    material_id = call.record_material(key, key.material.id)
    if material_id is not None:
        response["KeyMaterialId"] = material_id
    return response


@operation(
    "GenerateDataKey",
    Target(
        "kms:GenerateDataKey",
        by_any_identifier("KeyId"),
        USABLE,
        KeyUsage.ENCRYPT_DECRYPT,
        grant_order=7,
        of_key_pairs=False,
        context_member="EncryptionContext",
    ),
    precheck=_require_size,
    trail=_RECORD_OF_DATA_KEY,
    quota=CRYPTOGRAPHIC,
    hands_out="Plaintext",
)
def generate_data_key(call: Call, key: Key) -> Response:
    """Generate a data key; return its plaintext, and a copy encrypted under the KMS key."""
    plaintext, response = _new_data_key(call, key)
    if "Recipient" in call.parameters:
        response.pop("KeyMaterialId", None)
        return response | {"CiphertextForRecipient": recipient.encrypt(call, plaintext)}
    response["Plaintext"] = plaintext
    return response


@operation(
    "GenerateDataKeyWithoutPlaintext",
    Target(
        "kms:GenerateDataKeyWithoutPlaintext",
        by_any_identifier("KeyId"),
        USABLE,
        KeyUsage.ENCRYPT_DECRYPT,
        grant_order=8,
        of_key_pairs=False,
        context_member="EncryptionContext",
    ),
    precheck=_require_size,
    trail=_RECORD_OF_DATA_KEY,
    quota=CRYPTOGRAPHIC,
)
def generate_data_key_without_plaintext(call: Call, key: Key) -> Response:
    """Generate a data key; return only a copy that is encrypted under the KMS key."""
    return _new_data_key(call, key)[1]


def _new_data_key_pair(call: Call, key: Key) -> tuple[bytes, Response]:
    """Generate a data key pair; return its private key, and the response without it."""
    spec = KEY_SPECS[call.parameters["KeyPairSpec"]]
    assert spec.generate is not None
    pair: Any = spec.generate(call.backend.source)
    private_key: bytes = pair.private_der()
    response = {
        "PrivateKeyCiphertextBlob": _encrypt_data_key(call, key, private_key),
        "PublicKey": pair.public_der(),
        "KeyId": key.arn,
        "KeyPairSpec": spec.name,
    }
    return private_key, _add_material_id(call, key, response)


@operation(
    "GenerateDataKeyPair",
    Target(
        "kms:GenerateDataKeyPair",
        by_any_identifier("KeyId"),
        USABLE,
        KeyUsage.ENCRYPT_DECRYPT,
        grant_order=11,
        of_key_pairs=False,
        context_member="EncryptionContext",
    ),
    precheck=_require_pair_possible,
    trail=_RECORD_OF_PAIR,
    price=PriceClass.BY_PAIR_SPEC,
    quota=DATA_KEY_PAIR,
    hands_out="PrivateKeyPlaintext",
)
def generate_data_key_pair(call: Call, key: Key) -> Response:
    """Generate a data key pair; return the private key also encrypted under the KMS key."""
    private_key, response = _new_data_key_pair(call, key)
    if "Recipient" in call.parameters:
        return response | {"CiphertextForRecipient": recipient.encrypt(call, private_key)}
    response["PrivateKeyPlaintext"] = private_key
    return response


@operation(
    "GenerateDataKeyPairWithoutPlaintext",
    Target(
        "kms:GenerateDataKeyPairWithoutPlaintext",
        by_any_identifier("KeyId"),
        USABLE,
        KeyUsage.ENCRYPT_DECRYPT,
        grant_order=12,
        of_key_pairs=False,
        context_member="EncryptionContext",
    ),
    precheck=_require_pair_possible,
    trail=_RECORD_OF_PAIR,
    price=PriceClass.BY_PAIR_SPEC,
    quota=DATA_KEY_PAIR,
)
def generate_data_key_pair_without_plaintext(call: Call, key: Key) -> Response:
    """Generate a data key pair; return the private key only encrypted under the KMS key."""
    return _new_data_key_pair(call, key)[1]


@operation(
    "GenerateRandom",
    Target("kms:GenerateRandom"),
    trail=read_event("CustomKeyStoreId"),
    quota=CRYPTOGRAPHIC,
    hands_out="Plaintext",
)
def generate_random(call: Call) -> Response:
    """Return random bytes."""
    size = call.parameters.get("NumberOfBytes")
    if size is None:
        raise errors.ValidationException("NumberOfBytes is required.")
    store_id = call.parameters.get("CustomKeyStoreId")
    if store_id is not None:
        _require_random_source(call, store_id)
    plaintext = call.backend.entropy(size)
    if "Recipient" in call.parameters:
        return {"CiphertextForRecipient": recipient.encrypt(call, plaintext)}
    return {"Plaintext": plaintext}


def _require_random_source(call: Call, store_id: str) -> None:
    store = call.region.custom_key_stores.get(store_id)
    if store is None:
        raise errors.CustomKeyStoreNotFoundException(
            explanation=f"There is no custom key store {store_id!r} in this account and Region."
        )
    if store.store_type is StoreType.EXTERNAL_KEY_STORE:
        raise errors.UnsupportedOperationException(
            explanation="External key stores do not generate random bytes."
        )
    if not store.is_connected:
        raise errors.CustomKeyStoreInvalidStateException(
            explanation=store.describe_state(call.backend.passing)
        )
