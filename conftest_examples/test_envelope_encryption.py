"""Envelope encryption: encrypt data locally under a data key, and the data key with KMS."""

import os

from cryptography.hazmat.primitives.ciphers.aead import AESGCM


def encrypt(client, key_id, data):
    """Encrypt data under a new data key; return what has to be stored."""
    key = client.generate_data_key(KeyId=key_id, KeySpec="AES_256")
    nonce = os.urandom(12)
    return key["CiphertextBlob"], nonce, AESGCM(key["Plaintext"]).encrypt(nonce, data, None)


def decrypt(client, stored):
    blob, nonce, data = stored
    key = client.decrypt(CiphertextBlob=blob)["Plaintext"]
    return AESGCM(key).decrypt(nonce, data, None)


def test_a_large_document_is_encrypted_and_decrypted(kms_key):
    document = os.urandom(1_000_000)

    stored = encrypt(kms_key.client, kms_key.id, document)

    assert decrypt(kms_key.client, stored) == document


def test_decryption_costs_one_request(kms, kms_key):
    stored = encrypt(kms_key.client, kms_key.id, b"text")

    decrypt(kms_key.client, stored)

    assert kms.costs.by_operation()["Decrypt"] == 1
