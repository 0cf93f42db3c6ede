"""Grants that services need for what was stored unrecorded, such as before the mock was active.

As data keys of such resources, they are made without a call to KMS when the mock first learns of
the resource: what encrypted it has called KMS then.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from kmsmock.authorization.grants import Grant, GrantConstraints, GrantTerms
from kmsmock.keys.key import Key
from kmsmock.state.backend import Backend


def add_grant(
    backend: Backend,
    key: Key,
    account: str,
    *,
    grantee: str,
    retiring: str,
    operations: Sequence[str],
    context: Mapping[str, str],
) -> str:
    """Add a grant to a key; return its id.

    account: of the resource. grantee, retiring: service principals, or ARNs. context: that the
    encryption context of requests must contain.
    """
    region = backend.region(key.account, key.region_name)
    grant = Grant(
        backend.entropy(32).hex(),
        key.arn,
        key.key_id,
        GrantTerms(
            tuple(operations),
            grantee_principal=grantee,
            retiring_principal=retiring,
            constraints=GrantConstraints(subset=dict(context)),
        ),
        account,
        backend.clock.now().replace(microsecond=0),
        region.next_sequence(),
    )
    region.add_grant(grant, backend.new_grant_token())
    return grant.grant_id
