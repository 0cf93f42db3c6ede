"""What is wrong with the parameters of a refused call, beyond what KMS says."""

from __future__ import annotations

from kmsmock.aws import errors
from kmsmock.misuse.encodings import get_encoding
from kmsmock.operations.registry import Call

#: Binary parameters that can be any text.
_TEXTS = frozenset({"Message", "Plaintext"})
#: Error -> the binary parameters that it is about. If one is the text of other bytes, what else is
#: wrong with these bytes is of no interest.
_SUBJECTS: dict[type[errors.ServiceError], frozenset[str]] = {
    errors.InvalidCiphertextException: frozenset({"CiphertextBlob", "EncryptedKeyMaterial"}),
    errors.InvalidImportTokenException: frozenset({"ImportToken"}),
    errors.KMSInvalidMacException: frozenset({"Mac"}),
    errors.KMSInvalidSignatureException: frozenset({"Signature"}),
}


def explain_parameters(call: Call, error: errors.ServiceError) -> None:
    """Add to the explanation of an error that a binary parameter is the text of other bytes."""
    hints = {
        member: f"{member} is {encoding.name}: boto3 takes bytes and encodes them itself. Pass "
        f"{encoding.fix}."
        for member, value in call.parameters.items()
        if isinstance(value, bytes)
        and member not in _TEXTS
        and (encoding := get_encoding(value)) is not None
    }
    if hints:
        is_said = not _SUBJECTS.get(type(error), frozenset()).isdisjoint(hints)
        rest = None if is_said else error.explanation
        error.explanation = " ".join(filter(None, (*hints.values(), rest)))
