"""What is wrong with the parameters of a refused call, beyond what KMS says."""

from __future__ import annotations

from kmsmock.aws import errors
from kmsmock.misuse.encodings import get_encoding
from kmsmock.operations.registry import Call

#: Binary parameters that can be any text.
_TEXTS = frozenset({"Message", "Plaintext"})


def explain_parameters(call: Call, error: errors.ServiceError) -> None:
    """Add to the explanation of an error that a binary parameter is the text of other bytes."""
    hints = [
        f"{member} is {encoding.name}: boto3 takes bytes and encodes them itself. Pass "
        f"{encoding.fix}."
        for member, value in call.parameters.items()
        if isinstance(value, bytes)
        and member not in _TEXTS
        and (encoding := get_encoding(value)) is not None
    ]
    if hints:
        error.explanation = " ".join((*hints, *filter(None, (error.explanation,))))
