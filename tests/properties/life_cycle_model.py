"""What becomes of KMS keys by AWS's rules, written down a second time and as plainly as can be.

Nothing of kmsmock is used here. Each method of `World` stands for one operation: it gives the
error that AWS answers, or makes the change and gives None. Names of key states are AWS's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple

USABLE = ("Enabled", "Updating")
SWITCHABLE = ("Enabled", "Disabled")
NOT_PENDING_DELETION = ("Enabled", "Disabled", "PendingImport", "Creating", "Updating")
PENDING_DELETION = ("PendingDeletion", "PendingReplicaDeletion")
WORDS = {
    "Creating": "creating",
    "Disabled": "disabled",
    "PendingDeletion": "pending deletion",
    "PendingImport": "pending import",
    "PendingReplicaDeletion": "pending replica deletion",
    "Updating": "updating",
}
#: How long each takes.
REPLICA = MOVE = timedelta(seconds=10)
ROTATION = timedelta(seconds=100)
SHORTLY_BEFORE = timedelta(minutes=20)
MOST_ON_DEMAND = 25


class Error(NamedTuple):
    """An error code and, where it says something, its text."""

    code: str
    text: str | None = None


@dataclass
class Material:
    """One key material: a number when KMS made it, otherwise the bytes that were imported."""

    name: object
    state: str = "CURRENT"
    date: datetime | None = None
    kind: str | None = None
    id: str | None = None  # learned from KMS


@dataclass
class Schedule:
    """Automatic rotation."""

    days: int
    next: datetime
    is_missed: bool = False


@dataclass(eq=False)
class Family:
    """What related multi-Region keys share; a single-Region key is a family of its own."""

    spec: str
    usage: str
    origin: str
    is_multi_region: bool
    members: dict[str, Key] = field(default_factory=dict)
    primary: Key = None  # type: ignore[assignment]
    history: list[Material] = field(default_factory=list)
    schedule: Schedule | None = None
    on_demand: datetime | None = None  # when the rotation in progress began
    rotated_on_demand: int = 0
    shown_by: list[str] = field(default_factory=list)  # operations that showed that rotation

    @property
    def is_symmetric(self) -> bool:
        return self.spec == "SYMMETRIC_DEFAULT"

    @property
    def is_external(self) -> bool:
        return self.origin == "EXTERNAL"

    @property
    def current(self) -> Material | None:
        return next((m for m in self.history if m.state == "CURRENT"), None)

    @property
    def pending(self) -> Material | None:
        return next((m for m in self.history if m.state == "PENDING"), None)

    def named(self, name: object) -> Material:
        return next(m for m in self.history if m.name == name)

    def make_current(self, material: Material, now: datetime, kind: str) -> None:
        if self.current is not None:
            self.current.state = "NON_CURRENT"
        material.state, material.date, material.kind = "CURRENT", now, kind


@dataclass(eq=False)
class Key:
    """A key in one Region. holds: imported material that is here -> when it expires."""

    family: Family
    region: str
    status: str = "Enabled"
    key_id: str = ""
    arn: str = ""
    until: datetime | None = None
    shown_by: list[str] = field(
        default_factory=list
    )  # operations that showed it Creating, Updating
    deletion: datetime | None = None
    window: int | None = None
    holds: dict[object, datetime | None] = field(default_factory=dict)
    is_gone: bool = False

    @property
    def is_replica(self) -> bool:
        return self.family.primary is not self

    @property
    def has_material(self) -> bool:
        names = [m.name for m in self.family.history if m.state != "PENDING"]
        return not self.family.is_external or (bool(names) and set(names) <= set(self.holds))

    @property
    def state(self) -> str:
        if self.status in (*PENDING_DELETION, "Creating") or self.has_material:
            return self.status
        return "PendingImport"


@dataclass(eq=False)
class Alias:
    key: Key
    created: datetime
    updated: datetime


@dataclass(eq=False)
class Grant:
    key: Key
    grantee: str
    retirer: str | None
    operations: tuple[str, ...]
    token: str = ""


class World:
    """All keys, aliases and grants, and the time. waiting: the option of that name."""

    def __init__(self, now: datetime, waiting: str) -> None:
        self.now = now
        self.waiting = waiting
        self.keys: list[Key] = []
        self.aliases: dict[tuple[str, str], Alias] = {}
        self.grants: dict[str, Grant] = {}

    @property
    def live(self) -> list[Key]:
        return [key for key in self.keys if not key.is_gone]

    # --- time -------------------------------------------------------------------------------

    def events(self) -> Iterator[tuple[datetime, Callable[[datetime], None]]]:
        """Give all that is to happen by itself, and when."""
        for key in self.live:
            if key.until is not None:
                yield key.until, key_settled(key)
            if key.deletion is not None:
                yield key.deletion, self._deleted(key)
            for material in key.family.history:
                due = key.holds.get(material.name)
                if due is not None and material.state != "PENDING":
                    yield due, expired(key, material)
        for family in {key.family: None for key in self.live}:
            if family.on_demand is not None:
                yield family.on_demand + ROTATION, rotated_on_demand(family)
            if family.schedule is not None and not family.schedule.is_missed:
                yield family.schedule.next, rotated_automatically(family)

    @property
    def next_event(self) -> datetime | None:
        """When the next thing happens by itself."""
        return min((due for due, _ in self.events()), default=None)

    def advance(self, to: datetime) -> None:
        """Let everything happen that is due until a time, in its order."""
        while True:
            due, happen = min(self.events(), key=lambda e: e[0], default=(None, None))
            if due is None or happen is None or due > to:
                break
            happen(due)
        self.now = to

    def look(self, key: Key, operation: str) -> None:
        """Take in that an answer shows a key: the second one shows what has become of it."""
        if self.waiting == "clock":
            return
        if operation == "DescribeKey" and key.until is not None:
            if operation in key.shown_by:
                key_settled(key)(self.now)
            key.shown_by.append(operation)
        if operation != "DescribeKey" and key.family.on_demand is not None:
            if operation in key.family.shown_by:
                rotated_on_demand(key.family)(self.now)
            key.family.shown_by.append(operation)
        self.advance(self.now)

    def _deleted(self, key: Key) -> Callable[[datetime], None]:
        def happen(now: datetime) -> None:
            key.is_gone, key.deletion = True, None
            self.aliases = {n: a for n, a in self.aliases.items() if a.key is not key}
            self.grants = {i: g for i, g in self.grants.items() if g.key is not key}
            family = key.family
            del family.members[key.region]
            primary = family.primary
            if primary.status == "PendingReplicaDeletion" and len(family.members) == 1:
                assert primary.window is not None
                primary.status = "PendingDeletion"
                primary.deletion = now + timedelta(days=primary.window)

        return happen

    # --- what many operations refuse ----------------------------------------------------------

    def absent(self, key: Key) -> Error | None:
        text = f"Key '{key.arn}' does not exist"
        return Error("NotFoundException", text) if key.is_gone else None

    def wrong_state(self, key: Key, *allowed: str) -> Error | None:
        if key.state in allowed:
            return None
        code = "DisabledException" if key.state == "Disabled" else "KMSInvalidStateException"
        return Error(code, f"{key.arn} is {WORDS[key.state]}.")

    def unusable(self, key: Key, *allowed: str) -> Error | None:
        return self.absent(key) or self.wrong_state(key, *allowed)

    # --- keys -------------------------------------------------------------------------------

    def create(self, spec: str, usage: str, origin: str, region: str, *, multi: bool) -> Key:
        family = Family(spec, usage, origin, multi)
        key = Key(family, region)
        family.primary = family.members[region] = key
        if origin == "AWS_KMS":
            family.history.append(Material(0))
        self.keys.append(key)
        return key

    def enable(self, key: Key) -> Error | None:
        refusal = self.unusable(key, *SWITCHABLE)
        if refusal is None:
            key.status = "Enabled"
            schedule = key.family.schedule
            if schedule is not None and schedule.is_missed and not key.is_replica:
                rotated_automatically(key.family)(self.now)
        return refusal

    def disable(self, key: Key) -> Error | None:
        refusal = self.unusable(key, *SWITCHABLE)
        if refusal is None:
            key.status = "Disabled"
        return refusal

    def schedule_deletion(self, key: Key, days: int) -> Error | None:
        if key.is_gone:
            return self.absent(key)
        if not 7 <= days <= 30:
            return Error("ValidationException", "PendingWindowInDays must be between 7 and 30")
        refusal = self.wrong_state(key, "Enabled", "Disabled", "PendingImport", "Creating")
        if refusal is None:
            key.until, key.window = None, days
            if not key.is_replica and len(key.family.members) > 1:
                key.status = "PendingReplicaDeletion"
            else:
                key.status, key.deletion = "PendingDeletion", self.now + timedelta(days=days)
        return refusal

    def cancel_deletion(self, key: Key) -> Error | None:
        if key.is_gone:
            return self.absent(key)
        if key.state not in PENDING_DELETION:
            return Error("KMSInvalidStateException", f"{key.arn} is not pending deletion.")
        key.status, key.deletion, key.window = "Disabled", None, None
        return None

    # --- aliases ----------------------------------------------------------------------------

    def create_alias(self, name: str, key: Key) -> Error | None:
        refusal = self.unusable(key, *NOT_PENDING_DELETION)
        if refusal is not None:
            return refusal
        if (key.region, name) in self.aliases:
            return Error("AlreadyExistsException")
        self.aliases[key.region, name] = Alias(key, self.now, self.now)
        return None

    def update_alias(self, name: str, key: Key) -> Error | None:
        alias = self.aliases.get((key.region, name))
        if alias is None:
            return Error("NotFoundException")
        refusal = self.unusable(key, *NOT_PENDING_DELETION)
        if refusal is not None:
            return refusal
        old, new = alias.key.family, key.family
        if old.usage != new.usage or is_asymmetric(old) is not is_asymmetric(new):
            return Error("ValidationException")
        alias.key, alias.updated = key, self.now
        return None

    def delete_alias(self, region: str, name: str) -> Error | None:
        gone = self.aliases.pop((region, name), None)
        return Error("NotFoundException") if gone is None else None

    # --- rotation ---------------------------------------------------------------------------

    def _not_rotatable(self, key: Key, operation: str) -> Error | None:
        if key.is_gone:
            return self.absent(key)
        text = None
        if key.family.is_external and operation != "RotateKeyOnDemand":
            text = f"{key.arn} origin is EXTERNAL which is not valid for this operation."
        elif key.is_replica:
            text = f"{key.arn} is a multi-region replica key which is not valid for {operation}."
        return None if text is None else Error("UnsupportedOperationException", text)

    def enable_rotation(self, key: Key, days: int | None) -> Error | None:
        refusal = self._not_rotatable(key, "EnableKeyRotation") or self.wrong_state(key, *USABLE)
        if refusal is not None:
            return refusal
        family = key.family
        if not family.is_symmetric:
            return Error("UnsupportedOperationException", "")
        if family.schedule is None or days not in (None, family.schedule.days):
            period = days or 365
            family.schedule = Schedule(period, self.now + timedelta(days=period))
        return None

    def disable_rotation(self, key: Key) -> Error | None:
        refusal = self._not_rotatable(key, "DisableKeyRotation") or self.wrong_state(key, *USABLE)
        if refusal is None:
            key.family.schedule = None
        return refusal

    def rotate(self, key: Key) -> Error | None:
        family = key.family
        refusal = self._not_rotatable(key, "RotateKeyOnDemand") or self.wrong_state(key, "Enabled")
        if refusal is not None:
            return refusal
        if not family.is_symmetric:
            return Error("UnsupportedOperationException", "")
        if family.is_external:
            pending = family.pending
            if pending is None:
                text = f"No available key material pending rotation for the key: {key.arn}."
                return Error("KMSInvalidStateException", text)
            if any(pending.name not in member.holds for member in family.members.values()):
                return Error("KMSInvalidStateException")
        if family.on_demand is not None:
            return None
        if family.schedule is not None and family.schedule.next - self.now <= SHORTLY_BEFORE:
            return Error("ConflictException")
        if family.rotated_on_demand >= MOST_ON_DEMAND:
            return Error("LimitExceededException")
        family.rotated_on_demand += 1
        family.on_demand, family.shown_by = self.now, []
        return None

    # --- imported material --------------------------------------------------------------------

    def not_importable(self, key: Key) -> Error | None:
        """What GetParametersForImport answers."""
        if key.is_gone:
            return self.absent(key)
        if not key.family.is_external:
            return Error("UnsupportedOperationException")
        return self.wrong_state(key, "Enabled", "Disabled", "PendingImport")

    def import_material(
        self, key: Key, name: object, kind: str | None, valid_to: datetime | None
    ) -> Error | None:
        """kind: the ImportType, or None when it is left out."""
        refusal = self.not_importable(key)
        if refusal is not None:
            return refusal
        family = key.family
        if kind is not None and not family.is_symmetric:
            return Error("ValidationException")
        known = next((m for m in family.history if m.name == name), None)
        if kind == "NEW_KEY_MATERIAL" or (kind is None and not family.history):
            if key.is_replica:
                return Error("ValidationException")
            if known is not None:
                return Error("IncorrectKeyMaterialException")
            if family.pending is not None:
                return Error("KMSInvalidStateException")
            family.history.append(Material(name, "PENDING" if family.history else "CURRENT"))
        elif known is None:
            return Error(
                "IncorrectKeyMaterialException" if family.history else "ValidationException"
            )
        key.holds[name] = valid_to
        if key.status != "Updating" and key.has_material:
            key.status = "Enabled"
        return None

    def delete_material(self, key: Key, material: Material | None) -> Error | None:
        """material: None for the current one."""
        if key.is_gone:
            return self.absent(key)
        family = key.family
        if not family.is_external:
            return Error("UnsupportedOperationException")
        refusal = self.wrong_state(key, "Enabled", "Disabled", "PendingImport", *PENDING_DELETION)
        material = material or family.current
        if refusal is not None or material is None:
            return refusal
        if material.state != "PENDING" or key.is_replica:
            key.holds.pop(material.name, None)
            return None
        family.history.remove(material)
        for member in family.members.values():
            member.holds.pop(material.name, None)
        return None

    # --- multi-Region -------------------------------------------------------------------------

    def replicate(self, key: Key, region: str) -> Error | None:
        family = key.family
        if key.is_gone:
            return self.absent(key)
        if not family.is_multi_region or key.is_replica:
            text = f"{key.arn} is not a multi-region primary key."
            return Error("UnsupportedOperationException", text)
        refusal = self.wrong_state(key, "Enabled")
        if refusal is not None:
            return refusal
        if region == key.region:
            return Error("ValidationException")
        if region in family.members:
            return Error("AlreadyExistsException")
        replica = Key(family, region, "Creating", until=self.now + REPLICA)
        replica.key_id, replica.arn = key.key_id, key.arn.replace(key.region, region)
        family.members[region] = replica
        self.keys.append(replica)
        return None

    def move_primary(self, key: Key, region: str) -> Error | None:
        family = key.family
        if key.is_gone:
            return self.absent(key)
        text = f"{key.arn} is not a multi-Region primary key."
        if not family.is_multi_region:
            return Error("UnsupportedOperationException")
        if key.is_replica:
            return Error("KMSInvalidStateException", text)
        target = family.members.get(region)
        refusal = self.wrong_state(key, *USABLE)
        if refusal is None and target not in (None, key):
            refusal = self.wrong_state(target, *USABLE)
        if refusal is not None or target is key:
            return refusal
        if target is None:
            return Error("ValidationException")
        family.primary = target
        for member in (key, target):
            member.status, member.until, member.shown_by = "Updating", self.now + MOVE, []
        return None

    # --- grants -----------------------------------------------------------------------------

    def may(self, role: str, operation: str, key: Key) -> bool:
        return any(
            grant.key is key and grant.grantee == role and operation in grant.operations
            for grant in self.grants.values()
        )


def is_asymmetric(family: Family) -> bool:
    return family.spec.startswith(("RSA", "ECC"))


def key_settled(key: Key) -> Callable[[datetime], None]:
    def happen(_: datetime) -> None:
        key.status, key.until = "Enabled", None

    return happen


def expired(key: Key, material: Material) -> Callable[[datetime], None]:
    def happen(_: datetime) -> None:
        del key.holds[material.name]

    return happen


def rotated_automatically(family: Family) -> Callable[[datetime], None]:
    def happen(now: datetime) -> None:
        schedule = family.schedule
        assert schedule is not None
        if family.primary.status in ("Disabled", *PENDING_DELETION):
            schedule.is_missed = True
            return
        material = Material(len(family.history))
        family.make_current(material, now, "AUTOMATIC")
        family.history.append(material)
        schedule.next, schedule.is_missed = now + timedelta(days=schedule.days), False

    return happen


def rotated_on_demand(family: Family) -> Callable[[datetime], None]:
    def happen(now: datetime) -> None:
        family.on_demand = None
        if family.is_external:
            material = family.pending
            if material is None:
                return
        else:
            material = Material(len(family.history))
            family.history.append(material)
        family.make_current(material, now, "ON_DEMAND")

    return happen
