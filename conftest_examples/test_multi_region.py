"""Multi-Region keys: encrypt in one Region, decrypt in another."""


def test_a_replica_decrypts_what_the_primary_encrypted(kms):
    here, there = kms.client(region="us-east-1"), kms.client(region="eu-west-1")
    key_id = here.create_key(MultiRegion=True)["KeyMetadata"]["KeyId"]
    here.replicate_key(KeyId=key_id, ReplicaRegion="eu-west-1")
    kms.clock.advance(seconds=10)  # the replica is in state Creating until then, as on AWS

    blob = here.encrypt(KeyId=key_id, Plaintext=b"text")["CiphertextBlob"]
    answer = there.decrypt(CiphertextBlob=blob)

    assert answer["Plaintext"] == b"text"
    assert answer["KeyId"] == f"arn:aws:kms:eu-west-1:123456789012:key/{key_id}"
