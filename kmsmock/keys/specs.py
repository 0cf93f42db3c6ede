"""The key specs, with the key usages and algorithms that they permit.

Source: AWS KMS Developer Guide, "Key spec reference"; lists are in the order AWS returns them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from kmsmock.crypto import edwards, elliptic, post_quantum, rsa, sm2
from kmsmock.crypto.rsa_pool import RsaPool
from kmsmock.misuse.suggestions import did_you_mean

Entropy = Callable[[int], bytes]


class KeyUsage(Enum):
    """What a KMS key is for; fixed when it is created."""

    ENCRYPT_DECRYPT = "ENCRYPT_DECRYPT"
    SIGN_VERIFY = "SIGN_VERIFY"
    GENERATE_VERIFY_MAC = "GENERATE_VERIFY_MAC"
    KEY_AGREEMENT = "KEY_AGREEMENT"
    ENCAPSULATE_DECAPSULATE = "ENCAPSULATE_DECAPSULATE"

    # The members are compared by identity, and hashed with each call.
    __hash__ = object.__hash__


class Origin(Enum):
    """Where the key material of a KMS key comes from."""

    AWS_KMS = "AWS_KMS"
    EXTERNAL = "EXTERNAL"
    AWS_CLOUDHSM = "AWS_CLOUDHSM"
    EXTERNAL_KEY_STORE = "EXTERNAL_KEY_STORE"


@dataclass(frozen=True, slots=True)
class Source:
    """Where new key material comes from: random bytes, and pregenerated RSA keys.

    is_seeded: whether key material and signatures are determined by a seed.
    """

    entropy: Entropy
    rsa_pool: RsaPool
    is_seeded: bool = False


@dataclass(frozen=True, slots=True)
class KeySpec:
    """One key spec."""

    name: str
    #: Permitted key usage -> the algorithms for it.
    usages: Mapping[KeyUsage, tuple[str, ...]]
    #: The length of symmetric key material in bytes; None for key pairs.
    secret_bytes: int | None = None
    #: Generates a private key.
    generate: Callable[[Source], Any] | None = None
    #: Reads an imported private key, from PKCS#8 in BER or DER.
    load: Callable[[bytes], Any] | None = None
    #: Reads a private key that this package has written, without the slow primality tests.
    reopen: Callable[[bytes], Any] | None = None
    #: Whether ``Origin=EXTERNAL`` is possible.
    importable: bool = True
    #: Whether the spec is only offered in China Regions.
    china_only: bool = False
    #: Whether the spec is offered in all other Regions only.
    not_in_china: bool = False

    def is_offered_in(self, partition: str) -> bool:
        """Return whether keys of this spec can be created in an AWS partition."""
        return not (self.not_in_china if partition == "aws-cn" else self.china_only)

    @property
    def is_asymmetric(self) -> bool:
        """Whether the material is a key pair."""
        return self.secret_bytes is None

    @property
    def is_symmetric_encryption(self) -> bool:
        """Whether this is the spec of symmetric encryption keys."""
        return self is SYMMETRIC_DEFAULT


_OAEP = ("RSAES_OAEP_SHA_1", "RSAES_OAEP_SHA_256")
_RSA_SIGNATURES = (
    *("RSASSA_PKCS1_V1_5_SHA_256", "RSASSA_PKCS1_V1_5_SHA_384", "RSASSA_PKCS1_V1_5_SHA_512"),
    *("RSASSA_PSS_SHA_256", "RSASSA_PSS_SHA_384", "RSASSA_PSS_SHA_512"),
)
_AGREEMENT = {KeyUsage.KEY_AGREEMENT: ("ECDH",)}

SYMMETRIC_DEFAULT = KeySpec(
    "SYMMETRIC_DEFAULT", {KeyUsage.ENCRYPT_DECRYPT: ("SYMMETRIC_DEFAULT",)}, secret_bytes=32
)


def _rsa(bits: int) -> KeySpec:
    return KeySpec(
        f"RSA_{bits}",
        {KeyUsage.ENCRYPT_DECRYPT: _OAEP, KeyUsage.SIGN_VERIFY: _RSA_SIGNATURES},
        generate=lambda source: source.rsa_pool.take(bits),
        load=lambda pkcs8: rsa.load(pkcs8, bits),
        reopen=lambda pkcs8: rsa.reopen(pkcs8, bits),
    )


def _elliptic(name: str, signature: str, *, agreement: bool = True) -> KeySpec:
    return KeySpec(
        name,
        {KeyUsage.SIGN_VERIFY: (signature,), **(_AGREEMENT if agreement else {})},
        generate=lambda source: elliptic.generate(name, source.entropy),
        load=lambda pkcs8: elliptic.load(pkcs8, name),
        reopen=lambda pkcs8: elliptic.load(pkcs8, name),
    )


def _hmac(bits: int) -> KeySpec:
    usages = {KeyUsage.GENERATE_VERIFY_MAC: (f"HMAC_SHA_{bits}",)}
    return KeySpec(f"HMAC_{bits}", usages, secret_bytes=bits // 8)


def _ml_dsa(level: int) -> KeySpec:
    name = f"ML_DSA_{level}"
    return KeySpec(
        name,
        {KeyUsage.SIGN_VERIFY: ("ML_DSA_SHAKE_256",)},
        generate=lambda source: post_quantum.generate(name, source.entropy),
        reopen=lambda pkcs8: post_quantum.load(name, pkcs8),
        importable=False,
    )


def _ml_kem(level: int) -> KeySpec:
    name = f"ML_KEM_{level}"
    return KeySpec(
        name,
        {KeyUsage.ENCAPSULATE_DECAPSULATE: ("ML_KEM",)},
        generate=lambda source: post_quantum.generate(name, source.entropy),
        reopen=lambda pkcs8: post_quantum.load(name, pkcs8),
        importable=False,
        not_in_china=True,
    )


KEY_SPECS: dict[str, KeySpec] = {
    spec.name: spec
    for spec in (
        SYMMETRIC_DEFAULT,
        _rsa(2048),
        _rsa(3072),
        _rsa(4096),
        _elliptic("ECC_NIST_P256", "ECDSA_SHA_256"),
        _elliptic("ECC_NIST_P384", "ECDSA_SHA_384"),
        _elliptic("ECC_NIST_P521", "ECDSA_SHA_512"),
        _elliptic("ECC_SECG_P256K1", "ECDSA_SHA_256", agreement=False),
        KeySpec(
            "ECC_NIST_EDWARDS25519",
            {KeyUsage.SIGN_VERIFY: ("ED25519_PH_SHA_512", "ED25519_SHA_512")},
            generate=lambda source: edwards.generate(source.entropy),
            load=edwards.load,
            reopen=edwards.load,
        ),
        *(_hmac(bits) for bits in (224, 256, 384, 512)),
        *(_ml_dsa(level) for level in (44, 65, 87)),
        *(_ml_kem(level) for level in (512, 768, 1024)),
        KeySpec(
            "SM2",
            {
                KeyUsage.ENCRYPT_DECRYPT: ("SM2PKE",),
                KeyUsage.SIGN_VERIFY: ("SM2DSA",),
                **_AGREEMENT,
            },
            generate=lambda source: sm2.generate(source.entropy),
            load=sm2.load,
            reopen=sm2.load,
            china_only=True,
        ),
    )
}

#: Key pair specs of GenerateDataKeyPair. Source: botocore, DataKeyPairSpec.
DATA_KEY_PAIR_SPECS = (
    *("RSA_2048", "RSA_3072", "RSA_4096", "ECC_NIST_P256", "ECC_NIST_P384", "ECC_NIST_P521"),
    *("ECC_SECG_P256K1", "SM2", "ECC_NIST_EDWARDS25519"),
    *("ML_KEM_512", "ML_KEM_768", "ML_KEM_1024"),
)


def describe_unknown_spec(name: object) -> str:
    """Return the message for a name that is no key spec: which there are, and the most similar."""
    hint = did_you_mean(name, KEY_SPECS) or "."
    return f"there is no key spec {name!r}{hint} There are: {', '.join(KEY_SPECS)}"
