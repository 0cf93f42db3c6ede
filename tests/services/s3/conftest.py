"""Moto stores, as for all services beside a store."""

from tests.services.beside.conftest import (
    collect_ignore_glob,
    key,
    kms,
    made,
    put_object,
    role,
    s3,
    set_default,
)

__all__ = ["collect_ignore_glob", "key", "kms", "made", "put_object", "role", "s3", "set_default"]
