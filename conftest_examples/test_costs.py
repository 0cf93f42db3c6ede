"""Costs: limits for tests, and estimates for production."""

from decimal import Decimal

import pytest


def save(client, key_id, documents):
    """Encrypt documents, with one call for each."""
    return [client.encrypt(KeyId=key_id, Plaintext=text)["CiphertextBlob"] for text in documents]


@pytest.mark.kms(max_requests=3, max_usd="0.01")
def test_saving_three_documents_makes_three_requests(kms_key):
    save(kms_key.client, kms_key.id, [b"one", b"two", b"three"])


def test_reading_costs_one_request_each(kms, kms_key):
    blobs = save(kms_key.client, kms_key.id, [b"one", b"two"])

    with kms.budget(requests=2):
        for blob in blobs:
            kms_key.client.decrypt(CiphertextBlob=blob)


def test_two_million_documents_a_month_cost_less_than_ten_dollars(kms, kms_key):
    save(kms_key.client, kms_key.id, [b"one"])

    bill = kms.costs.project(per="month", times=2_000_000)

    assert Decimal(6) < bill.total < Decimal(10), bill


def test_signatures_with_rsa_3072_are_five_times_as_expensive(kms, kms_key_factory):
    key = kms_key_factory("RSA_3072", "SIGN_VERIFY")
    key.client.sign(KeyId=key.id, Message=b"text", SigningAlgorithm="RSASSA_PSS_SHA_256")

    assert kms.calls[-1].price == 5 * kms.calls.filter("CreateKey")[0].price
