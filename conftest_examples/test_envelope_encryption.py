"""Data keys: encrypt much data locally, and only its key with KMS."""

import os

from cryptography.hazmat.primitives.ciphers.aead import AESGCM


def seal(client, key_id, data):
    """Encrypt data under a fresh data key; gives what has to be stored."""
    key = client.generate_data_key(KeyId=key_id, KeySpec="AES_256")
    nonce = os.urandom(12)
    return key["CiphertextBlob"], nonce, AESGCM(key["Plaintext"]).encrypt(nonce, data, None)


def open_sealed(client, sealed):
    blob, nonce, data = sealed
    key = client.decrypt(CiphertextBlob=blob)["Plaintext"]
    return AESGCM(key).decrypt(nonce, data, None)


def test_a_large_document_is_sealed_and_opened(kms_key):
    document = os.urandom(1_000_000)

    sealed = seal(kms_key.client, kms_key.id, document)

    assert open_sealed(kms_key.client, sealed) == document


def test_opening_costs_one_request(kms, kms_key):
    sealed = seal(kms_key.client, kms_key.id, b"text")

    open_sealed(kms_key.client, sealed)

    assert kms.costs.by_operation()["Decrypt"] == 1
