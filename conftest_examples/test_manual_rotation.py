"""Manual rotation: the alias points to a new key, and old data can still be decrypted."""


def test_old_data_can_be_decrypted_after_the_alias_points_to_a_new_key(kms_key_factory, kms_client):
    kms_key_factory(alias="app")
    old = kms_client.encrypt(KeyId="alias/app", Plaintext=b"old")

    new_key = kms_key_factory()
    kms_client.update_alias(AliasName="alias/app", TargetKeyId=new_key.id)
    new = kms_client.encrypt(KeyId="alias/app", Plaintext=b"new")

    assert new["KeyId"] == new_key.arn != old["KeyId"]
    assert kms_client.decrypt(CiphertextBlob=old["CiphertextBlob"])["Plaintext"] == b"old"
    assert kms_client.decrypt(CiphertextBlob=new["CiphertextBlob"])["Plaintext"] == b"new"
