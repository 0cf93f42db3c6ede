"""Attestation documents of Nitro enclaves: verify them, and issue them for tests.

A document is a COSE_Sign1 (RFC 9052) with ES384 over a CBOR map.
Source: AWS Nitro Enclaves, "Cryptographic attestation"; "Attestation process" of its SDK.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from functools import partial
from itertools import pairwise
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, utils

from kmsmock.crypto import cbor, encodings
from kmsmock.crypto.errors import InvalidAttestation
from kmsmock.misuse.public_object import PublicObject

_ES384 = {1: -35}
_SIGNATURE_BYTES = 96
_SCHEME = ec.ECDSA(hashes.SHA384())
_PCRS, _TPM_PCRS = "pcrs", "nitrotpm_pcrs"
_PCR_COUNT = 16
_PCR_BYTES = 48
#: The validity of certificates, whatever the time on the mock's clock.
_VALID_FROM = datetime(2000, 1, 1, tzinfo=timezone.utc)
_VALID_UNTIL = datetime(9999, 12, 31, tzinfo=timezone.utc)


@dataclass(frozen=True, slots=True)
class Attestation:
    """The content of an attestation document."""

    module_id: str
    #: The RSA public key of the enclave, as SubjectPublicKeyInfo.
    public_key_der: bytes
    #: Platform configuration registers, index -> measurement.
    pcrs: Mapping[int, bytes]
    #: Whether the registers are those of a NitroTPM.
    is_tpm: bool


def verify(document: bytes, roots: Sequence[bytes]) -> Attestation:
    """Verify a document's signature, and its certificates up to one of the roots (DER).

    Raises InvalidAttestation.
    """
    cose = cbor.decode(document)
    if not (isinstance(cose, list) and len(cose) == 4):
        raise InvalidAttestation("it is not a COSE_Sign1")
    protected, _, payload, signature = cose
    if not all(isinstance(part, bytes) for part in (protected, payload, signature)):
        raise InvalidAttestation("it is not a COSE_Sign1")
    if cbor.decode(protected) != _ES384:
        raise InvalidAttestation("it is not signed with ES384")
    claims = cbor.decode(payload)
    _require_claims(claims)
    leaf = _verified_leaf([*claims["cabundle"], claims["certificate"]], roots)
    if len(signature) != _SIGNATURE_BYTES:
        raise InvalidAttestation("its signature has a wrong length")
    half = _SIGNATURE_BYTES // 2
    r, s = (int.from_bytes(part, "big") for part in (signature[:half], signature[half:]))
    try:
        leaf.verify(utils.encode_dss_signature(r, s), _signed(protected, payload), _SCHEME)
    except InvalidSignature:
        raise InvalidAttestation("its signature is not valid") from None
    is_tpm = _TPM_PCRS in claims
    pcrs = claims[_TPM_PCRS if is_tpm else _PCRS]
    return Attestation(claims["module_id"], claims["public_key"], pcrs, is_tpm)


def _signed(protected: bytes, payload: bytes) -> bytes:
    return cbor.encode(["Signature1", protected, b"", payload])


def _require_claims(claims: Any) -> None:
    if not isinstance(claims, dict):
        raise InvalidAttestation("its payload is not a map")
    registers = _TPM_PCRS if _TPM_PCRS in claims else _PCRS
    wanted = {"module_id": str, "certificate": bytes, "cabundle": list, registers: dict}
    for name, kind in wanted.items():
        if not isinstance(claims.get(name), kind):
            raise InvalidAttestation(f"its {name} is missing or of a wrong type")
    if not isinstance(claims.get("public_key"), bytes):
        raise InvalidAttestation("it has no public key to encrypt for")
    if not all(type(k) is int and isinstance(v, bytes) for k, v in claims[registers].items()):
        raise InvalidAttestation("its pcrs are not numbers with measurements")
    if not all(isinstance(certificate, bytes) for certificate in claims["cabundle"]):
        raise InvalidAttestation("its cabundle is not a list of certificates")


def _verified_leaf(chain: Sequence[bytes], roots: Sequence[bytes]) -> ec.EllipticCurvePublicKey:
    """Verify that each certificate is issued by the one before it, and that the first is a root."""
    if chain[0] not in roots:
        raise InvalidAttestation("its certificates do not begin with a root that is trusted here")
    try:
        certificates = [x509.load_der_x509_certificate(certificate) for certificate in chain]
        for issuer, issued in pairwise(certificates):
            issued.verify_directly_issued_by(issuer)
        key = certificates[-1].public_key()
    except (*encodings.UNREADABLE, InvalidSignature) as reason:
        raise InvalidAttestation(f"its certificates are not valid: {reason}") from None
    if not isinstance(key, ec.EllipticCurvePublicKey):
        raise InvalidAttestation("its certificate has no key for ES384")
    return key


class AttestationAuthority(PublicObject):
    """Issues attestation documents that a mock trusts, with a root certificate of its own.

    now: returns the time on the mock's clock; None for that of the computer.
    """

    def __init__(self, now: Callable[[], datetime] | None = None) -> None:
        self._now = now or partial(datetime.now, timezone.utc)
        root_key, self._key = (ec.generate_private_key(ec.SECP384R1()) for _ in range(2))
        root = _certificate("mock.nitro-enclaves", root_key, "mock.nitro-enclaves", root_key)
        leaf = _certificate("mock.enclave", self._key, "mock.nitro-enclaves", root_key)
        self._root_der = root.public_bytes(serialization.Encoding.DER)
        self._leaf_der = leaf.public_bytes(serialization.Encoding.DER)

    @property
    def root_der(self) -> bytes:
        """The root certificate, DER."""
        return self._root_der

    def document(
        self,
        public_key_der: bytes,
        *,
        pcrs: Mapping[int, bytes] | None = None,
        module_id: str = "i-0123456789abcdef0-enc0123456789abcdef",
        user_data: bytes | None = None,
        nonce: bytes | None = None,
        nitro_tpm: bool = False,
    ) -> bytes:
        """Issue an attestation document.

        public_key_der: SubjectPublicKeyInfo of the enclave's RSA key. pcrs: registers that are
        not all zero, index -> 48 bytes. nitro_tpm: whether it is one of an instance with a NitroTPM
        instead of an enclave. Raises TypeError.
        """
        registers = {index: bytes(_PCR_BYTES) for index in range(_PCR_COUNT)} | dict(pcrs or {})
        claims = {
            "module_id": module_id,
            "digest": "SHA384",
            "timestamp": int(self._now().timestamp() * 1000),
            _TPM_PCRS if nitro_tpm else _PCRS: registers,
            "certificate": self._leaf_der,
            "cabundle": [self.root_der],
            "public_key": public_key_der,
            "user_data": user_data,
            "nonce": nonce,
        }
        protected, payload = cbor.encode(_ES384), cbor.encode(claims)
        r, s = utils.decode_dss_signature(self._key.sign(_signed(protected, payload), _SCHEME))
        half = _SIGNATURE_BYTES // 2
        signature = r.to_bytes(half, "big") + s.to_bytes(half, "big")
        return cbor.encode([protected, {}, payload, signature])


def _certificate(
    subject: str,
    key: ec.EllipticCurvePrivateKey,
    issuer: str,
    issuer_key: ec.EllipticCurvePrivateKey,
) -> x509.Certificate:
    return (
        x509.CertificateBuilder()
        .subject_name(_name(subject))
        .issuer_name(_name(issuer))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(_VALID_FROM)
        .not_valid_after(_VALID_UNTIL)
        .sign(issuer_key, hashes.SHA384())
    )


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, common_name)])
