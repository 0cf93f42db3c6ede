"""Signatures that are verified without KMS."""

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec


def test_a_signature_verifies_offline_with_the_public_key(kms_key_factory):
    key = kms_key_factory("ECC_NIST_P256", "SIGN_VERIFY")
    message = b"pay 10 to bob"

    signature = key.client.sign(KeyId=key.id, Message=message, SigningAlgorithm="ECDSA_SHA_256")[
        "Signature"
    ]

    public = key.client.get_public_key(KeyId=key.id)["PublicKey"]
    serialization.load_der_public_key(public).verify(signature, message, ec.ECDSA(hashes.SHA256()))
