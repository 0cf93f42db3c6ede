"""Grants in a document, with their tokens."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from kmsmock.authorization.grants import Grant, GrantConstraints, GrantTerms
from kmsmock.operations.grant_terms import require_principal_arn, require_valid_terms
from kmsmock.state.backend import Backend
from kmsmock.worlds.errors import WorldError
from kmsmock.worlds.keys import KeyLoader, account_id, find_key
from kmsmock.worlds.reading import Object, list_of, text, texts, time
from kmsmock.worlds.writing import shown_time, told, written_ids


def written_grant(grant: Grant, backend: Backend) -> dict[str, Any]:
    """Write a grant."""
    terms = grant.terms
    return told(
        {
            "id": grant.grant_id,
            "key": grant.key_arn,
            "name": terms.name,
            "grantee": terms.grantee_principal,
            "grantee_service": terms.grantee_service_principal,
            "retiring": terms.retiring_principal,
            "retiring_service": terms.retiring_service_principal,
            "principal_ids": written_ids(terms.unique_ids, _ids_today(backend, terms)),
            "operations": list(terms.operations),
            "constraints": _written_constraints(terms.constraints),
            "issuing_account": grant.issuing_account,
            "created": shown_time(grant.creation_date),
            "tokens": list(grant.tokens),
        }
    )


def _written_constraints(constraints: GrantConstraints | None) -> dict[str, Any] | None:
    return (
        None
        if constraints is None
        else told(
            {
                "equals": None if constraints.equals is None else dict(constraints.equals),
                "subset": None if constraints.subset is None else dict(constraints.subset),
                "source_arn": constraints.source_arn,
            }
        )
    )


def _ids_today(backend: Backend, terms: GrantTerms) -> dict[str, str]:
    """Give the unique ids of those whom a grant names, by ARN."""
    found = backend.identities.names.unique_id_behind
    names = (terms.grantee_principal, terms.retiring_principal)
    return {name: known for name in names if name and (known := found(name))}


def load_grant(value: Any, backend: Backend, keys: KeyLoader, now: datetime) -> None:
    """Make a grant. Raises WorldError, also for what KMS would not have."""
    item = Object(value)
    there = keys.place(item)
    key = item.need("key", lambda given: find_key(backend, given, there))
    region = backend.region(key.account, key.region_name)
    ids = item.get("principal_ids", texts)
    terms = GrantTerms(
        tuple(dict.fromkeys(item.need("operations", list_of(text)))),
        item.get("grantee", _principal),
        item.get("grantee_service", text),
        item.get("retiring", _principal),
        item.get("retiring_service", text),
        item.get("constraints", _constraints),
        item.get("name", text),
    )
    terms = replace(terms, unique_ids=_ids_today(backend, terms) if ids is None else ids)
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


def _principal(value: Any) -> str:
    require_principal_arn(text(value))
    return str(value)


def _constraints(value: Any) -> GrantConstraints:
    item = Object(value)
    found = GrantConstraints(
        item.get("equals", texts), item.get("subset", texts), item.get("source_arn", text)
    )
    item.end()
    return found
