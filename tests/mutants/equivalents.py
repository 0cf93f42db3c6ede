"""Mutants that no test can notice, each with the reason.

File -> (function, code before, code after) -> why its behaviour is the same. An entry means all
such changes in the function; with empty code it means the whole function.
"""

from __future__ import annotations

_COMPARED = "how many names are compared with a misspelt one only limits the time that it takes"
_REMEMBERED = "what is not remembered is decided again, with the same result"
_SCRIPT = "it makes a data file of the package, and is run by hand"
_LATER_NONCE = "the first nonce is unsuitable once in 2**32 signatures or more rarely"
_LIBRARY = "cryptography since version 45 refuses such a key before"

EQUIVALENTS: dict[str, dict[tuple[str, str, str], str]] = {
    "kmsmock/access/policies.py": {
        ("", "_MAX_ENTRIES = 128", "_MAX_ENTRIES = 127"): _REMEMBERED,
        ("", "_MAX_ENTRIES = 128", "_MAX_ENTRIES = 129"): _REMEMBERED,
        (
            "Allowances.add",
            "if len(self._known) >= _MAX_ENTRIES:\n    ...",
            "if len(self._known) > _MAX_ENTRIES:\n    ...",
        ): _REMEMBERED,
        (
            "Allowances.add",
            "if len(self._known) >= _MAX_ENTRIES:\n    ...",
            "if not len(self._known) >= _MAX_ENTRIES:\n    ...",
        ): _REMEMBERED,
        ("Allowances.add", "self._known.clear()", "pass"): "it only saves memory",
        (
            "Allowances.add",
            "policies.grants or looks_like_arn(request.resource) is not (key is not None) or "
            "_needs_context(request, policies)",
            "policies.grants or looks_like_arn(request.resource) is not (key is None) or "
            "_needs_context(request, policies)",
        ): _REMEMBERED,
    },
    "kmsmock/authorization/variables.py": {
        ("Template.pattern", "self._fixed = pattern", "pass"): "it only saves time",
    },
    "kmsmock/crypto/elliptic.py": {
        ("load", "raise InvalidKeyEncoding('its public key belongs to another key')", after): (
            _LIBRARY
        )
        for after in ("pass", "raise InvalidKeyEncoding('XX')")
    },
    "kmsmock/crypto/rsa_pool.py": {
        ("_make_file", "", ""): _SCRIPT,
        ("", "_make_file()", "pass"): _SCRIPT,
    },
    "kmsmock/crypto/seeded.py": {
        ("DeterministicEllipticKey.sign", "raise AssertionError('the nonces never end')", after): (
            "the generator of nonces has no end"
        )
        for after in ("pass", "raise AssertionError('XX')")
    }
    | {
        (
            "DeterministicEllipticKey.sign",
            "if r and s:\n    ...",
            "if r or s:\n    ...",
        ): "one of them is 0 once in 2**256 signatures or more rarely",
    }
    | {
        ("_nonces", "key = mac(key, value + b'\\x00')", after): _LATER_NONCE
        for after in (
            "pass",
            "key = mac(key, value - b'\\x00')",
            "key = mac(key, value + b'XX\\x00')",
        )
    },
    "kmsmock/crypto/sm2.py": {
        (
            "Sm2Key._core",
            "def _core(self, message: bytes=b'', message_type: str='RAW') -> Any:\n    ...",
            "def _core(self, message: bytes=b'', message_type: str='XX') -> Any:\n    ...",
        ): "each type but DIGEST means the same",
    },
    "kmsmock/ledger/known_names.py": {
        ("", "_MAX_COMPARED = 2000", "_MAX_COMPARED = 2001"): _COMPARED,
        ("", "_MAX_COMPARED = 2000", "_MAX_COMPARED = 1999"): _COMPARED,
        (
            "KnownNames.require_caller",
            "known = list(identities.entities)[:_MAX_COMPARED]",
            "known = list(identities.entities)[:None]",
        ): _COMPARED,
        (
            "KnownNames.require_key",
            "raise ValueError(f'there is no key {reference!r}, and no call has named "
            "it{did_you_mean(name, known[:_MAX_COMPARED])}')",
            "raise ValueError(f'there is no key {reference!r}, and no call has named "
            "it{did_you_mean(name, known[:None])}')",
        ): _COMPARED,
    },
    "kmsmock/operations/identifier_hints.py": {
        ("", "_MAX_COMPARED = 2000", "_MAX_COMPARED = 2001"): _COMPARED,
        ("", "_MAX_COMPARED = 2000", "_MAX_COMPARED = 1999"): _COMPARED,
    },
}
