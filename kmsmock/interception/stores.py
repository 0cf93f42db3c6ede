"""Whoever answers the requests of other services than KMS, and how it is asked what it stores."""

from __future__ import annotations

import functools
import sys
import threading
from collections.abc import Hashable, Mapping
from contextvars import ContextVar
from typing import Any
from urllib.parse import urlsplit

from botocore.config import Config
from botocore.credentials import ReadOnlyCredentials
from botocore.exceptions import ClientError
from botocore.session import Session

from kmsmock.aws.hosts import is_aws_host
from kmsmock.interception import moto_bridge
from kmsmock.process.environment import DUMMY
from kmsmock.process.moto import is_moto_active
from kmsmock.process.moto_changes import asking, changes, watch_moto

#: Held while clients are created.
_lock = threading.RLock()
#: The credentials of the request because of which a store is asked; None while none is.
_credentials: ContextVar[ReadOnlyCredentials | None] = ContextVar("kmsmock_asks", default=None)


def is_asking() -> bool:
    """Return whether the request at hand is one that asks a store."""
    return _credentials.get() is not None


class Store:
    """Whoever answers the requests of a client: moto in this process, or a server.

    endpoint: the URL of a server; None for moto. signer: botocore's RequestSigner of the client,
    with whose credentials the store is asked.
    """

    def __init__(self, endpoint: str | None, signer: Any) -> None:
        self._endpoint = endpoint
        self._signer = signer
        is_counted = endpoint is None and changes.is_watched
        #: Changes when the store has removed all that it stored.
        self.epoch: Hashable = changes.resets if is_counted else None
        self._unique: object = None if is_counted else object()
        #: The account in which moto stores all that is of no account that it knows.
        self.default_account: str | None = None
        if endpoint is None:
            self.default_account = sys.modules["moto.core.models"].DEFAULT_ACCOUNT_ID

    def __deepcopy__(self, _: Any) -> Store:
        return self  # botocore copies the context of requests

    def __reduce__(self) -> tuple[Any, ...]:
        return type(None), ()  # It is no part of checkpoints: a later request has its own.

    @property
    def version(self) -> Hashable:
        """What the store said at the same version still holds.

        It changes with each request that may have changed what encrypts a resource. Each request to
        a store whose changes are not known, such as a server, has a version of its own.
        """
        return self._unique or (changes.resets, changes.requests)

    def ask(
        self, service: str, operation: str, parameters: Mapping[str, Any], region: str
    ) -> Mapping[str, Any] | str | None:
        """Ask the store, with the credentials of the request at hand.

        service, operation: as botocore names them. Returns the answer, or the code of the error
        with which it refuses; None if it does not answer.
        """
        moto = "moto.core.models" if is_moto_active() else None
        with asking():
            token = _credentials.set(_read_credentials(self._signer))
            try:
                client = _create_client(service, region, self._endpoint, moto)
                answer: Mapping[str, Any] = client._make_api_call(operation, dict(parameters))  # noqa: SLF001 - the methods have other names
            except ClientError as error:
                code: str = error.response.get("Error", {}).get("Code", "")
                return code
            except Exception:  # noqa: BLE001 - a store that cannot tell is as one that cannot be asked
                return None
            finally:
                _credentials.reset(token)
        return answer


def find_store(service: str, url: str, bucket: str | None, signer: Any) -> Store | None:
    """Return whoever will answer a request; None if it cannot be asked.

    Neither AWS itself nor what answers single clients, such as botocore's Stubber, is asked.
    service: as boto3 names it. url: of the request. bucket: that it names, which may be part of the
    host. signer: botocore's RequestSigner.
    """
    parts = urlsplit(url)
    if not is_aws_host(parts.hostname or ""):
        host = parts.netloc
        if service == "s3" and bucket is not None:
            host = host.removeprefix(f"{bucket}.")
        return Store(f"{parts.scheme}://{host}", signer)
    if not is_moto_active():
        return None
    watch_moto()
    moto_bridge.install()
    return Store(None, signer)


class _Borrowed:
    """The credentials of the request because of which a store is asked."""

    def get_frozen_credentials(self) -> ReadOnlyCredentials | None:
        """Return them, as botocore's signers ask for them."""
        return _credentials.get()


def _read_credentials(signer: Any) -> ReadOnlyCredentials:
    """Return the credentials of a client, without a refresh of those that can be refreshed."""
    credentials = signer._credentials  # noqa: SLF001 - there is no public attribute
    members = {} if credentials is None else vars(credentials)
    key, secret, token = (
        members.get(name) or members.get(f"_{name}")
        for name in ("access_key", "secret_key", "token")
    )
    return ReadOnlyCredentials(key or DUMMY, secret or DUMMY, token)


@functools.lru_cache(maxsize=64)
def _create_client(service: str, region: str, endpoint: str | None, moto: str | None) -> Any:
    """Create a client that asks. moto: differs by whether moto answers, since its clients do."""
    config = Config(
        retries={"max_attempts": 0},
        connect_timeout=2,
        read_timeout=10,
        s3={"addressing_style": "path"},
    )
    with _lock:
        client: Any = _session(moto).create_client(
            service, region_name=region, endpoint_url=endpoint, config=config
        )
    client._request_signer._credentials = _Borrowed()  # noqa: SLF001 - there is no public attribute
    return client


@functools.lru_cache(maxsize=2)
def _session(moto: str | None) -> Session:  # noqa: ARG001 - a session that predates moto lacks it
    return Session()
