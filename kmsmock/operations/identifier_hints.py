"""Explain why a request names no key: what it names instead, and where the key is."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable

from kmsmock.aws import arns
from kmsmock.aws.regions import partition_of
from kmsmock.crypto import ciphertext
from kmsmock.crypto.errors import DecryptionFailed
from kmsmock.keys.key import Key
from kmsmock.keys.region import KmsRegion
from kmsmock.misuse.suggestions import get_nearest
from kmsmock.operations.registry import Call

_MAX_COMPARED = 2_000
_KEY_ID = re.compile(r"(?:mrk-[0-9a-f]{32}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})")
_HEX_DIGITS = re.compile(r"[0-9a-f]{32}")
#: In bytes: AES_128 and AES_256.
_DATA_KEY_SIZES = (16, 32)
#: In bytes: ciphertexts of RSA_2048, RSA_3072 and RSA_4096.
_RSA_SIZES = (256, 384, 512)
_QUOTES = "\"'`"


def explain_identifier(region: KmsRegion, reference: str) -> str:
    """Explain what a text is that names no key. region: of the client.

    It is neither a key id, an alias name nor the ARN of a key or alias.
    """
    return (
        _explain_form(region, reference)
        or _explain_name(region, reference)
        or "This is neither a key id, a key ARN, an alias name nor an alias ARN."
    )


def _explain_form(region: KmsRegion, reference: str) -> str | None:
    """Explain how an identifier was turned into another text; None if it was not."""
    text = reference.strip()
    if text != reference and _is_known(region, text):
        return f"There is white space around it: KeyId={text!r}."
    if text[:1] == text[-1:] and text[:1] in _QUOTES and len(text) > 1:
        return f"There are quotes around it, as around JSON text: KeyId={text[1:-1]!r}."
    if text.startswith(("{", "[", "(")):
        found = _KEY_ID.search(text)
        which = "" if found is None else f", here {found[0]!r}"
        return (
            "This is the text of a whole response: KeyId takes one member of it, such as "
            f'["KeyMetadata"]["KeyId"]{which}.'
        )
    if text.startswith(("b'", 'b"')):
        return f"This is the text that str() makes of bytes: KeyId={text[2:-1]!r}."
    if _is_ciphertext(text):
        return "This is a ciphertext in Base64, which CiphertextBlob takes, as bytes."
    return None


def _is_ciphertext(text: str) -> bool:
    """Return whether a text is a symmetric ciphertext in Base64."""
    try:
        ciphertext.parse(base64.b64decode(text))
    except (ValueError, DecryptionFailed):
        return False
    return True


def _explain_name(region: KmsRegion, text: str) -> str | None:
    """Explain which key or alias a text means; None if that is unknown."""
    resource = text.rpartition(":")[2]
    for known in (resource.removeprefix("key/"), text.lower(), _with_hyphens(text)):
        if known != text and known in region.keys:
            return f"A key id is written like this: KeyId={known!r}."
    alias = _find_alias(region, text)
    if alias is not None:
        return (
            "This is neither a key id, a key ARN, an alias name nor an alias ARN. Alias names "
            f"include the prefix: {alias!r}."
        )
    for key in region.keys.values():
        if key.description == text:
            return f"This is the description of a key, which names none: KeyId={key.key_id!r}."
    return None


def _is_known(region: KmsRegion, name: str) -> bool:
    return name in region.keys or name in region.aliases or arns.looks_like_arn(name)


def _with_hyphens(text: str) -> str:
    """Return a key id without hyphens as it is written; other texts stay as they are."""
    digits = text.lower()
    if not _HEX_DIGITS.fullmatch(digits):
        return text
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def _find_alias(region: KmsRegion, text: str) -> str | None:
    """Return the alias that a name without its prefix means; None if it is similar to none."""
    name = text.replace("alias:", "alias/").lstrip("/")
    bare = name[len(arns.ALIAS_PREFIX) :] if name.lower().startswith("alias/") else name
    alias = f"{arns.ALIAS_PREFIX}{bare}"
    if alias in region.aliases:
        return alias
    if arns.looks_like_arn(text):
        return None
    return get_nearest(alias, _list_some(region.aliases), 0.8)


def explain_unsupported_alias(call: Call, reference: str) -> str:
    """Explain that an operation takes no alias, and which key the alias or its ARN names."""
    alias = call.region.aliases.get(arns.resource_of(reference))
    if alias is None or reference not in (alias.name, alias.arn):
        return f"{call.operation.name} takes a key id or key ARN only."
    return (
        f"{call.operation.name} takes a key id or key ARN only, which for {alias.name} is "
        f"{alias.key.key_id!r}."
    )


def explain_region_of_arn(call: Call, arn: arns.Arn) -> str:
    """Explain that the ARN of a key or alias is of another Region or partition, or of none."""
    here, partition = call.region.name, call.region.partition
    if not arn.region:
        like = arn._replace(partition=partition, region=here)
        return f"The ARN has no Region; that of a key or alias in {here} is like {like}."
    if arn.partition != partition and partition_of(arn.region) == partition:
        like = arn._replace(partition=partition)
        return (
            f"The ARN is of the partition {arn.partition}, but the Region {arn.region} is in "
            f"{partition}: {like}."
        )
    if arn.partition != partition:
        return (
            f"The ARN is of the partition {arn.partition}, but this client's Region {here} is in "
            f"the partition {partition}. Partitions share neither keys nor accounts nor "
            "credentials; use a client of a Region of that partition."
        )
    if call.principal.is_service:
        return f"The ARN is of Region {arn.region}, but a key of {here} is needed."
    return (
        f"The ARN is of Region {arn.region}, but this client's Region is {here}. Use a client of "
        "that Region."
    )


def explain_arn(reference: str, region: KmsRegion) -> str:
    """Explain why an ARN names no key and no alias. region: of the client."""
    arn = arns.Arn.parse(reference)
    like = arns.key_arn(region.name, region.account, "1234abcd-12ab-34cd-56ef-1234567890ab")
    if arn is None:
        return f"An ARN has six parts; that of a key is like {like}."
    if arn.service != "kms":
        found = f"the ARN of a resource of {arn.service}"
        if arn.service in ("iam", "sts"):
            found = "the ARN of a principal, not of a key"
        return (
            f"This is {found}: KeyId takes a key id, a key ARN such as {like}, an alias name or an "
            "alias ARN."
        )
    return f"The ARN of a key is like {like}, that of an alias ends with :alias/ and its name."


def describe_maker(blob: ciphertext.Blob | None) -> str:
    """Return what explanations call the key that made a ciphertext; None is one of AWS KMS."""
    return "a key of AWS KMS itself" if blob is None else blob.key_arn


def explain_missing_key(call: Call, blob: ciphertext.Blob | None) -> str:
    """Explain why a valid ciphertext has no key in this account and Region.

    blob: None for a ciphertext that AWS KMS itself has made.
    """
    if blob is None:
        return (
            "The ciphertext has the form of KMS, but no key of a mock has made it: it is of AWS, "
            "whose keys no mock has. Encrypt the test's data with a key of this mock."
        )
    for region in call.backend.regions.values():
        if blob.key_id in region.keys and region.name != call.region.name:
            is_multi_region = blob.key_id.startswith("mrk-")
            or_else = ", or replicate the key (ReplicateKey)" if is_multi_region else ""
            return (
                f"The ciphertext was made by {blob.key_arn}; that key is in {region.name}, but "
                f"this client's Region is {call.region.name}. Use a client of {region.name}"
                f"{or_else}."
            )
    if blob.material_id in call.backend.deleted_materials:
        return f"The ciphertext was made by {blob.key_arn}, which has been deleted since."
    return (
        f"The ciphertext was made by {blob.key_arn} of another mock: keys end with the mock that "
        "created them. Share one mock (a wider fixture scope, or one decorator around both) to "
        "decrypt later what was encrypted earlier."
    )


def explain_unreadable(data: bytes, reason: DecryptionFailed, named: Key | None) -> str:
    """Explain why bytes are no symmetric ciphertext. named: the key that the request names."""
    size, real_size = len(data), ciphertext.read_size(data)
    if real_size is not None and real_size != size:
        how = "cut off" if size < real_size else "followed by other bytes"
        return (
            f"The CiphertextBlob is {how}: it has {size} bytes, and a header for {real_size} bytes."
        )
    text = (
        f"The CiphertextBlob cannot be read: {reason}. It was damaged, or was not made by Encrypt, "
        "ReEncrypt or GenerateDataKey with a symmetric key of this mock."
    )
    if size in _DATA_KEY_SIZES:
        return (
            f"{text} It has {size} bytes, as the Plaintext of GenerateDataKey: Decrypt takes the "
            "CiphertextBlob."
        )
    if (named is not None and named.spec.is_asymmetric) or size in _RSA_SIZES:
        return (
            f"{text} A ciphertext of an asymmetric key does not identify its key: the request "
            "needs both the key and the algorithm, as in KeyId=key_id, "
            "EncryptionAlgorithm='RSAES_OAEP_SHA_256'."
        )
    return text


def explain_foreign(call: Call, arn: arns.Arn, name: str) -> str:
    """Explain that an account has no key or alias; which other one has it, if there is one."""
    explanation = (
        f"Account {arn.account} has no such key or alias in {arn.region}; AWS does not reveal to "
        "other accounts which keys exist."
    )
    others = [
        f"{region.account} has it in {region.name}"
        for region in call.backend.regions.values()
        if _has(region, name)
    ]
    return f"{explanation} Account {' and '.join(others)}." if others else explanation


def explain_absent_key(call: Call, region: KmsRegion, key_id: str) -> str:
    """Explain why there is no key with an id: where it is, or when it was deleted."""
    return (
        _explain_name(region, key_id)
        or _explain_elsewhere(call, region, "key", key_id)
        or _explain_deletion(call, region, key_id)
        or _suggest_similar("key", key_id, region.keys)
    )


def explain_absent_alias(call: Call, region: KmsRegion, name: str) -> str:
    """Explain why there is no alias of a name: where it is, or when its key was deleted."""
    return (
        _explain_deletion(call, region, name)
        or _explain_elsewhere(call, region, "alias", name)
        or _suggest_similar("alias", name, region.aliases)
    )


def _has(region: KmsRegion, name: str) -> bool:
    return name in region.keys or name in region.aliases


def _explain_elsewhere(call: Call, region: KmsRegion, kind: str, name: str) -> str | None:
    """Explain in which other Region or account a key or alias is; None if it is nowhere."""
    elsewhere = [
        other
        for other in call.backend.regions.values()
        if other is not region and _has(other, name)
    ]
    if not elsewhere:
        return None
    # The nearest one: that of the same account.
    other = next((each for each in elsewhere if each.account == region.account), elsewhere[0])
    exists = f"The {kind} exists, but it is in {other.name} of account {other.account}; this client"
    if other.account == region.account:
        return f"{exists}'s Region is {region.name}. Use a client of {other.name}."
    exists += f" is of account {region.account}"
    in_region = ""
    if other.name != region.name:
        exists += f" and Region {region.name}"
        in_region = f" in {other.name}"
    if not any(permission.works_across_accounts for permission in call.operation.key_permissions):
        return (
            f"{exists}. {call.operation.name} works in the caller's account only: use a client of "
            f"account {other.account}{in_region}."
        )
    client = f", with a client{in_region}" if in_region else ""
    return (
        f"{exists}. Use the {kind}'s ARN{client}. The key policy, or a grant, has to allow the "
        "caller to use the key."
    )


def _explain_deletion(call: Call, region: KmsRegion, name: str) -> str | None:
    """Explain when the key with this id or alias was deleted; None if there was none."""
    for lifetime in reversed(call.backend.key_lifetimes.deleted):
        is_here = (lifetime.account, lifetime.region) == (region.account, region.name)
        if lifetime.deleted is None or not is_here:
            continue
        when = f"was deleted on {lifetime.deleted:%Y-%m-%d}"
        why = "when the waiting period of ScheduleKeyDeletion ended"
        if lifetime.arn.endswith(f":key/{name}"):
            return f"The key {when}, {why}."
        if name in lifetime.aliases:
            return f"Its key {lifetime.arn} {when}, and the alias with it, {why}."
    return None


def _list_some(known: Iterable[str]) -> list[str]:
    return [text for text, _ in zip(known, range(_MAX_COMPARED), strict=False)]


def _suggest_similar(kind: str, name: str, known: Iterable[str]) -> str:
    names = _list_some(known)
    if not names:
        how = ": CreateKey makes one, and chooses its id" if kind == "key" else ""
        return f"There is no {kind} in this account and Region{how}."
    nearest = get_nearest(name, names, cutoff=0.5)
    if nearest is not None:
        return f"The nearest {kind} is {nearest!r}."
    return (
        f"The only one is {names[0]!r}." if len(names) == 1 else f"There are {len(names)} others."
    )
