"""The KMS of one account in one Region: its keys, aliases, grants and custom key stores."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from kmsmock.authorization.grants import Grant
from kmsmock.aws import arns
from kmsmock.keys.custom_key_store import CustomKeyStore
from kmsmock.keys.imported import ImportParameters
from kmsmock.keys.key import Key, KeyManager


class MaterialIndex(dict[bytes, Key]):
    """Key material id -> its key: of all accounts in one Region.

    A ciphertext names its material and not its account.
    """


@dataclass(slots=True)
class Alias:
    """An alias: a name for one key of the same account and Region."""

    name: str
    arn: str
    key: Key
    creation_date: datetime
    last_updated_date: datetime
    sequence: int


@dataclass(slots=True)
class Numbers:
    """Numbers for all that one mock makes, so that lists over accounts have an order too."""

    last: int = 0

    def next(self) -> int:
        """Give a number above all before."""
        self.last += 1
        return self.last


class KmsRegion:
    """The KMS of one account in one Region."""

    __slots__ = (
        "_numbers",
        "account",
        "aliases",
        "custom_key_stores",
        "grant_tokens",
        "grants",
        "import_tokens",
        "keys",
        "managed_by",
        "materials",
        "name",
    )

    def __init__(self, account: str, name: str, materials: MaterialIndex, numbers: Numbers) -> None:
        self.account = account
        self.name = name
        self.keys: dict[str, Key] = {}
        self.aliases: dict[str, Alias] = {}
        self.custom_key_stores: dict[str, CustomKeyStore] = {}
        self.grants: dict[str, Grant] = {}
        self.grant_tokens: dict[str, Grant] = {}
        self.import_tokens: dict[bytes, ImportParameters] = {}
        self.materials = materials
        #: How many keys each manager has; the quota counts customer managed ones only.
        self.managed_by = dict.fromkeys(KeyManager, 0)
        self._numbers = numbers

    @property
    def partition(self) -> str:
        """The AWS partition of the Region."""
        return arns.partition_of(self.name)

    def next_sequence(self) -> int:
        """Give the next number for what is made, here and in other accounts, in that order."""
        return self._numbers.next()

    def find(self, key_id_or_alias: str) -> Key | None:
        """Find a key by its id or by an alias name; return None if there is none."""
        alias = self.aliases.get(key_id_or_alias)
        return self.keys.get(key_id_or_alias) if alias is None else alias.key

    def add_key(self, key: Key) -> None:
        """Take in a key and index its materials."""
        key.sequence = self.next_sequence()
        self.keys[key.key_id] = key
        self.managed_by[key.manager] += 1
        self.index_materials(key)

    def index_materials(self, key: Key) -> None:
        """Let ciphertexts of all the key's materials lead to it."""
        if key.spec.is_symmetric_encryption:
            for material in key.materials:
                self.materials[material.id] = key

    def remove_key(self, key: Key) -> None:
        """Forget a deleted key with its aliases, grants and materials."""
        del self.keys[key.key_id]
        self.managed_by[key.manager] -= 1
        for name in key.aliases:
            del self.aliases[name]
        for grant in key.grants:
            del self.grants[grant.grant_id]
            for token in grant.tokens:
                self.grant_tokens.pop(token, None)
        for material in key.materials:
            self.materials.pop(material.id, None)
        if key.custom_key_store is not None and key.xks_key_id is not None:
            key.custom_key_store.xks_key_ids.discard(key.xks_key_id)

    def add_alias(self, name: str, key: Key, now: datetime) -> Alias:
        """Give a key a name that is free."""
        arn = arns.alias_arn(self.name, self.account, name)
        alias = Alias(name, arn, key, now, now, self.next_sequence())
        self.aliases[name] = alias
        key.aliases += (name,)
        return alias

    def remove_alias(self, alias: Alias) -> None:
        """Forget a name."""
        del self.aliases[alias.name]
        self._take(alias)

    def retarget_alias(self, alias: Alias, key: Key, now: datetime) -> None:
        """Let a name mean another key."""
        self._take(alias)
        key.aliases += (alias.name,)
        alias.key = key
        alias.last_updated_date = now

    @staticmethod
    def _take(alias: Alias) -> None:
        key = alias.key
        key.aliases = tuple(name for name in key.aliases if name != alias.name)

    def add_grant(self, grant: Grant, *tokens: str) -> None:
        """Take in a grant with its tokens, or more of them for one that exists."""
        self.keys[grant.key_id].grants.add(grant)
        grant.tokens.extend(tokens)
        self.grants[grant.grant_id] = grant
        self.grant_tokens.update(dict.fromkeys(tokens, grant))

    def remove_grant(self, grant: Grant) -> None:
        """Forget a grant; its tokens no longer mean anything then."""
        self.keys[grant.key_id].grants.remove(grant)
        del self.grants[grant.grant_id]
        for token in grant.tokens:
            self.grant_tokens.pop(token, None)
