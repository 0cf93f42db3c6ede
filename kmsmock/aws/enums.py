"""The values of enums as KMS prints and accepts them, where the model does not say so."""

from __future__ import annotations

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
