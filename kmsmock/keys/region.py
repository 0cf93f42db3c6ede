"""The KMS of one account in one Region: its keys, aliases, grants and custom key stores."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from kmsmock.authorization.grants import EndedGrant, Grant
from kmsmock.aws import arns
from kmsmock.aws.regions import partition_of
from kmsmock.keys.custom_key_store import CustomKeyStore
from kmsmock.keys.key import Key, KeyManager
from kmsmock.keys.material_import import ImportParameters
from kmsmock.misuse.public_object import PlainPublicObject

#: So that a mock that is used for long does not grow: how many names of deleted aliases are kept in
#: a Region, how many tokens of one grant, and how many import tokens in a Region.
_DELETED_ALIASES_KEPT, _GRANT_TOKENS_KEPT, _IMPORT_TOKENS_KEPT = 10_000, 1_000, 1_000


class MaterialIndex(dict[bytes, Key]):
    """Key material id -> key, of all accounts in one Region.

    Decrypt needs it, since a ciphertext begins with the material id.
    """


@dataclass(slots=True)
class Alias(PlainPublicObject, internal=("sequence",)):
    """An alias: a name for one key of the same account and Region."""

    name: str
    arn: str
    key: Key
    creation_date: datetime
    last_updated_date: datetime
    sequence: int

    @property
    def account(self) -> str:
        """The account id, 12 digits."""
        return self.key.account

    @property
    def region(self) -> str:
        """The name of the Region."""
        return self.key.region_name


@dataclass(slots=True)
class SequenceNumbers:
    """Numbers the resources of one mock in order of creation, over all accounts and Regions."""

    last: int = 0

    def next(self) -> int:
        """Return the next number."""
        self.last += 1
        return self.last


class KmsRegion:
    """The KMS of one account in one Region."""

    __slots__ = (
        "_numbers",
        "account",
        "aliases",
        "custom_key_stores",
        "deleted_aliases",
        "grant_tokens",
        "grants",
        "grants_by_retirer",
        "import_tokens",
        "key_counts",
        "keys",
        "materials",
        "name",
    )

    def __init__(
        self, account: str, name: str, materials: MaterialIndex, numbers: SequenceNumbers
    ) -> None:
        self.account = account
        self.name = name
        self.keys: dict[str, Key] = {}
        self.aliases: dict[str, Alias] = {}
        #: The names of the last aliases that were deleted, for assertions about past calls.
        self.deleted_aliases: dict[str, None] = {}
        self.custom_key_stores: dict[str, CustomKeyStore] = {}
        self.grants: dict[str, Grant] = {}
        #: Retiring principal or service principal -> grants by id, oldest first.
        self.grants_by_retirer: dict[str, dict[str, Grant]] = {}
        self.grant_tokens: dict[str, Grant] = {}
        self.import_tokens: dict[bytes, ImportParameters] = {}
        self.materials = materials
        #: Number of keys by key manager; the quota counts customer managed keys only.
        self.key_counts = dict.fromkeys(KeyManager, 0)
        self._numbers = numbers

    def complete(self, materials: MaterialIndex, numbers: SequenceNumbers) -> None:
        """Make the indexes of a Region whose keys, aliases and grants were read from a file.

        materials, numbers: those of the mock.
        """
        self.materials, self._numbers = materials, numbers
        self.key_counts = dict.fromkeys(KeyManager, 0)
        for key in self.keys.values():
            self.key_counts[key.manager] += 1
            self.index_materials(key)
        self.grants_by_retirer = index_by_retirer(self.grants.values())
        self.grant_tokens = {}
        for grant in self.grants.values():
            self.keys[grant.key_id].grants.add(grant)
            self.grant_tokens.update(dict.fromkeys(grant.tokens, grant))

    @property
    def partition(self) -> str:
        """The AWS partition of the Region."""
        return partition_of(self.name)

    @property
    def last_sequence(self) -> int:
        """The sequence number of the resource that was created last in the mock."""
        return self._numbers.last

    def next_sequence(self) -> int:
        """Return the sequence number of the next resource that is created in the mock."""
        return self._numbers.next()

    def get(self, key_id_or_alias: str) -> Key | None:
        """Return the key with an id or an alias name; None if there is none."""
        alias = self.aliases.get(key_id_or_alias)
        return self.keys.get(key_id_or_alias) if alias is None else alias.key

    def add_key(self, key: Key) -> None:
        """Add a key and index its materials."""
        key.sequence = self.next_sequence()
        self.keys[key.key_id] = key
        self.key_counts[key.manager] += 1
        self.index_materials(key)

    def index_materials(self, key: Key) -> None:
        """Add the materials of a key to the index by which Decrypt finds its key."""
        if key.spec.is_symmetric_encryption:
            for material in key.materials:
                self.materials[material.id] = key

    def remove_key(self, key: Key) -> None:
        """Remove a deleted key with its aliases, grants and materials."""
        del self.keys[key.key_id]
        self.key_counts[key.manager] -= 1
        for name in key.aliases:
            del self.aliases[name]
        for grant in key.grants:
            self._forget_grant(grant)
        for material in key.materials:
            self.materials.pop(material.id, None)
        if key.custom_key_store is not None and key.xks_key_id is not None:
            key.custom_key_store.xks_key_ids.discard(key.xks_key_id)

    def add_alias(self, name: str, key: Key, now: datetime) -> Alias:
        """Create an alias of a key. name: ``alias/…``, which no other alias may have."""
        arn = arns.alias_arn(self.name, self.account, name)
        alias = Alias(name, arn, key, now, now, self.next_sequence())
        self.aliases[name] = alias
        key.aliases += (name,)
        return alias

    def remove_alias(self, alias: Alias) -> None:
        """Delete an alias."""
        del self.aliases[alias.name]
        self.deleted_aliases.pop(alias.name, None)
        self.deleted_aliases[alias.name] = None
        _keep_newest(self.deleted_aliases, _DELETED_ALIASES_KEPT)
        self._detach(alias)

    def retarget_alias(self, alias: Alias, key: Key, now: datetime) -> None:
        """Change the key of an alias."""
        self._detach(alias)
        key.aliases += (alias.name,)
        alias.key = key
        alias.last_updated_date = now

    @staticmethod
    def _detach(alias: Alias) -> None:
        key = alias.key
        key.aliases = tuple(name for name in key.aliases if name != alias.name)

    def add_grant(self, grant: Grant, *tokens: str) -> None:
        """Add a grant with its tokens, or further tokens of a grant that exists."""
        self.keys[grant.key_id].grants.add(grant)
        grant.tokens.extend(tokens)
        self.grants[grant.grant_id] = grant
        index_by_retirer((grant,), self.grants_by_retirer)
        self.grant_tokens.update(dict.fromkeys(tokens, grant))
        # Each CreateGrant with the same name and terms returns a further token of the grant.
        while len(grant.tokens) > _GRANT_TOKENS_KEPT:
            del self.grant_tokens[grant.tokens.pop(0)]

    def add_import_token(self, token: bytes, parameters: ImportParameters) -> None:
        """Add an import token; of very many the oldest become invalid."""
        self.import_tokens[token] = parameters
        _keep_newest(self.import_tokens, _IMPORT_TOKENS_KEPT)

    def end_grant(self, ended: EndedGrant) -> None:
        """Remove a grant that has ended, and its tokens."""
        self.keys[ended.grant.key_id].grants.end(ended)
        self._forget_grant(ended.grant)

    def _forget_grant(self, grant: Grant) -> None:
        del self.grants[grant.grant_id]
        for name in grant.retiring_names:
            retirable = self.grants_by_retirer[name]
            del retirable[grant.grant_id]
            if not retirable:
                del self.grants_by_retirer[name]
        for token in grant.tokens:
            self.grant_tokens.pop(token, None)


def _keep_newest(entries: dict[Any, Any], most: int) -> None:
    """Remove the oldest entries while there are more than so many."""
    while len(entries) > most:
        del entries[next(iter(entries))]


def index_by_retirer(
    grants: Iterable[Grant], index: dict[str, dict[str, Grant]] | None = None
) -> dict[str, dict[str, Grant]]:
    """Add grants to an index: retiring principal or service principal -> grants by id."""
    index = {} if index is None else index
    for grant in grants:
        for name in grant.retiring_names:
            index.setdefault(name, {})[grant.grant_id] = grant
    return index
