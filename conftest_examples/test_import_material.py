"""Import your own key material."""

import os

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding


def test_deleted_key_material_can_be_imported_again(kms_client):
    key_id = kms_client.create_key(Origin="EXTERNAL")["KeyMetadata"]["KeyId"]
    material = os.urandom(32)

    def import_it():
        parameters = kms_client.get_parameters_for_import(
            KeyId=key_id, WrappingAlgorithm="RSAES_OAEP_SHA_256", WrappingKeySpec="RSA_2048"
        )
        wrapping_key = serialization.load_der_public_key(parameters["PublicKey"])
        oaep = padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), None)
        kms_client.import_key_material(
            KeyId=key_id,
            ImportToken=parameters["ImportToken"],
            EncryptedKeyMaterial=wrapping_key.encrypt(material, oaep),
            ExpirationModel="KEY_MATERIAL_DOES_NOT_EXPIRE",
        )

    import_it()
    blob = kms_client.encrypt(KeyId=key_id, Plaintext=b"text")["CiphertextBlob"]
    kms_client.delete_imported_key_material(KeyId=key_id)
    state = kms_client.describe_key(KeyId=key_id)["KeyMetadata"]["KeyState"]
    import_it()

    assert state == "PendingImport"
    assert kms_client.decrypt(CiphertextBlob=blob)["Plaintext"] == b"text"
