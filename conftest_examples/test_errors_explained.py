"""Errors have AWS's codes and messages; notes explain their causes."""

import pytest


def test_the_error_of_a_disabled_key_explains_how_to_enable_it(kms_key):
    kms_key.client.disable_key(KeyId=kms_key.id)

    with pytest.raises(kms_key.client.exceptions.DisabledException) as caught:
        kms_key.client.encrypt(KeyId=kms_key.id, Plaintext=b"text")

    assert caught.value.response["Error"]["Message"] == f"{kms_key.arn} is disabled."
    assert caught.value.__notes__ == ["EnableKey makes it usable again."]


def test_a_misspelt_alias_is_answered_with_the_most_similar_one(kms_key_factory, kms_client):
    kms_key_factory(alias="orders")

    with pytest.raises(kms_client.exceptions.NotFoundException) as caught:
        kms_client.describe_key(KeyId="alias/oders")

    assert caught.value.__notes__ == ["The nearest alias is 'alias/orders'."]


def test_a_client_of_the_wrong_region_gets_an_explanation(kms, kms_key):
    with pytest.raises(Exception, match="Invalid arn us-east-1") as caught:
        kms.client(region="eu-west-1").describe_key(KeyId=kms_key.arn)

    assert "this client's Region is eu-west-1" in caught.value.__notes__[0]
