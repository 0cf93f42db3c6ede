"""Responses for a Nitro enclave: plaintexts are encrypted under the enclave's public key.

Source: AWS KMS Developer Guide, "Cryptographic attestation support in AWS KMS".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kmsmock.aws import errors
from kmsmock.crypto import attestation, cms
from kmsmock.crypto.errors import CryptoError
from kmsmock.operations.registry import Call
from kmsmock.state.backend import Backend

#: The platform configuration registers that CloudTrail shows for an enclave and for a NitroTPM.
_ENCLAVE_REGISTERS: tuple[int, ...] = (1, 2, 3, 4, 8)
_TPM_REGISTERS: tuple[int, ...] = (4, 7, 8, 9, 16, 23)


def read_attestation(
    parameters: Mapping[str, Any], backend: Backend
) -> attestation.Attestation | None:
    """Return the content of the request's attestation document; None if absent or invalid."""
    document = parameters.get("Recipient", {}).get("AttestationDocument")
    if document is None:
        return None
    try:
        return attestation.verify(document, backend.attestation_roots)
    except CryptoError:
        return None  # the operation raises the error, after authorization


def encrypt(call: Call, plaintext: bytes) -> bytes:
    """Return CiphertextForRecipient; raises ValidationException for an invalid document."""
    recipient = call.parameters["Recipient"]
    document = recipient.get("AttestationDocument")
    if document is None or "KeyEncryptionAlgorithm" not in recipient:
        raise errors.ValidationException.in_own_words(
            "Recipient needs both KeyEncryptionAlgorithm and AttestationDocument."
        )
    try:
        attested = attestation.verify(document, call.backend.attestation_roots)
        call.additional_event_data = {"Recipient": _format_measurements(attested)}
        return cms.make_envelope(plaintext, attested.public_key_der, call.backend.entropy)
    except CryptoError as reason:
        raise errors.ValidationException.in_own_words(
            "The attestation document in the request is not valid.",
            explanation=f"{reason}. kms.attestation.document(public_key_der) makes documents that "
            "this mock trusts.",
        ) from None


def _format_measurements(attested: attestation.Attestation) -> dict[str, str]:
    """Return the measurements of a document as CloudTrail shows them."""
    kind, registers = ("Enclave", _ENCLAVE_REGISTERS)
    measurements = {"AttestationDocumentModuleId": attested.module_id}
    if attested.is_tpm:
        kind, registers = ("NitroTPM", _TPM_REGISTERS)
    elif 0 in attested.pcrs:
        measurements["AttestationDocumentEnclaveImageDigest"] = attested.pcrs[0].hex()
    for register in registers:
        if register in attested.pcrs:
            name = f"AttestationDocument{kind}PCR{register}"
            measurements[name] = attested.pcrs[register].hex()
    return measurements
