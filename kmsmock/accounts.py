"""Accounts and principals as tests hold them: things that give clients."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from kmsmock.principals import Credentials, Identities, Principal

ClientOf = Callable[["str | None", str, "str | None"], Any]


@dataclass(frozen=True)
class KmsKey:
    """A key made for a test. client: a KMS client of its account and Region."""

    id: str
    arn: str
    client: Any


class SigningPrincipal:
    """A principal that can make clients, and be the default one inside a ``with`` block."""

    def __init__(self, principal: Principal, identities: Identities, client_of: ClientOf) -> None:
        self._principal = principal
        self._identities = identities
        self._client_of = client_of

    def __repr__(self) -> str:
        return f"<{self._principal.kind.value} {self._principal.arn}>"

    @property
    def arn(self) -> str:
        """The ARN that policies and grants name: for role sessions that of the role."""
        return self._principal.role_arn or self._principal.arn

    @property
    def caller_arn(self) -> str:
        """The ARN that signs requests: for roles that of the session."""
        return self._principal.arn

    @property
    def credentials(self) -> Credentials:
        """Credentials whose access key leads back to this principal."""
        return self._identities.credentials(self._principal)

    def client(self, service: str = "kms", region: str | None = None) -> Any:
        """Give a boto3 client that signs as this principal."""
        return self._client_of(self._principal.arn, service, region)

    def session(self, region: str | None = None) -> Any:
        """Give a boto3 session that signs as this principal."""
        from kmsmock.clients import make_session

        return make_session(region, self.credentials)

    def __enter__(self) -> SigningPrincipal:  # noqa: PYI034 - Python 3.10 has no Self
        self._identities.defaults.append(self._principal)
        return self

    def __exit__(self, *_: object) -> None:
        self._identities.defaults.remove(self._principal)


class Account:
    """An AWS account. id: 12 digits."""

    def __init__(self, account_id: str, identities: Identities, client_of: ClientOf) -> None:
        if len(account_id) != 12 or not account_id.isdigit():
            raise ValueError(f"an account id has 12 digits; {account_id!r} has not")
        self.id = account_id
        self._identities = identities
        self._client_of = client_of

    def __repr__(self) -> str:
        return f"<Account {self.id}>"

    @property
    def root(self) -> SigningPrincipal:
        """The root user of the account."""
        return self._signing(self._identities.root(self.id))

    def user(self, name: str, *, path: str = "/") -> SigningPrincipal:
        """Give the IAM user of that name, made on first use."""
        return self._signing(self._identities.user(self.id, name, path))

    def role(self, name: str, *, path: str = "/", session: str = "session") -> SigningPrincipal:
        """Give a session of the IAM role of that name, both made on first use."""
        return self._signing(self._identities.role(self.id, name, path, session))

    def client(self, service: str = "kms", region: str | None = None) -> Any:
        """Give a boto3 client of an administrator of the account."""
        return self.user("Administrator").client(service, region)

    def _signing(self, principal: Principal) -> SigningPrincipal:
        return SigningPrincipal(principal, self._identities, self._client_of)
