"""What a test sees of a mock, and the stack of those that are active.

This module is imported with every pytest run, so everything heavy waits for the first use.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from operator import attrgetter
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, cast

from kmsmock.activation.typed_clients import ClientSource
from kmsmock.options import MockOptions
from kmsmock.process.active_mocks import active
from kmsmock.process.watchers import notifying, watchers
from kmsmock.responder import Responder, paused

if TYPE_CHECKING:
    from kmsmock.accounts import Account, Principal
    from kmsmock.analysis.least_privilege import LeastPrivilege
    from kmsmock.authorization.decision import Decision
    from kmsmock.aws.principals import Principal as Caller
    from kmsmock.crypto.attestation import AttestationAuthority
    from kmsmock.keys.custom_key_store import CustomKeyStore
    from kmsmock.keys.key import Key
    from kmsmock.keys.region import Alias
    from kmsmock.ledger.budget import Budget
    from kmsmock.ledger.call_log import AllCalls
    from kmsmock.ledger.costs import Costs
    from kmsmock.ledger.secrets import Secrets
    from kmsmock.services.ec2.answered.contents import Ebs
    from kmsmock.services.rds.answered.contents import Rds
    from kmsmock.state.backend import Backend
    from kmsmock.state.checkpoints import Checkpoint
    from kmsmock.state.faults import Faults
    from kmsmock.timing.clock import Clock
    from kmsmock.trail.trail import Trail


class KMSMock(ClientSource):
    """The control object of one mock: its state, its clock, its records, its principals.

    Fixtures, decorators and ``with mock_kms()`` give it. responder: what answers clients.
    """

    def __init__(self, responder: Responder) -> None:
        self._responder = responder
        self._backend = responder.backend
        self._clients: dict[tuple[str, str | None, str], Any] = {}

    def __repr__(self) -> str:
        keys = sum(len(region.keys) for region in self._backend.regions.values())
        state = "active" if self.is_active else "stopped"
        return f"<KMSMock {state}: {keys} keys, {len(self.calls)} calls>"

    # --- state -------------------------------------------------------------------------

    @property
    def backend(self) -> Backend:
        """The whole state, in the objects of this project, which may change with any version."""
        return self._backend

    @property
    def options(self) -> Mapping[str, Any]:
        """All options of the mock, by name, as given or by default."""
        return MappingProxyType(self._responder.options)

    @property
    def keys(self) -> tuple[Key, ...]:
        """All keys of all accounts and Regions, oldest first."""
        return self._backend.collect(attrgetter("keys"))

    @property
    def aliases(self) -> tuple[Alias, ...]:
        """All aliases of all accounts and Regions, oldest first."""
        return self._backend.collect(attrgetter("aliases"))

    @property
    def clock(self) -> Clock:
        """The clock of the mock; moving it lets what is due happen."""
        return self._backend.clock

    @property
    def calls(self) -> AllCalls:
        """A record of each KMS call that was answered, oldest first."""
        return self._backend.calls

    @property
    def secrets(self) -> Secrets:
        """The plaintexts that were handed out, which `assert_absent_from` looks for."""
        return self._backend.secrets

    @property
    def costs(self) -> Costs:
        """What the calls and keys would cost on AWS."""
        from kmsmock.ledger.costs import Costs

        backend = self._backend

        def sharing(account: str) -> str:
            # The free tier is one for all of an organization.
            return backend.identities.organization_of(account).organization_id or account

        return Costs(
            backend.calls, backend.key_lifetimes, backend.tariff.prices, backend.settle, sharing
        )

    def budget(self, *, requests: int | None = None, usd: Any = None) -> Budget:
        """Give a context manager that fails when its block makes too many requests.

        requests: the most that are allowed, those that fail among them. usd: the most that they
        may cost at list price, before the free tier, such as ``"0.01"``. At least one is needed.
        Raises AssertionError at the end of the block, which shows what spent the budget; a block
        that fails itself is left alone.
        """
        from kmsmock.ledger.budget import Budget

        return Budget(self._backend, requests=requests, usd=usd, name="this block")

    @property
    def trail(self) -> Trail:
        """The calls as CloudTrail shows them, and what KMS did by itself."""
        from kmsmock.trail.configured_trails import Trails
        from kmsmock.trail.trail import Trail

        backend = self._backend
        backend.settle()
        return Trail(backend.calls, backend.service_events, backend.service_state(Trails).values())

    @property
    def faults(self) -> Faults:
        """Faults that a test arms: throttling, errors of the service."""
        return self._backend.faults

    @property
    def attestation(self) -> AttestationAuthority:
        """Makes attestation documents that this mock trusts, for the Recipient parameter."""
        return self._backend.attestation

    @property
    def ebs(self) -> Ebs:
        """Volumes and snapshots: their contents, and why some have failed."""
        from kmsmock.services.ec2.answered.contents import Ebs

        return Ebs(self._backend)

    @property
    def rds(self) -> Rds:
        """Databases and their snapshots: their contents, and why some have failed."""
        from kmsmock.services.rds.answered.contents import Rds

        return Rds(self._backend)

    def reset(self) -> None:
        """Begin anew, without records, and with no keys and principals but those of the world.

        The world is what the option of that name says.
        """
        self._clients.clear()
        self._responder.reset()

    def export(self, path: str | os.PathLike[str], *, material: bool = True) -> None:
        """Write all that there is, but for records, to a file that `load` and ``world=`` read.

        path: of a JSON file, or of a YAML file with the extra ``yaml``. material: with the secrets
        of keys; without them, keys get new ones when they are loaded, and imported material is to
        be imported again. Temporary credentials, import tokens and what other services hold are not
        in it. Raises OSError.
        """
        from kmsmock.worlds.files import write_document
        from kmsmock.worlds.world import write_world

        write_document(write_world(self._backend, secrets=material), path)

    def load(self, world: str | os.PathLike[str] | Mapping[str, Any]) -> None:
        """Bring in what a world has, beside what is there; all of it, or nothing.

        world: the path of a file that `export` or somebody's hand has written, or what it says;
        seed files of local-kms are understood too. Raises WorldError, a ValueError that names the
        place, and OSError.
        """
        self._responder.load(world)

    def checkpoint(self) -> Checkpoint:
        """Save the state: keys, aliases, grants, stores, principals, clock, records."""
        return self._backend.checkpoint()

    def restore(self, checkpoint: Checkpoint) -> None:
        """Go back to a saved state; a checkpoint can be restored more than once."""
        with notifying(self, watchers.restoring, watchers.restored):
            self._backend.restore(checkpoint)

    # --- principals and clients ----------------------------------------------------------

    def account(self, account_id: str) -> Account:
        """Give an AWS account, made on first use. account_id: 12 digits."""
        from kmsmock.accounts import Account

        return Account(account_id, self._backend.identities, self._client_of)

    def principal(self, arn: str) -> Principal:
        """Give the principal with this ARN, or the AWS service of this name.

        A service's name is such as ``cloudtrail.amazonaws.com``. Raises ValueError for ARNs that
        no caller has.
        """
        from kmsmock.accounts import Principal

        identities = self._backend.identities
        return Principal(identities.get_or_create(arn), identities, self._client_of)

    def explain(
        self,
        principal: Principal | str,
        action: str,
        key: Any = None,
        *,
        region: str | None = None,
        encryption_context: Mapping[str, str] | None = None,
        via_service: str | None = None,
        context: Mapping[str, str | list[str]] | None = None,
        parameters: Mapping[str, Any] | None = None,
    ) -> Decision:
        """Tell whether a principal may do something, and why, without calling.

        principal: one of this mock, or its ARN. action: for example ``kms:Decrypt``. key: an id,
        ARN, alias, or anything with an ``arn``; None for actions that are not about a key.
        via_service: the service that calls for the principal, such as ``s3``, or the value of
        ``kms:ViaService``. context: further condition keys. parameters: of the call, as boto3 takes
        them, where policies or grants look at them; what is left out has its default. Raises
        ValueError for a principal, key or action of KMS that does not exist.
        """
        from kmsmock.analysis.explain import Question, explain_named

        return explain_named(
            self._backend,
            principal if isinstance(principal, str) else principal.principal,
            Question(
                action,
                region or self._responder.options["region"],
                parameters or {},
                encryption_context,
                context or {},
            ),
            getattr(key, "arn", key),
            via_service,
        )

    def least_privilege(self, principal: Principal | str) -> LeastPrivilege:
        """Give the smallest policies for what a principal did: its calls that succeeded.

        principal: one of this mock, or its ARN. Print the result, or look at .identity and .keys.
        """
        from kmsmock.analysis.least_privilege import least_privilege

        known = self.principal(principal) if isinstance(principal, str) else principal
        return least_privilege(known.principal, self.calls)

    @contextmanager
    def request_context(self, keys: Mapping[str, str | list[str]]) -> Iterator[None]:
        """Let requests inside the block have further condition keys.

        keys: what the network or the sign-in decides on AWS, such as ``aws:SourceIp``,
        ``aws:SourceVpce`` or ``aws:MultiFactorAuthPresent``.
        """
        before = self._backend.request_context
        self._backend.request_context = {**before, **keys}
        try:
            yield
        finally:
            self._backend.request_context = before

    def import_material(self, key: Any, material: bytes, **parameters: Any) -> Any:
        """Import key material into a key of origin EXTERNAL, by calls of the default principal.

        Keys of other accounts get it from the administrator of theirs.

        key: a key id, ARN, or anything with an ``arn``. material: 32 bytes for SYMMETRIC_DEFAULT,
        the raw secret for HMAC keys, PKCS#8 DER for key pairs. parameters: further ones of
        ImportKeyMaterial; without ValidTo the material does not expire. Gives its answer.
        """
        from kmsmock.activation.material_import import import_material
        from kmsmock.aws.arns import Arn

        named = getattr(key, "arn", key)
        arn = Arn.parse(named)
        client = self.client(region=None if arn is None else arn.region)
        if arn is not None and arn.account != self._backend.identities.defaults[-1].account:
            client = self.account(arn.account).client(region=arn.region)
        return import_material(client, named, material, parameters)

    def key_store(self, store_id: str) -> CustomKeyStore:
        """Give a custom key store, which ``.fail(error_code)`` breaks and ``.heal()`` mends.

        store_id: ``cks-…``. Raises ValueError when there is none.
        """
        stores: tuple[CustomKeyStore, ...]
        stores = self._backend.collect(attrgetter("custom_key_stores"))
        for store in stores:
            if store.store_id == store_id:
                return store
        raise ValueError(f"there is no custom key store {store_id!r}")

    def _client(self, service: str, region: str | None) -> Any:
        # Of the default principal, whoever that is.
        return self._client_of(None, service, region)

    def _client_of(self, principal: Caller | None, service: str, region: str | None) -> Any:
        from kmsmock.activation.clients import UNKNOWN, make_client

        identities = self._backend.identities
        # Credentials that nobody knows are those of the default principal.
        credentials = UNKNOWN if principal is None else identities.credentials.of(principal)
        place = (service, region, credentials.access_key)
        client = self._clients.get(place)
        if client is None:
            client = make_client(service, region or self._responder.options["region"], credentials)
            self._clients[place] = client
        return client

    # --- active or not -------------------------------------------------------------------

    @property
    def is_active(self) -> bool:
        """Whether clients are answered by this mock, now or once those inside of it have ended."""
        return self._responder.is_active

    def pause(self) -> AbstractContextManager[None]:
        """Let calls go, inside the block, where they would have gone without any mock."""
        return paused()


def new_mock(options: MockOptions) -> Responder:
    """Make a mock, which has its control object as ``kms``."""
    responder = Responder(options)
    responder.kms = KMSMock(responder)
    return responder


def current() -> KMSMock:
    """Give the innermost active mock; raises RuntimeError when none is active."""
    if not active:
        raise RuntimeError(
            "no mock is active here: use the `kms` fixture, `@mock_kms`, or `with mock_kms():`"
        )
    return cast(KMSMock, active[-1].kms)
