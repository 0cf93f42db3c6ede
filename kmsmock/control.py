"""`KMSMock`, the control object of a mock, as tests use it.

Imported in every pytest run, so slow imports are inside of functions.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from operator import attrgetter
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, cast

from kmsmock.activation.client_cache import Clients
from kmsmock.activation.typed_clients import ClientSource
from kmsmock.aws.references import read_key_reference
from kmsmock.aws.secret_values import hide, hide_secrets
from kmsmock.misuse.suggestions import suggest
from kmsmock.options import MockOptions
from kmsmock.process.active_mocks import get_answering, paused
from kmsmock.process.watchers import notifying, watchers
from kmsmock.responder import Responder

if TYPE_CHECKING:
    from kmsmock.accounts import Account, Principal
    from kmsmock.activation.faults import Faults
    from kmsmock.activation.quotas import Quotas
    from kmsmock.analysis.least_privilege import LeastPrivilege
    from kmsmock.authorization.decision import Decision
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
    from kmsmock.timing.clock import Clock
    from kmsmock.trail.trail import Trail


class KMSMock(ClientSource):
    """The control object of a mock: its keys, clock, records, costs, accounts and principals.

    It is the value of the fixture ``kms``, of ``with mock_kms() as kms`` and of `current`.
    responder: answers the requests of clients.
    """

    def __init__(self, responder: Responder) -> None:
        self._responder = responder
        self._backend = responder.backend
        self._clients = Clients(responder)

    def __repr__(self) -> str:
        keys = sum(len(region.keys) for region in list(self._backend.regions.values()))
        calls = len(self.calls)
        return f"<KMSMock {self._responder.state}: {keys} key{_s(keys)}, {calls} call{_s(calls)}>"

    # --- state -------------------------------------------------------------------------

    @property
    def backend(self) -> Backend:
        """The state, in internal objects, which may change with any version."""
        return self._backend

    @property
    def options(self) -> Mapping[str, Any]:
        """All options of the mock, by name, including defaults."""
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
        """The clock of the mock; moving it carries out what is scheduled until then."""
        return self._backend.clock

    @property
    def calls(self) -> AllCalls:
        """The records of all KMS calls, oldest first."""
        return self._backend.calls

    @property
    def secrets(self) -> Secrets:
        """The plaintexts that KMS has returned to clients, to search for them in files and logs."""
        return self._backend.secrets

    @property
    def costs(self) -> Costs:
        """The costs that the calls and keys would have on AWS."""
        from kmsmock.ledger.costs import Costs

        backend = self._backend
        return Costs(
            backend.calls,
            backend.key_lifetimes,
            backend.tariff.prices,
            backend.run_due_work,
            backend.find_payer,
        )

    def budget(self, *, requests: int | None = None, usd: Any = None) -> Budget:
        """Return a context manager that fails if the block exceeds a number of requests or costs.

        requests: the maximum number of KMS requests, including failed ones. usd: the maximum costs
        of the requests at list price, before the free tier, such as ``"0.01"``. At least one is
        required. Raises AssertionError at the end of the block, with the requests that were made,
        unless the block itself raises.
        """
        from kmsmock.ledger.budget import Budget

        return Budget(self._backend, requests=requests, usd=usd, name="this block")

    @property
    def trail(self) -> Trail:
        """The CloudTrail records of calls and of service events, such as automatic rotation."""
        from kmsmock.trail.configured_trails import Trails
        from kmsmock.trail.trail import Trail

        backend = self._backend
        backend.run_due_work()
        return Trail(backend.calls, backend.service_events, backend.service_state(Trails).values())

    @property
    def faults(self) -> Faults:
        """The faults that a test arms: throttling, errors, and failures of the network."""
        from kmsmock.activation.faults import Faults

        return Faults(self._responder, self._backend.faults, self.options["seed"])

    @property
    def quotas(self) -> Quotas:
        """The request quotas: how near the calls have come to them."""
        from kmsmock.activation.quotas import Quotas

        return Quotas(self._backend)

    @property
    def attestation(self) -> AttestationAuthority:
        """Creates attestation documents that this mock trusts, for the parameter ``Recipient``."""
        return self._backend.attestation

    @property
    def ebs(self) -> Ebs:
        """The contents of EBS volumes and snapshots, and the reasons why some have failed."""
        from kmsmock.services.ec2.answered.contents import Ebs

        return Ebs(self._backend)

    @property
    def rds(self) -> Rds:
        """The contents of RDS databases and snapshots, and the reasons why some have failed."""
        from kmsmock.services.rds.answered.contents import Rds

        return Rds(self._backend)

    def reset(self) -> None:
        """Restore the initial state: without records, with the keys and principals of the world.

        The world is that of the option ``world``; without one, there are no keys. Faults are
        disarmed.
        """
        self._clients.clear()
        self._responder.reset()

    def export(self, path: str | os.PathLike[str], *, material: bool = True) -> None:
        """Write the state, without records, to a file that `load` and ``world=`` read.

        path: of a JSON file, or of a YAML file with the extra ``yaml``; only its owner can read it.
        material: whether to write key material, secret access keys and the passwords of custom key
        stores. Without them, there are new ones when the file is loaded, and imported material must
        be imported again. Temporary credentials, import tokens and the data of other services are
        not written. Raises OSError.
        """
        from kmsmock.worlds.files import write_document
        from kmsmock.worlds.world import write_world

        write_document(write_world(self._backend, secrets=material), path)

    def load(self, world: str | os.PathLike[str] | Mapping[str, Any]) -> None:
        """Add the keys, principals and other items of a world; all of them, or nothing.

        world: the path of a file, or a mapping with the same content. Seed files of local-kms are
        read, too. Raises WorldError, a ValueError with the path of the wrong member, and OSError.
        """
        world = hide_secrets(world)  # also in the frames of a traceback
        self._responder.load(world)

    def checkpoint(self) -> Checkpoint:
        """Save the state: keys, aliases, grants, key stores, principals, clock and records."""
        return self._backend.checkpoint()

    def restore(self, checkpoint: Checkpoint) -> None:
        """Restore a saved state; a checkpoint can be restored several times.

        Raises ValueError for a checkpoint of another mock, TypeError.
        """
        with notifying(self, watchers.restoring, watchers.restored):
            self._backend.restore(checkpoint)

    # --- principals and clients ----------------------------------------------------------

    def account(self, account_id: str | Account | None = None) -> Account:
        """Return an AWS account. account_id: a string of 12 digits; None for a new account."""
        from kmsmock.accounts import Account

        if account_id is None:
            account_id = self._backend.new_account_id()
        named = account_id.id if isinstance(account_id, Account) else account_id
        return Account(named, self._backend.identities, self._clients)

    def principal(self, arn: str | Principal) -> Principal:
        """Return the principal with an ARN, or an AWS service by name.

        arn: of a user, role, role session or root user, or a name such as
        ``cloudtrail.amazonaws.com``. A user or role that does not exist is created, without
        policies; the explanation of a denied request then says so, and names the nearest one that
        exists. Raises ValueError for an ARN that no caller can have, TypeError.
        """
        from kmsmock.accounts import Principal

        if isinstance(arn, Principal):
            return arn
        identities = self._backend.identities
        is_known = isinstance(arn, str) and identities.names.get_unique_id(arn) is not None
        principal = identities.get_or_create(arn)
        entity = identities.entity_of(principal)
        if entity is not None and not is_known:
            entity.was_only_named = True
        return Principal(principal, identities, self._clients)

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
        """Evaluate whether a principal is allowed an action, without calling KMS.

        principal: one of this mock, or its ARN. action: such as ``kms:Decrypt``. key: a key id, key
        ARN, alias name or alias ARN, an object with an ``arn``, key metadata, or a response that
        names a key; None if the parameters name it (``KeyId``, ``CiphertextBlob`` …), or the action
        is not about a key. region: of the call, by default that of the mock; a key ARN has its own.
        encryption_context: name -> value.
        via_service: the service that calls on behalf of the principal, such as ``s3``, or the value
        of ``kms:ViaService``. context: further condition keys. parameters: of the call, as for
        boto3, if policies or grants depend on them; absent ones have their defaults. Raises
        ValueError for a principal, key, action or parameter that does not exist, for an action on a
        key that nothing names, and for names or encryption contexts that contradict each other;
        TypeError for values of a wrong type.
        """
        from kmsmock.analysis.explain import Question, explain_named

        return explain_named(
            self._backend,
            getattr(principal, "principal", principal),
            Question(
                action,
                region or self._backend.default_region,
                {} if parameters is None else parameters,
                encryption_context,
                {} if context is None else context,
            ),
            None if key is None else read_key_reference(key),
            via_service,
        )

    def least_privilege(self, principal: Principal | str) -> LeastPrivilege:
        """Return the smallest policies that allow the successful calls of a principal.

        principal: one of this mock, or its ARN; a role means all of its sessions. Print the result,
        or read ``.identity`` and ``.keys``. Raises ValueError for a principal that does not exist
        and has made no call, TypeError.
        """
        from kmsmock.analysis.least_privilege import least_privilege

        members = self.calls.read_filter(None, {"caller": principal}).members
        return least_privilege(members["caller"], self.calls)

    @contextmanager
    def request_context(self, keys: Mapping[str, str | list[str]]) -> Iterator[None]:
        """Set condition keys for all requests inside the block.

        keys: those that depend on the network or on sign-in, such as ``aws:SourceIp``,
        ``aws:SourceVpce`` or ``aws:MultiFactorAuthPresent``, with their values. Raises ValueError
        for a condition key that KMS does not have, TypeError for values of a wrong type.
        """
        from kmsmock.access.context import check_context_key
        from kmsmock.analysis.call_parameters import check_condition_values

        check_condition_values(keys, "keys")
        for name in keys:
            check_context_key(name)
        before = self._backend.request_context
        self._backend.request_context = {**before, **keys}
        try:
            yield
        finally:
            self._backend.request_context = before

    def import_material(
        self, key: Any, material: bytes | bytearray | memoryview, **parameters: Any
    ) -> Any:
        """Import key material into a key with origin EXTERNAL; return ImportKeyMaterial's response.

        key: as for `explain`. material: 32 bytes for SYMMETRIC_DEFAULT, the raw secret for HMAC
        keys, PKCS #8 DER for asymmetric keys. parameters: further parameters of ImportKeyMaterial;
        without ValidTo the material does not expire. The calls are made by the default principal,
        or by the administrator of the key's account. Raises TypeError for material that is not
        bytes, and botocore's ClientError.
        """
        from kmsmock.activation.material_import import import_material, read_material
        from kmsmock.aws.arns import Arn

        material = hide(material)  # also in the frames of a traceback
        material = read_material(material)

        named = read_key_reference(key)
        arn = Arn.parse(named)
        source: ClientSource = self
        if arn is not None and arn.account != self._backend.identities.defaults[-1].account:
            source = self.account(arn.account)
        client = source.client(region=None if arn is None else arn.region)
        return import_material(client, named, material, parameters)

    def key_store(self, store_id: str) -> CustomKeyStore:
        """Return a custom key store, to break it with ``.fail(error_code)``, or ``.heal()`` it.

        store_id: ``cks-…``. Raises ValueError if it does not exist.
        """
        stores: tuple[CustomKeyStore, ...]
        stores = self._backend.collect(attrgetter("custom_key_stores"))
        for store in stores:
            if store.store_id == store_id:
                return store
        known = [store.store_id for store in stores]
        raise ValueError(f"there is no custom key store {store_id!r}{suggest(store_id, known)}")

    def _client(self, service: str, region: str | None) -> Any:
        # Unknown credentials, which stand for the default principal at the time of the call.
        return self._clients.get(service, region)

    # --- active or not -------------------------------------------------------------------

    @property
    def is_active(self) -> bool:
        """Whether this mock answers clients, now or once inner mocks have ended."""
        return self._responder.is_active

    def pause(self) -> AbstractContextManager[None]:
        """Deactivate all mocks inside the block, so that calls are sent as without a mock."""
        return paused()


def _s(number: int) -> str:
    """Return the ending of a noun."""
    return "" if number == 1 else "s"


def new_mock(
    options: MockOptions, keywords: Mapping[str, Any], *, has_own_ordering: bool
) -> Responder:
    """Create a mock, with its control object as ``kms``.

    options: all options. keywords: those that were passed. has_own_ordering: whether they, or
    marks, say which consistency it has; otherwise the run of pytest decides.
    """
    responder = Responder(options, keywords, has_own_ordering=has_own_ordering)
    responder.kms = KMSMock(responder)
    return responder


def current() -> KMSMock:
    """Return the control object of the innermost active mock; raises RuntimeError without one."""
    mock = get_answering()
    if mock is None:
        raise RuntimeError(
            "no mock is active here: use the `kms` fixture, `@mock_kms`, or `with mock_kms():`"
        )
    return cast(KMSMock, mock.kms)
