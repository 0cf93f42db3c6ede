"""Moto stores, as for all services beside a store."""

from tests.services.beside.conftest import collect_ignore_glob, key, kms, made, role

__all__ = ["collect_ignore_glob", "key", "kms", "made", "role"]
