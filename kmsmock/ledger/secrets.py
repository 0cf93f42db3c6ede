"""The plaintexts that KMS has handed out, and where they must not be."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple, overload

if TYPE_CHECKING:
    from kmsmock.ledger.events import Call
    from kmsmock.plaintexts.searching import Index

#: How much is kept; of more the oldest are dropped, and counted.
SECRETS_KEPT = 5_000
BYTES_KEPT = 1 << 21
#: How many findings a failure shows.
_FINDINGS_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Secret:
    """One plaintext that KMS has handed out, without showing it.

    name: the member of the answer, such as ``PrivateKeyPlaintext``, or what the test calls it.
    call: the record of the call that handed it out first; None for what the test has added.
    """

    name: str
    call: Call | None
    _value: bytes = field(repr=False, compare=False)

    def reveal(self) -> bytes:
        """Give the plaintext."""
        return self._value

    @property
    def is_looked_for(self) -> bool:
        """Whether it is long and varied enough to be looked for: see `Secrets`."""
        from kmsmock.plaintexts.forms import is_looked_for

        return is_looked_for(self._value)

    def __str__(self) -> str:
        what = f"{self.name} ({len(self._value)} bytes)"
        if self.call is None:
            return f"{what}, which the test has added"
        test = f" during {self.call.test_id}" if self.call.test_id else ""
        return f"{what}, handed out: {self.call}, request {self.call.request_id}{test}"


@dataclass(frozen=True, slots=True)
class Finding:
    """A plaintext that was found. line: of the place, from 1. byte: offset in it, from 0."""

    secret: Secret
    form: str
    place: str
    line: int
    byte: int

    def __str__(self) -> str:
        return (
            f"{self.place}, line {self.line}, byte {self.byte}: {self.form}\n    of {self.secret}"
        )


@dataclass(frozen=True, slots=True)
class Search:
    """What came of a search: of each plaintext in each place where it stands first.

    skipped: what was not looked through or not looked for, with the reason.
    """

    findings: tuple[Finding, ...]
    skipped: tuple[str, ...] = ()

    def __str__(self) -> str:
        lines = [f"  {finding}" for finding in self.findings[:_FINDINGS_SHOWN]]
        if len(self.findings) > _FINDINGS_SHOWN:
            lines.append(f"  and {len(self.findings) - _FINDINGS_SHOWN} more")
        lines += [f"  ({skipped})" for skipped in self.skipped]
        return "\n".join(lines)


class HandedOut(NamedTuple):
    """All plaintexts that are known, for going back to them."""

    entries: tuple[tuple[bytes, tuple[str, Call | None]], ...]
    dropped: int


class Secrets(Sequence[Secret]):
    """The plaintexts that a mock has handed out, oldest first, equal ones once.

    These are what Decrypt, GenerateDataKey, GenerateDataKeyPair, GenerateRandom,
    DeriveSharedSecret, Encapsulate and Decapsulate answered in plain; not what only a Nitro
    enclave can open (Recipient), nor what services decrypted for themselves. Plaintexts below 8
    bytes, or with fewer than 5 different bytes, are not looked for: they turn up by accident.
    dropped: how many older ones are no longer kept.
    """

    def __init__(self) -> None:
        #: Plaintext -> its name, and the call. `Secret`s are made when somebody looks.
        self._entries: OrderedDict[bytes, tuple[str, Call | None]] = OrderedDict()
        self._size_bytes = 0
        self._kept_index: Index | None = None
        self.dropped = 0

    # --- noting --------------------------------------------------------------------------

    def note(self, plaintexts: Mapping[str, bytes], call: Call | None) -> None:
        """Note the plaintexts of an answer, by the member of the answer that has them.

        One that is here already stays as it is.
        """
        entries = self._entries
        for member, plaintext in plaintexts.items():
            if plaintext in entries:
                continue
            entries[plaintext] = (member, call)
            self._size_bytes += len(plaintext)
            while len(entries) > SECRETS_KEPT or self._size_bytes > BYTES_KEPT:
                self._size_bytes -= len(entries.popitem(last=False)[0])
                self.dropped += 1

    def add(self, value: bytes | str, name: str = "plaintext") -> None:
        """Look for another plaintext, such as one that was given to Encrypt.

        Raises ValueError when it is too short or monotonous to be looked for.
        """
        plain = value.encode() if isinstance(value, str) else bytes(value)
        if not Secret(name, None, plain).is_looked_for:
            raise ValueError(f"{name} would be found by accident: it is too short or monotonous")
        self.note({name: plain}, None)

    def clear(self) -> None:
        """Forget all."""
        self._entries.clear()
        self._kept_index = None
        self._size_bytes = self.dropped = 0

    def state(self) -> HandedOut:
        """Give what `restore` needs."""
        return HandedOut(tuple(self._entries.items()), self.dropped)

    def restore(self, state: HandedOut) -> None:
        """Go back."""
        self.clear()
        self._entries.update(state.entries)
        self._size_bytes = sum(map(len, self._entries))
        self.dropped = state.dropped

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
        shown = "; ".join(map(str, self[-3:]))
        return f"<{len(self)} plaintexts{', the newest: ' if shown else ''}{shown}>"

    # --- searching -----------------------------------------------------------------------

    def assert_absent_from(self, *places: Any) -> Search:
        """Assert that no plaintext is in these places, in whatever form.

        places: text, bytes, paths of files (gzip files are opened) and folders, open files, log
        records, ``caplog``, exceptions, and structures of these.

        Found are plain bytes and text, hex and decimal numbers (also with separators), base64
        (standard and URL-safe, in lines, and inside something longer that was encoded), with
        escapes of Python or JSON, percent-encoded, in UTF-16; of private keys their numbers too.

        Gives what was not looked through. Raises AssertionError that tells place, form and call,
        but not the plaintext; TypeError for things that nothing can be looked for in.
        """
        __tracebackhide__ = True
        search = self.find_in(*places)
        if search.findings:
            raise AssertionError(f"plaintexts of KMS were found:\n{search}")
        return search

    def find_in(self, *places: Any) -> Search:
        """Find plaintexts in places, as `assert_absent_from` does."""
        if not places:
            raise TypeError("give at least one place to look through")
        return self.search((thing, None) for thing in places)

    def search(self, places: Iterable[tuple[Any, str | None]]) -> Search:
        """Find plaintexts in places that have names of their own, or None."""
        from kmsmock.plaintexts.places import Skipped, places_of

        index = self._index()
        findings: list[Finding] = []
        skipped: list[str] = []
        for place in (place for thing, name in places for place in places_of(thing, name)):
            if isinstance(place, Skipped):
                skipped.append(f"{place.name} was not looked through: {place.reason}")
                continue
            try:
                sightings = index.search(place)
            except OSError as reason:
                skipped.append(f"{place.name} was not looked through: {reason.strerror}")
                continue
            for value, form, name, line, byte in sightings:
                if value in self._entries:
                    secret = Secret(*self._entries[value], value)
                    shown = "a place with a plaintext in its name" if index.is_in(name) else name
                    findings.append(Finding(secret, form, shown, line, byte))
        short = sum(not secret.is_looked_for for secret in self)
        if short:
            skipped.append(f"{short} plaintexts were not looked for: too short or monotonous")
        if self.dropped:
            skipped.append(f"{self.dropped} older plaintexts were not looked for: no longer kept")
        return Search(tuple(findings), tuple(skipped))

    def _index(self) -> Index:
        """Give the index of all of these; it is kept, and grows with them."""
        from kmsmock.plaintexts.searching import Index

        index = self._kept_index
        if index is None or len(index.values) > 2 * len(self._entries) + 100:
            index = self._kept_index = Index()
        for secret in self:
            if secret.reveal() not in index.values and secret.is_looked_for:
                index.add(secret.reveal())
        return index
