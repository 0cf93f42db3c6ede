"""Notes on errors about things that are in another mock than the one that answered."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from kmsmock.aws.api_call import Answer
from kmsmock.process.active_mock import ActiveMock
from kmsmock.process.active_mocks import active, get_first_use, list_started

#: The codes of errors that can have this reason.
_CODES = re.compile("NotFound|NoSuch|Denied|Unauthorized|InvalidCiphertext|InvalidGrant|InvalidArn")
_MAX_NAMES = 50
#: What a ciphertext names, in notes, which do not repeat it.
_OF_CIPHERTEXT = "key of this ciphertext"


def explain_other_mocks(
    mock: ActiveMock, answer: Answer, parameters: Any, access_key: str | None
) -> None:
    """Add to the explanation of an error that another mock has what the request names.

    mock: the one that answered. answer: its response; one without an error stays as it is.
    parameters: of the request, as a mapping or as JSON. access_key: that signed it.
    """
    error: Any = answer.result
    others = [each for each in list_started() if each is not mock and each.backend is not None]
    if isinstance(error, dict) or not others or _CODES.search(error.code) is None:
        return
    names = list(_iterate_names(parameters))
    found = [
        f"{what} {_describe(mock, other)}"
        for other in others
        for what in _find(names, access_key, mock.backend, other.backend)
    ]
    if found:
        error.explanation = " ".join([*([error.explanation] if error.explanation else ()), *found])


def _iterate_names(parameters: Any) -> Iterator[str | bytes]:
    """Yield the texts and binary values among the parameters of a request."""
    if isinstance(parameters, (bytes, str)):
        try:
            parameters = json.loads(parameters)
        except ValueError:
            return
    left = [parameters]
    for _ in range(_MAX_NAMES):
        if not left:
            return
        value = left.pop(0)
        if isinstance(value, (str, bytes)):
            yield value
        elif isinstance(value, Mapping):
            left.extend(value.values())
        elif isinstance(value, (list, tuple)):
            left.extend(value)


def _find(names: list[str | bytes], access_key: str | None, here: Any, there: Any) -> Iterator[str]:
    """Yield what one mock has, and the one that answered does not. here, there: their states."""
    for name in names:
        kind = _get_kind(there, name)
        if kind is not None and _get_kind(here, name) is None:
            if isinstance(name, str) and kind != _OF_CIPHERTEXT:
                yield f"The {kind} {name}"
            else:
                yield f"The {kind}"
    if access_key is not None and here.identities.credentials.get_owner(access_key) is None:
        owner = there.identities.credentials.get_owner(access_key)
        if owner is not None:
            yield f"The access key {access_key} of {owner.arn}"


def _get_kind(state: Any, name: str | bytes) -> str | None:
    """Return what a name names in the state of a mock, such as ``key``; None if nothing."""
    with state.lock:  # other threads can be calling the mock
        resource = name.rpartition(":")[2] if isinstance(name, str) else ""
        key_id = resource.removeprefix("key/")
        for region in state.regions.values():
            if isinstance(name, bytes) or (name.startswith("arn:") and region.account not in name):
                continue
            if key_id in region.keys:
                return "key"
            if resource in region.aliases:
                return "alias"
            if name in region.grant_tokens or any(
                key.grants.get(resource) for key in region.keys.values()
            ):
                return "grant"
        if isinstance(name, str) and state.identities.entity(name) is not None:
            return "user or role"
        if _has_key_of_ciphertext(state, name):
            return _OF_CIPHERTEXT
        # Each service stores its resources by id or name, by account and Region.
        return "resource" if any(_has(each, name, 3) for each in state.service_states) else None


def _has(stored: Any, name: str | bytes, depth: int) -> bool:
    """Return whether a mapping among the attributes of an object has a name."""
    if isinstance(stored, dict) and name in stored:
        return True
    inner: Iterable[Any]
    if isinstance(stored, dict):
        inner = stored.values()
    else:
        slots = getattr(type(stored), "__slots__", ())
        inner = [*vars(stored).values()] if hasattr(stored, "__dict__") else []
        inner += [getattr(stored, member, None) for member in slots]
    return depth > 0 and any(_has(each, name, depth - 1) for each in inner)


def _has_key_of_ciphertext(state: Any, value: str | bytes) -> bool:
    import binascii

    from kmsmock.crypto import ciphertext
    from kmsmock.crypto.errors import DecryptionFailed

    try:
        blob = ciphertext.parse(binascii.a2b_base64(value) if isinstance(value, str) else value)
    except (DecryptionFailed, ValueError):
        return False
    return any(blob.material_id in index for index in state.materials.values())


def _describe(answered: ActiveMock, other: ActiveMock) -> str:
    use = get_first_use(other)
    why = (
        "answers no plain clients, since a narrower mock does"
        if other in active
        else "is suspended, since the running test has not asked for it"
    )
    return (
        f"is in another mock, started by {use.describe()}, which {why}; this request was answered "
        f"by the mock that was started by {get_first_use(answered).describe()}."
    )
