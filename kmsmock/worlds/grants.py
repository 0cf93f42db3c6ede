"""Write and load grants of a world, with their grant tokens."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any

from kmsmock.authorization.grants import Grant, GrantConstraints, GrantTerms
from kmsmock.aws.arns import Arn, name_account_by_root
from kmsmock.operations.grant_terms import require_principal_arn, require_valid_terms
from kmsmock.state.backend import Backend
from kmsmock.worlds.errors import WorldError
from kmsmock.worlds.keys import KeyLoader, account_id, find_key
from kmsmock.worlds.reading import Object, list_of, text, texts, time
from kmsmock.worlds.writing import without_none, write_ids, write_time


def write_grant(grant: Grant, backend: Backend) -> dict[str, Any]:
    """Return a grant as an object of a document."""
    terms = grant.terms
    return without_none(
        {
            "id": grant.grant_id,
            "key": grant.key_arn,
            "name": terms.name,
            "grantee": terms.grantee_principal,
            "grantee_service": terms.grantee_service_principal,
            "retiring": terms.retiring_principal,
            "retiring_service": terms.retiring_service_principal,
            "principal_ids": write_ids(terms.unique_ids, _current_ids(backend, terms)),
            "operations": list(terms.operations),
            "constraints": _write_constraints(terms.constraints),
            "issuing_account": grant.issuing_account,
            "created": write_time(grant.creation_date),
            "tokens": list(grant.tokens),
        }
    )


def _write_constraints(constraints: GrantConstraints | None) -> dict[str, Any] | None:
    return (
        None
        if constraints is None
        else without_none(
            {
                "equals": None if constraints.equals is None else dict(constraints.equals),
                "subset": None if constraints.subset is None else dict(constraints.subset),
                "source_arn": constraints.source_arn,
            }
        )
    )


def _current_ids(backend: Backend, terms: GrantTerms) -> dict[str, str]:
    """Return ARN -> current unique id of the principals that a grant names."""
    get_id = backend.identities.names.get_unique_id
    names = (terms.grantee_principal, terms.retiring_principal)
    return {name: known for name in names if name and (known := get_id(name))}


def load_grant(value: Any, backend: Backend, keys: KeyLoader, now: datetime) -> None:
    """Load a grant. Raises WorldError, also for terms that KMS would reject."""
    item = Object(value)
    key_region = keys.region_of(item)
    key = item.require("key", lambda value: find_key(backend, value, key_region))
    region = backend.region(key.account, key.region_name)
    ids = item.get("principal_ids", texts)
    read_principal = partial(_principal, partition=region.partition)
    read_retirer = partial(_retiring_principal, partition=region.partition)
    terms = GrantTerms(
        tuple(dict.fromkeys(item.require("operations", list_of(text)))),
        item.get("grantee", read_principal),
        item.get("grantee_service", text),
        item.get("retiring", read_retirer),
        item.get("retiring_service", text),
        item.get("constraints", _constraints),
        item.get("name", text),
    )
    terms = replace(terms, unique_ids=_current_ids(backend, terms) if ids is None else ids)
    require_valid_terms(key, terms)
    grant = Grant(
        item.get("id", text) or backend.entropy(32).hex(),
        key.arn,
        key.key_id,
        terms,
        item.get("issuing_account", account_id) or key.account,
        item.get("created", time) or now.replace(microsecond=0),
        region.next_sequence(),
    )
    if grant.grant_id in region.grants:
        raise WorldError(f"there is a grant {grant.grant_id}")
    tokens = item.each("tokens", text)
    item.end()
    region.add_grant(grant, *tokens)


def _principal(value: Any, partition: str) -> str:
    """Read a principal, of which an account id becomes the ARN of the account's root user."""
    require_principal_arn(text(value))
    return name_account_by_root(value, partition)


def _retiring_principal(value: Any, partition: str) -> str:
    """Read a retiring principal: an ARN; in grants that AWS services create, a service name."""
    is_service = Arn.parse(text(value)) is None and value.endswith(".amazonaws.com")
    return str(value) if is_service else _principal(value, partition)


def _constraints(value: Any) -> GrantConstraints:
    item = Object(value)
    constraints = GrantConstraints(
        item.get("equals", texts), item.get("subset", texts), item.get("source_arn", text)
    )
    item.end()
    return constraints
