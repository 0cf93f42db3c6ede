"""The limits of parameters: those of botocore's model, and where AWS has others.

Minimum and maximum of a parameter stand in the model, but for those that the model lacks.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any, NamedTuple

from kmsmock.aws.policy_limits import SESSION_POLICIES, SESSION_POLICY_ARNS

_KEY_SPECS = (
    *("RSA_2048", "RSA_3072", "RSA_4096", "ECC_NIST_P256", "ECC_NIST_P384", "ECC_NIST_P521"),
    *("ECC_SECG_P256K1", "ECC_NIST_EDWARDS25519", "SYMMETRIC_DEFAULT", "HMAC_224", "HMAC_256"),
    *("HMAC_384", "HMAC_512", "SM2", "ML_DSA_44", "ML_DSA_65", "ML_DSA_87"),
    *("ML_KEM_512", "ML_KEM_768", "ML_KEM_1024"),
)
#: Shape -> values in the order of AWS's error messages, where it is known to differ from that of
#: the model. All of these values are valid, also those that the installed model does not have.
PRINTED_ENUMS: dict[str, tuple[str, ...]] = {
    "KeySpec": _KEY_SPECS,
    "CustomerMasterKeySpec": _KEY_SPECS,
    "DataKeySpec": _KEY_SPECS,
    "KeyUsageType": (
        *("ENCRYPT_DECRYPT", "SIGN_VERIFY", "GENERATE_VERIFY_MAC"),
        *("KEY_AGREEMENT", "ENCAPSULATE_DECAPSULATE"),
    ),
    "MacAlgorithmSpec": ("HMAC_SHA_384", "HMAC_SHA_256", "HMAC_SHA_224", "HMAC_SHA_512"),
    "DataKeyPairSpec": (
        *("RSA_2048", "RSA_3072", "RSA_4096", "ECC_NIST_P256", "ECC_NIST_P384", "ECC_NIST_P521"),
        *("ECC_SECG_P256K1", "SM2", "ECC_NIST_EDWARDS25519"),
        *("ML_KEM_512", "ML_KEM_768", "ML_KEM_1024"),
    ),
    "MessageType": ("RAW", "DIGEST", "EXTERNAL_MU"),
    "SigningAlgorithmSpec": (
        *("RSASSA_PSS_SHA_256", "RSASSA_PSS_SHA_384", "RSASSA_PSS_SHA_512"),
        *("RSASSA_PKCS1_V1_5_SHA_256", "RSASSA_PKCS1_V1_5_SHA_384", "RSASSA_PKCS1_V1_5_SHA_512"),
        *("ECDSA_SHA_256", "ECDSA_SHA_384", "ECDSA_SHA_512"),
        *("ED25519_SHA_512", "ED25519_PH_SHA_512", "SM2DSA", "ML_DSA_SHAKE_256"),
    ),
    "EncryptionAlgorithmSpec": (
        *("RSAES_OAEP_SHA_1", "RSAES_OAEP_SHA_256", "SM2PKE", "SYMMETRIC_DEFAULT"),
    ),
}
#: Shape -> valid values, where these are not the ones in AWS's error message.
ENUM_VALUES = {
    "DataKeySpec": ("AES_256", "AES_128"),
    "SigningAlgorithmSpec": (*PRINTED_ENUMS["SigningAlgorithmSpec"], "SYMMETRIC_DEFAULT"),
}

#: Patterns that KMS enforces and the model does not have.
_ASCII = r"^\p{ASCII}+$"
_PATTERNS = {"KeyIdType": _ASCII}


#: Shape -> its least and greatest length, where the model lacks the latter: of the Policy and the
#: PolicyArns of AssumeRole. Source: IAM User Guide, "IAM and AWS STS quotas".
_LENGTHS = {
    "unrestrictedSessionPolicyDocumentType": (1, SESSION_POLICIES.most),
    "policyDescriptorListType": (0, SESSION_POLICY_ARNS.most),
}


class TextLimits(NamedTuple):
    """What a text must satisfy: to be one of the values of an enum, or its length and pattern."""

    values: frozenset[str]
    low: float
    high: float
    matches: Callable[[str], object] | None

    @classmethod
    def of(cls, shape: Any) -> TextLimits:
        """Return the limits of a string shape."""
        pattern = pattern_of(shape)
        return cls(
            frozenset(shape.enum) | frozenset(ENUM_VALUES.get(shape.name) or printed_enum(shape)),
            *limits_of(shape),
            _compile(pattern).fullmatch if pattern else None,
        )

    @property
    def allow_any(self) -> bool:
        """Whether any text satisfies them."""
        return self == (frozenset(), -math.inf, math.inf, None)


def pattern_of(shape: Any) -> str | None:
    """Return the pattern of a string shape, as error messages have it: one of Java."""
    pattern: str | None = _PATTERNS.get(shape.name) or shape.metadata.get("pattern")
    return pattern


def printed_enum(shape: Any) -> tuple[str, ...]:
    """Return the values of an enum in the order of error messages."""
    return PRINTED_ENUMS.get(shape.name) or tuple(shape.enum)


def limits_of(shape: Any) -> tuple[float, float]:
    """Return the least and the greatest length (characters, bytes, items), or number."""
    known = _LENGTHS.get(shape.name)
    if known is not None:
        return known
    return shape.metadata.get("min", -math.inf), shape.metadata.get("max", math.inf)


def _compile(pattern: str) -> re.Pattern[str]:
    """Compile a pattern of the model, which is one of Java: its character classes are ASCII."""
    if r"\p{L}" in pattern:
        for java, ours in ((r"\p{L}", r"\w"), (r"\p{Z}", r"\s"), (r"\p{N}", r"\d")):
            pattern = pattern.replace(java, ours)
        return re.compile(pattern)
    return re.compile(pattern.replace(r"\p{ASCII}", r"[\x00-\x7f]"), re.ASCII)
