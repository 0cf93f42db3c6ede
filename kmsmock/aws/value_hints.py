"""What to do instead, for values of parameters that break a rule of the service model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kmsmock.aws.limits import TextLimits
from kmsmock.misuse.suggestions import get_nearest

_LONGEST = 4096
#: Operation and parameter -> what to do with more bytes than the parameter takes.
_TOO_LONG = {
    ("Encrypt", "Plaintext"): (
        "Encrypt takes 4096 bytes. Encrypt more with a data key of a symmetric encryption key "
        "(envelope encryption):\n"
        '    data_key = client.generate_data_key(KeyId=key_id, KeySpec="AES_256")\n'
        "    nonce = os.urandom(12)\n"
        '    sealed = AESGCM(data_key["Plaintext"]).encrypt(nonce, plaintext, None)\n'
        'and store data_key["CiphertextBlob"], nonce and sealed; Decrypt returns the data key.'
    ),
    ("Sign", "Message"): (
        "Sign takes 4096 bytes: sign the hash of more, as Message with MessageType='DIGEST'."
    ),
    ("Verify", "Message"): (
        "Verify takes 4096 bytes: pass the hash of more, as Message with MessageType='DIGEST'."
    ),
    ("GenerateMac", "Message"): "GenerateMac takes 4096 bytes: pass the hash of more.",
    ("VerifyMac", "Message"): (
        "VerifyMac takes 4096 bytes: pass the hash of more, as to GenerateMac."
    ),
}
#: Values that are mistaken for others: parameter and value -> what is meant.
_MISTAKEN = {
    (
        "KeySpec",
        "AES_256",
    ): "KeySpec='SYMMETRIC_DEFAULT' makes an AES key; AES_256 is for data keys.",
    ("KeySpec", "SYMMETRIC_DEFAULT"): "A data key has KeySpec='AES_256', or NumberOfBytes.",
}


def explain_values(operation: str, body: Mapping[str, Any], shape: Any) -> str | None:
    """Return what to do instead of the values of a request that are not valid; None if unknown.

    body: of the request, as JSON. shape: of the parameters, in botocore's model.
    """
    hints = []
    for name, value in body.items():
        member = shape.members.get(name)
        if member is None:
            continue
        if member.type_name == "blob" and isinstance(value, str):
            # In Base64.
            is_too_long = len(value) * 3 // 4 - value[-2:].count("=") > _LONGEST
            hints.append(_TOO_LONG.get((operation, name)) if is_too_long else None)
        elif member.type_name == "list" and isinstance(value, list):
            hints += [_explain_enum(name, item, member.member) for item in value]
        else:
            hints.append(_explain_enum(name, value, member))
    return " ".join(filter(None, hints)) or None


def _explain_enum(name: str, value: Any, shape: Any) -> str | None:
    """Return the nearest of the values that a parameter can have; None for one of these."""
    if shape.type_name != "string" or not isinstance(value, str):
        return None
    values = TextLimits.of(shape).values
    if not values or value in values:
        return None
    nearest = get_nearest(value, sorted(values))
    return _MISTAKEN.get((name, value)) or (nearest and f"Did you mean {name}={nearest!r}?")
