"""The mock's clock: scheduled events happen when the test moves it."""

import pytest


def test_a_key_is_deleted_after_its_waiting_period(kms, kms_key):
    blob = kms_key.client.encrypt(KeyId=kms_key.id, Plaintext=b"text")["CiphertextBlob"]
    kms_key.client.schedule_key_deletion(KeyId=kms_key.id, PendingWindowInDays=7)

    kms.clock.advance(days=7)

    with pytest.raises(kms_key.client.exceptions.NotFoundException):
        kms_key.client.describe_key(KeyId=kms_key.id)
    with pytest.raises(Exception, match="AccessDenied") as caught:
        kms_key.client.decrypt(CiphertextBlob=blob)
    assert "has been deleted since" in caught.value.__notes__[0]
