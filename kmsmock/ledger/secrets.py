"""The plaintexts that KMS has returned, and searching for them where they must not be."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple, overload

from kmsmock.aws.secret_values import SecretBytes, hide
from kmsmock.misuse.public_object import PublicObject
from kmsmock.misuse.surrogates import require_encodable

if TYPE_CHECKING:
    from kmsmock.ledger.call_record import Call
    from kmsmock.plaintexts.search_index import Index

#: Limits on what is kept; beyond them the oldest plaintexts are dropped, and counted.
SECRETS_KEPT = 5_000
BYTES_KEPT = 1 << 21
#: How many findings a failure lists.
_FINDINGS_LISTED = 20


@dataclass(frozen=True, slots=True)
class Secret(PublicObject):
    """One plaintext that KMS has returned; its repr does not contain it."""

    #: The response member, such as ``PrivateKeyPlaintext``, or the name that the test gave it.
    name: str
    #: The record of the first call that returned it; None if the test added it.
    call: Call | None
    _value: SecretBytes = field(repr=False, compare=False)

    def reveal(self) -> bytes:
        """Return the plaintext."""
        return bytes(self._value)

    @property
    def is_searchable(self) -> bool:
        """Whether it is long and varied enough to be searched for: see `Secrets`."""
        from kmsmock.plaintexts.forms import is_searchable

        return is_searchable(self._value)

    def __str__(self) -> str:
        what = f"{self.name} ({len(self._value)} bytes)"
        if self.call is None:
            return f"{what}, which the test has added"
        test = f" during {self.call.test_id}" if self.call.test_id else ""
        return f"{what}, handed out: {self.call}, request {self.call.request_id}{test}"


@dataclass(frozen=True, slots=True)
class Finding(PublicObject):
    """A plaintext that was found."""

    secret: Secret
    #: The encoding in which it was found.
    form: str
    #: The name of the text or file.
    place: str
    #: The line number, from 1.
    line: int
    #: The offset in bytes, from 0.
    byte: int

    def __str__(self) -> str:
        return (
            f"{self.place}, line {self.line}, byte {self.byte}: {self.form}\n    of {self.secret}"
        )


@dataclass(frozen=True, slots=True)
class Search(PublicObject):
    """The result of a search: the first occurrence of each plaintext in each text or file.

    skipped: what was not searched, or not searched for, and why. unsearched: the part of it that is
    about files and other places.
    """

    findings: tuple[Finding, ...]
    skipped: tuple[str, ...] = ()
    unsearched: tuple[str, ...] = ()

    def __str__(self) -> str:
        lines = [f"  {finding}" for finding in self.findings[:_FINDINGS_LISTED]]
        if len(self.findings) > _FINDINGS_LISTED:
            lines.append(f"  and {len(self.findings) - _FINDINGS_LISTED} more")
        lines += [f"  ({skipped})" for skipped in self.skipped]
        return "\n".join(lines)


class SecretsState(NamedTuple):
    """The state of `Secrets`, for checkpoints."""

    entries: tuple[tuple[SecretBytes, tuple[str, Call | None]], ...]
    dropped: int


class Secrets(PublicObject, Sequence[Secret], internal=("note", "restore", "search", "state")):
    """The plaintexts that a mock has returned, oldest first, equal ones once.

    These are the plaintext members of Decrypt, GenerateDataKey, GenerateDataKeyPair,
    GenerateRandom, DeriveSharedSecret, Encapsulate and Decapsulate; not those encrypted for a
    Nitro enclave (Recipient), nor those returned to AWS services. Plaintexts shorter than 8 bytes,
    or with fewer than 5 different bytes, are not searched for, since they would be found by
    accident.
    """

    def __init__(self) -> None:
        #: Plaintext -> its name, and the call. `Secret`s are created on access.
        self._entries: OrderedDict[SecretBytes, tuple[str, Call | None]] = OrderedDict()
        self._size_bytes = 0
        self._kept_index: Index | None = None
        self._dropped = 0

    @property
    def dropped(self) -> int:
        """How many older plaintexts are no longer kept."""
        return self._dropped

    # --- noting --------------------------------------------------------------------------

    def note(self, plaintexts: Mapping[str, SecretBytes], call: Call | None) -> None:
        """Keep the plaintexts of a response, by response member; known ones stay as they are."""
        entries = self._entries
        for member, plaintext in plaintexts.items():
            if plaintext in entries:
                continue
            entries[plaintext] = (member, call)
            self._size_bytes += len(plaintext)
            while len(entries) > SECRETS_KEPT or self._size_bytes > BYTES_KEPT:
                self._size_bytes -= len(entries.popitem(last=False)[0])
                self._dropped += 1

    def add(self, value: bytes | str, name: str = "plaintext") -> None:
        """Add a plaintext to search for, such as one that is passed to Encrypt.

        Raises ValueError if it is too short or not varied enough to be searched for, and for a text
        that has no bytes; TypeError for other types.
        """
        value = hide(value)
        require_encodable(name, "name")
        require_encodable(value, name)
        value = SecretBytes(value.encode() if isinstance(value, str) else value)
        if not Secret(name, None, value).is_searchable:
            raise ValueError(
                f"{name} would be found by accident: it is too short, or not varied enough"
            )
        self.note({name: value}, None)

    def clear(self) -> None:
        """Remove all plaintexts."""
        self._entries.clear()
        self._kept_index = None
        self._size_bytes = self._dropped = 0

    def state(self) -> SecretsState:
        """Return what `restore` needs."""
        return SecretsState(tuple(self._entries.items()), self.dropped)

    def restore(self, state: SecretsState) -> None:
        """Restore a state."""
        self.clear()
        self._entries.update(state.entries)
        self._size_bytes = sum(map(len, self._entries))
        self._dropped = state.dropped

    # --- a sequence ----------------------------------------------------------------------

    def __len__(self) -> int:
        return len(self._entries)

    @overload
    def __getitem__(self, index: int) -> Secret: ...
    @overload
    def __getitem__(self, index: slice) -> list[Secret]: ...
    def __getitem__(self, index: int | slice) -> Secret | list[Secret]:
        return list(self)[index]

    def __iter__(self) -> Iterator[Secret]:
        entries = list(self._entries.items())
        return (Secret(name, call, value) for value, (name, call) in entries)

    def __repr__(self) -> str:
        newest = "; ".join(map(str, self[-3:]))
        return f"<{len(self)} plaintexts{', the newest: ' if newest else ''}{newest}>"

    # --- searching -----------------------------------------------------------------------

    def assert_absent_from(self, *targets: Any) -> Search:
        """Assert that these targets contain no plaintext in any encoding.

        targets: text, bytes, paths of files (gzip files are decompressed) and folders, open files,
        log records, ``caplog``, exceptions, and structures of these.

        Recognized are plain bytes and text, hexadecimal and decimal numbers (also with
        separators), base64 (standard and URL-safe, with line breaks, and within longer base64),
        escapes of Python and JSON, percent-encoding and UTF-16; of private keys also their numbers.

        Returns the search, with what was skipped. Raises AssertionError with place, encoding and
        call of each plaintext, but not the plaintext; TypeError for objects of other types.
        """
        __tracebackhide__ = True
        search = self.find_in(*targets)
        if search.findings:
            raise AssertionError(f"plaintexts of KMS were found:\n{search}")
        return search

    def find_in(self, *targets: Any) -> Search:
        """Find plaintexts in targets, which are those of `assert_absent_from`."""
        if not targets:
            raise TypeError("pass at least one text, path or object to search")
        return self.search((target, None) for target in targets)

    def search(self, targets: Iterable[tuple[Any, str | None]]) -> Search:
        """Find plaintexts in targets. targets: pairs of a target and its name, or None."""
        from kmsmock.plaintexts.files import TooLargeError
        from kmsmock.plaintexts.location import Skipped
        from kmsmock.plaintexts.locations import find_locations

        index = self._index()
        findings: list[Finding] = []
        unsearched: list[str] = []
        for location in (found for value, name in targets for found in find_locations(value, name)):
            # A failure must not reveal the plaintext.
            is_named = index.is_in(location.name)
            name = "a place with a plaintext in its name" if is_named else location.name
            if isinstance(location, Skipped):
                unsearched.append(f"{name} was not searched: {location.reason}")
                continue
            matches, end = index.search(location)
            if end is not None:
                how_far = " to its end" if isinstance(end, TooLargeError) else ""
                unsearched.append(f"{name} was not searched{how_far}: {end.strerror or end}")
            for value, form, _, line, byte in matches:
                if value in self._entries:
                    secret = Secret(*self._entries[value], value)
                    findings.append(Finding(secret, form, name, line, byte))
        skipped = []
        short = sum(not secret.is_searchable for secret in self)
        if short:
            skipped.append(
                f"{short} plaintexts were not searched for: too short, or not varied enough"
            )
        if self.dropped:
            skipped.append(f"{self.dropped} older plaintexts were not searched for: no longer kept")
        return Search(tuple(findings), (*unsearched, *skipped), tuple(unsearched))

    def _index(self) -> Index:
        """Return the search index of all plaintexts, which is kept and extended."""
        from kmsmock.plaintexts.forms import is_searchable
        from kmsmock.plaintexts.search_index import Index

        index = self._kept_index
        if index is None or len(index.values) > 2 * len(self._entries) + 100:
            index = self._kept_index = Index()
        for value in self._entries:
            if value not in index.values and is_searchable(value):
                index.add(value)
        return index
