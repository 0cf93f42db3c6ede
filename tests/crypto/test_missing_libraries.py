"""Where a library lacks a primitive, that one says so, and the rest works."""

from __future__ import annotations

import os
import sys

import pytest

from kmsmock import mock_kms
from kmsmock.crypto import edwards, post_quantum, rsa_pool, sm2
from kmsmock.crypto.errors import AlgorithmUnavailable


@pytest.fixture
def bare(monkeypatch):
    """Hide the optional packages, and what newer versions of cryptography brought."""
    lattices = ("mldsa", "mlkem")
    for name in ("Crypto", "Crypto.PublicKey", "Crypto.Signature", "kyber_py", "gmalg"):
        monkeypatch.setitem(sys.modules, name, None)
    for module in list(sys.modules):
        if module.startswith(("kyber_py.", "gmalg.")):
            monkeypatch.setitem(sys.modules, module, None)
    for name in lattices:
        module = f"cryptography.hazmat.primitives.asymmetric.{name}"
        monkeypatch.setitem(sys.modules, module, None)


@pytest.mark.usefixtures("bare")
@pytest.mark.parametrize(
    ("make", "package"),
    [
        pytest.param(lambda: sm2.generate(os.urandom), "gmalg", id="SM2"),
        pytest.param(
            lambda: post_quantum.generate("ML_KEM_512", os.urandom), "kyber-py", id="ML-KEM-512"
        ),
        pytest.param(
            lambda: post_quantum.generate("ML_KEM_768", os.urandom), "cryptography", id="ML-KEM"
        ),
        pytest.param(
            lambda: post_quantum.generate("ML_DSA_44", os.urandom), "cryptography", id="ML-DSA"
        ),
        pytest.param(
            lambda: edwards.generate(os.urandom).sign(b"d", "ED25519_PH_SHA_512", "DIGEST"),
            "pycryptodome",
            id="Ed25519ph",
        ),
    ],
)
def test_a_missing_primitive_names_the_package(make, package):
    with pytest.raises(AlgorithmUnavailable, match=f" is not available here: it needs .*{package}"):
        make()


@pytest.mark.usefixtures("bare")
def test_the_client_gets_an_error_of_aws_that_names_the_package():
    with mock_kms(isolated=True) as kms:
        client = kms.client()
        key_id = client.create_key(KeySpec="ECC_NIST_EDWARDS25519", KeyUsage="SIGN_VERIFY")
        request = {"KeyId": key_id["KeyMetadata"]["KeyId"], "Message": b"d" * 64}

        with pytest.raises(client.exceptions.UnsupportedOperationException) as caught:
            client.sign(MessageType="DIGEST", SigningAlgorithm="ED25519_PH_SHA_512", **request)
        signed = client.sign(SigningAlgorithm="ED25519_SHA_512", **request)

    assert "it needs the package pycryptodome" in str(caught.value)
    assert len(signed["Signature"]) == 64


def test_ready_made_keys_come_once_each_and_new_ones_after_them(monkeypatch):
    monkeypatch.setattr(rsa_pool, "COUNTS", {2048: 2})
    pool = rsa_pool.RsaPool(os.urandom)

    keys = {pool.take(2048).public_der() for _ in range(3)}

    assert len(keys) == 3
