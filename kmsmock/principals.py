"""Who calls: principals, their credentials, and how an access key leads to one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum

from kmsmock.arns import Arn, partition_of

Entropy = Callable[[int], bytes]

_BASE32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"


class PrincipalKind(Enum):
    """The kinds of principal that can sign a request."""

    ROOT = "Root"
    USER = "IAMUser"
    ASSUMED_ROLE = "AssumedRole"


@dataclass(frozen=True, slots=True)
class Principal:
    """One that can sign requests.

    arn: of the root user, of the IAM user, or of the role *session*.
    role_arn: of the role behind a session, with its path; None for others.
    unique_id: ``AIDA…``, ``AROA…:session`` or, for the root user, the account id.
    """

    kind: PrincipalKind
    arn: str
    account: str
    unique_id: str
    role_arn: str | None = None


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a client signs with; the token is there for role sessions only."""

    access_key: str
    secret_key: str = field(repr=False)
    session_token: str | None = field(default=None, repr=False)


class Identities:
    """The principals of one mock, found by ARN or by access key.

    account: the default account, that of callers with unknown credentials. Their principal is
    an administrator user of that account.
    """

    def __init__(self, account: str, region: str, entropy: Entropy) -> None:
        self.partition = partition_of(region)
        self._entropy = entropy
        self._by_access_key: dict[str, Principal] = {}
        self._credentials: dict[Principal, Credentials] = {}
        self._by_arn: dict[str, Principal] = {}
        self.administrator = self.user(account, "Administrator")
        #: Stack of the principals whose ``with`` block is open; the last one is the default.
        self.defaults: list[Principal] = [self.administrator]

    def caller(self, access_key: str | None) -> Principal:
        """Find who signs with this access key; the default principal when it is unknown."""
        return self._by_access_key.get(access_key or "") or self.defaults[-1]

    def find(self, arn: str) -> Principal | None:
        """Find a principal by its ARN; role ARNs lead to the role's default session."""
        return self._by_arn.get(arn)

    def root(self, account: str) -> Principal:
        """Give the root user of an account."""
        arn = self._arn("iam", account, "root")
        return self._add(arn, lambda: Principal(PrincipalKind.ROOT, arn, account, account))

    def user(self, account: str, name: str, path: str = "/") -> Principal:
        """Give the IAM user of that name, made on first use."""
        arn = self._arn("iam", account, f"user{path}{name}")
        return self._add(
            arn, lambda: Principal(PrincipalKind.USER, arn, account, self._identifier("AIDA"))
        )

    def role(self, account: str, name: str, path: str = "/", session: str = "session") -> Principal:
        """Give a session of the IAM role of that name, both made on first use."""
        role_arn = self._arn("iam", account, f"role{path}{name}")
        arn = self._arn("sts", account, f"assumed-role/{name}/{session}")

        def make() -> Principal:
            unique_id = f"{self._identifier('AROA')}:{session}"
            return Principal(PrincipalKind.ASSUMED_ROLE, arn, account, unique_id, role_arn)

        principal = self._add(arn, make)
        self._by_arn.setdefault(role_arn, principal)
        return principal

    def at(self, arn: str) -> Principal:
        """Give the principal with this ARN, made on first use; raises ValueError for other ARNs."""
        known = self._by_arn.get(arn)
        if known:
            return known
        parsed = Arn.parse(arn)
        if parsed is None or parsed.service not in ("iam", "sts"):
            raise ValueError(
                f"{arn!r} is not the ARN of a root user, IAM user, role or role session"
            )
        kind, _, rest = parsed.resource.partition("/")
        path, _, name = f"/{rest}".rpartition("/")
        if parsed.resource == "root":
            return self.root(parsed.account)
        if kind == "user" and name:
            return self.user(parsed.account, name, f"{path}/")
        if kind == "role" and name:
            return self.role(parsed.account, name, f"{path}/")
        if kind == "assumed-role" and rest.count("/") == 1:
            role, session = rest.split("/")
            return self.role(parsed.account, role, session=session)
        raise ValueError(f"{arn!r} is not the ARN of a root user, IAM user, role or role session")

    def credentials(self, principal: Principal) -> Credentials:
        """Give credentials whose access key leads back to the principal."""
        known = self._credentials.get(principal)
        if known is None:
            temporary = principal.kind is PrincipalKind.ASSUMED_ROLE
            known = Credentials(
                self._identifier("ASIA" if temporary else "AKIA"),
                self._entropy(30).hex()[:40],
                self._entropy(48).hex() if temporary else None,
            )
            self._credentials[principal] = known
            self._by_access_key[known.access_key] = principal
        return known

    def state(self) -> tuple[dict[str, Principal], dict[Principal, Credentials]]:
        """Give what `restore` needs."""
        return dict(self._by_arn), dict(self._credentials)

    def restore(self, state: tuple[dict[str, Principal], dict[Principal, Credentials]]) -> None:
        """Know those principals and credentials again that were known then."""
        by_arn, credentials = state
        self._by_arn, self._credentials = dict(by_arn), dict(credentials)
        self._by_access_key = {c.access_key: p for p, c in credentials.items()}

    def _add(self, arn: str, make: Callable[[], Principal]) -> Principal:
        principal = self._by_arn.get(arn)
        if principal is None:
            principal = self._by_arn[arn] = make()
        return principal

    def _identifier(self, prefix: str) -> str:
        return prefix + "".join(_BASE32[byte & 31] for byte in self._entropy(16))

    def _arn(self, service: str, account: str, resource: str) -> str:
        return f"arn:{self.partition}:{service}::{account}:{resource}"
