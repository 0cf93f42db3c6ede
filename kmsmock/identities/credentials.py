"""Access keys and temporary credentials, and the principals that they belong to."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from kmsmock.aws.coded_error import CodedError
from kmsmock.aws.credential_errors import CredentialError, CredentialErrors
from kmsmock.aws.errors import ServiceError
from kmsmock.aws.principals import Principal, PrincipalKind
from kmsmock.aws.secret_values import SecretText
from kmsmock.aws.services import AWS_SERVICES
from kmsmock.identities.past_keys import PastKeys
from kmsmock.misuse.public_object import PublicObject

Entropy = Callable[[int], bytes]

#: How many access keys that are not valid any more are kept with their principals.
PAST_KEPT = 10_000
_BASE32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"


class CredentialsError(Exception):
    """A request has no valid credentials; each service has its own error.

    access_key: that signs the request; None if it is not signed.
    """

    def __init__(self, reason: str, access_key: str | None) -> None:
        super().__init__(reason)
        self.access_key = access_key

    def error_of(self, service: str, parameters: Mapping[str, Any] | None = None) -> ServiceError:
        """Return the error with which a service refuses the request.

        service: its name in boto3. parameters: of the request, as boto3 takes them.
        """
        declared = self._select(AWS_SERVICES[service].credential_errors)
        return CodedError(
            declared.code,
            declared.text.format_map(parameters or {}),
            status=declared.status,
            query_code=declared.query_code,
            members={
                **declared.members,
                **({declared.key_member: self.access_key or ""} if declared.key_member else {}),
            },
            explanation=str(self),
        )

    @staticmethod
    def _select(errors: CredentialErrors) -> CredentialError:
        """Return the error for these credentials among those of a service."""
        return errors.deleted


class DeletedCredentialsError(CredentialsError):
    """The access key has been deleted or deactivated, or its user or role has been deleted.

    principal: None if that is not known any more.
    """

    def __init__(self, access_key: str, principal: Principal | None = None) -> None:
        super().__init__(
            f"This access key{_format_owner(principal)} has been deleted or deactivated, or its "
            "user or role has been deleted.",
            access_key,
        )


class UnknownCredentialsError(CredentialsError):
    """The mock has not issued the access key, and accepts no others."""

    def __init__(self, access_key: str) -> None:
        super().__init__(
            "This mock has not issued the access key of the request, and with strict credentials "
            "it accepts no others.",
            access_key,
        )


class ExpiredCredentialsError(CredentialsError):
    """Temporary credentials have expired.

    principal: None if that is not known any more. expired: when they did; None for long ago.
    """

    def __init__(
        self,
        access_key: str,
        principal: Principal | None = None,
        expired: datetime | None = None,
    ) -> None:
        when = "long ago" if expired is None else f"on {expired:%Y-%m-%d %H:%M} UTC"
        super().__init__(
            f"These temporary credentials{_format_owner(principal)} expired {when}. New ones come "
            "from where these came from, such as AssumeRole.",
            access_key,
        )
        #: The session that has expired.
        self.principal = principal

    @staticmethod
    def _select(errors: CredentialErrors) -> CredentialError:
        """Return the error for these credentials among those of a service."""
        return errors.expired


def _format_owner(principal: Principal | None) -> str:
    return "" if principal is None else f" of {principal.arn}"


class SessionTokenError(CredentialsError):
    """The session token of a request is missing, or not that of its access key."""

    def __init__(self, access_key: str, principal: Principal, reason: str) -> None:
        super().__init__(f"{reason} The access key {access_key} is of {principal.arn}.", access_key)


class UnsignedRequestError(CredentialsError):
    """The request is not signed."""

    def __init__(self) -> None:
        super().__init__(
            "This request is unsigned: its client has the configuration "
            "signature_version=UNSIGNED, with which it uses no credentials.",
            None,
        )

    @staticmethod
    def _select(errors: CredentialErrors) -> CredentialError:
        """Return the error for these credentials among those of a service."""
        return errors.missing


@dataclass(frozen=True, slots=True)
class Credentials(PublicObject, internal=("of",)):
    """The credentials of a client."""

    access_key: str
    #: The secret access key; `str` returns it as plain text.
    secret_key: SecretText = field(repr=False, compare=False)
    #: Only temporary credentials have one.
    session_token: SecretText | None = field(default=None, repr=False, compare=False)

    @classmethod
    def of(cls, access_key: str, secret_key: str, session_token: str | None = None) -> Credentials:
        """Return credentials of plain texts."""
        token = None if session_token is None else SecretText(session_token)
        return cls(access_key, SecretText(secret_key), token)


@dataclass(frozen=True, slots=True)
class AccessKey:
    """A long-term access key of a user, as IAM lists it."""

    credentials: Credentials
    owner: Principal
    created: datetime
    is_active: bool = True


class CredentialStore:
    """All access keys of one mock. now: gives the time."""

    def __init__(self, entropy: Entropy, now: Callable[[], datetime]) -> None:
        self._entropy = entropy
        self._now = now
        #: Access key -> the principal that it was issued to; also of keys that are not valid.
        self._owners: dict[str, Principal] = {}
        #: Access keys that are not valid: inactive or deleted, or of deleted users and roles.
        self._invalid: set[str] = set()
        self._expirations: dict[str, datetime] = {}
        #: Access key -> the credentials, for the signatures of requests.
        self._credentials: dict[str, Credentials] = {}
        self._long_term: dict[str, AccessKey] = {}
        #: Depends on the principal with its unique id, and ends with it or with its credentials.
        self._handed_out: dict[Principal, Credentials] = {}
        #: Unique ids of deleted users and roles.
        self._gone: set[str] = set()
        #: Those that have expired, and those that were deleted, a long time ago.
        self._past_expired, self._past_deleted = PastKeys(), PastKeys()
        self._has_past = False
        #: How many access keys there have to be before past ones are looked for.
        self._most = PAST_KEPT

    def new_id(self, prefix: str) -> str:
        """Generate an id like those of IAM: a prefix for the type, and 16 characters."""
        return prefix + "".join(_BASE32[byte & 31] for byte in self._entropy(16))

    def new_secret_key(self) -> str:
        """Generate a secret access key, of the same length as those of IAM."""
        return self._entropy(30).hex()[:40]

    def caller(self, access_key: str | None, default: Principal, now: datetime) -> Principal:
        """Find the principal of an access key; the default if it is unknown.

        access_key: None for an unsigned request. Raises DeletedCredentialsError,
        ExpiredCredentialsError and UnsignedRequestError.
        """
        if access_key is None:
            raise UnsignedRequestError
        principal = self._owners.get(access_key)
        if principal is None:
            if self._has_past:
                self._require_not_past(access_key)
            return default
        if access_key in self._invalid:
            raise DeletedCredentialsError(access_key, principal)
        expires = self._expirations.get(access_key) if self._expirations else None
        if expires is not None and expires <= now:
            raise ExpiredCredentialsError(access_key, principal, expires)
        return principal

    def _require_not_past(self, access_key: str) -> None:
        if access_key in self._past_expired:
            raise ExpiredCredentialsError(access_key)
        if access_key in self._past_deleted:
            raise DeletedCredentialsError(access_key)

    def get_owner(self, access_key: str) -> Principal | None:
        """Return the principal of an access key, also of an inactive one; None if it is unknown.

        Deleted ones are unknown, and those of deleted users and roles.
        """
        if access_key in self._invalid and access_key not in self._long_term:
            return None
        return self._owners.get(access_key)

    def get_valid(self, access_key: str, now: datetime) -> Credentials | None:
        """Return the credentials of an access key; None if it is unknown or not valid."""
        expires = self._expirations.get(access_key)
        if access_key in self._invalid or (expires is not None and expires <= now):
            return None
        return self._credentials.get(access_key)

    def has_issued(self, access_key: str) -> bool:
        """Return whether an access key is, or was, one of a principal."""
        return (
            access_key in self._owners
            or access_key in self._past_expired
            or access_key in self._past_deleted
        )

    def have_been_of(self, arn: str) -> bool:
        """Return whether somebody with this ARN has ever had credentials, deleted ones included."""
        return any(arn in (owner.arn, owner.principal_arn) for owner in self._owners.values())

    def of(self, principal: Principal) -> Credentials:
        """Return credentials of a principal, the same with each call as long as they are valid.

        Those of a deleted user or role are not valid.
        """
        is_gone = principal.entity_id in self._gone
        known = self._handed_out.get(principal)
        if known is not None and (is_gone or known.access_key not in self._invalid):
            return known
        # None of the access keys that IAM lists: a test that takes them need not clean up.
        is_long_term = principal.kind in (PrincipalKind.USER, PrincipalKind.ROOT)
        known = self._handed_out[principal] = self._new("AKIA" if is_long_term else "ASIA")
        self._add(known, principal)
        if is_gone:
            self._invalid.add(known.access_key)
        return known

    def issue(
        self, principal: Principal, expires: datetime, issued: Credentials | None = None
    ) -> Credentials:
        """Add temporary credentials of a principal. issued: by another mock; None for new ones."""
        credentials = issued or self._new("ASIA")
        self._add(credentials, principal)
        self._expirations[credentials.access_key] = expires
        return credentials

    def forget_past(self, sessions: dict[tuple[str, str], Any]) -> None:
        """Forget whose the oldest access keys were that are not valid any more.

        It does so now and then, as soon as there are many. sessions: by the ARN and key of their
        principals; those that ended are removed.
        """
        if len(self._owners) <= self._most:
            return
        now = self._now()
        in_use = {each.access_key for each in self._handed_out.values()} | self._long_term.keys()
        expired = {key for key, end in self._expirations.items() if end <= now}
        past = [
            access_key
            for access_key in self._owners
            if access_key not in in_use and (access_key in expired or access_key in self._invalid)
        ]
        past = past[: max(0, len(past) - PAST_KEPT)]
        self._past_expired.add(access_key for access_key in past if access_key in expired)
        self._past_deleted.add(access_key for access_key in past if access_key not in expired)
        self._has_past = self._has_past or bool(past)
        for access_key in past:
            self._expirations.pop(access_key, None)
            self._credentials.pop(access_key, None)
        self._invalid.difference_update(past)
        for principal in [self._owners.pop(access_key) for access_key in past]:
            if principal.session_key:  # federated users of one name share a session
                sessions.pop((principal.arn, principal.session_key), None)
        self._most = len(self._owners) + max(PAST_KEPT, len(self._owners) // 2)

    def change_owner_id(self, before: str, after: str) -> None:
        """Move the credentials of a user or role to its new unique id."""
        self._owners = {
            access_key: owner.with_entity_id(before, after)
            for access_key, owner in self._owners.items()
        }
        self._handed_out = {
            owner.with_entity_id(before, after): own for owner, own in self._handed_out.items()
        }

    # --- long-term access keys ---------------------------------------------------------------

    def keys_of(self, entity_id: str) -> Iterator[AccessKey]:
        """Return the long-term access keys of a user, oldest first. entity_id: its unique id."""
        return (key for key in self._long_term.values() if key.owner.entity_id == entity_id)

    def list_keys(self) -> Iterator[AccessKey]:
        """Return the long-term access keys of all users, oldest first."""
        return iter(self._long_term.values())

    def add_key(
        self,
        owner: Principal,
        issued: Credentials | None = None,
        created: datetime | None = None,
    ) -> AccessKey:
        """Add an access key of a user.

        issued: by another mock; None for a new one. created: None for now.
        """
        credentials = issued or self._new("AKIA")
        key = AccessKey(credentials, owner, created or self._now())
        self._long_term[credentials.access_key] = key
        self._add(credentials, owner)
        return key

    def set_active(self, key: AccessKey, *, is_active: bool) -> None:
        """Activate or deactivate an access key."""
        access_key = key.credentials.access_key
        self._long_term[access_key] = replace(key, is_active=is_active)
        if is_active:
            self._set_owner(access_key, key.owner)
        else:
            self._invalid.add(access_key)

    def delete_key(self, key: AccessKey) -> None:
        """Delete an access key; requests signed with it are refused."""
        del self._long_term[key.credentials.access_key]
        self._invalid.add(key.credentials.access_key)

    def invalidate(self, entity_id: str) -> None:
        """Invalidate all credentials of a user or role and of its sessions."""
        self._gone.add(entity_id)
        self._invalid.update(
            access_key for access_key, owner in self._owners.items() if owner.entity_id == entity_id
        )
        for key in list(self.keys_of(entity_id)):
            del self._long_term[key.credentials.access_key]

    def invalidate_issued_since(self, later: CredentialStore) -> None:
        """Invalidate the credentials that a later state has issued and this one has not."""
        issued_since = later._owners.keys() - self._owners.keys()
        self._owners.update((access_key, later._owners[access_key]) for access_key in issued_since)
        self._invalid |= issued_since
        self._past_expired, self._past_deleted = later._past_expired, later._past_deleted
        self._has_past = later._has_past

    def _add(self, credentials: Credentials, owner: Principal) -> None:
        self._credentials[credentials.access_key] = credentials
        self._set_owner(credentials.access_key, owner)

    def _set_owner(self, access_key: str, owner: Principal) -> None:
        """Make an access key valid, as one of this owner."""
        self._owners[access_key] = owner
        self._invalid.discard(access_key)

    def _new(self, prefix: str) -> Credentials:
        return Credentials.of(
            self.new_id(prefix),
            self.new_secret_key(),
            self._entropy(48).hex() if prefix == "ASIA" else None,
        )
