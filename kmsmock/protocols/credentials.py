"""The access keys of HTTP requests: those of the mock, and others."""

from __future__ import annotations

import re

from kmsmock.aws.regions import partition_of
from kmsmock.identities.credentials import UnknownCredentialsError
from kmsmock.protocols.scope import SignatureScope
from kmsmock.state.backend import Backend

_ACCOUNT = re.compile(r"[0-9]{12}")


def find_access_key(backend: Backend, scope: SignatureScope, *, is_strict: bool) -> str:
    """Return the access key of the caller of a signed request.

    An access key that is the id of an account stands for the administrator of the account, as in
    other emulators of AWS. is_strict: whether the mock must have issued it. Raises
    UnknownCredentialsError.
    """
    access_key, identities = scope.access_key, backend.identities
    if identities.credentials.has_issued(access_key):
        return access_key
    if is_strict:
        raise UnknownCredentialsError(access_key)
    if _ACCOUNT.fullmatch(access_key) is None:
        return access_key
    with backend.lock:
        administrator = identities.administrator_of(access_key, partition_of(scope.region))
        return identities.credentials.of(administrator).access_key
