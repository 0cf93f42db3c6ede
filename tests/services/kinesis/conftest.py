"""Moto stores, as for all services beside a store."""

from tests.services.beside.conftest import calls_by, collect_ignore_glob, key, kms, role

__all__ = ["calls_by", "collect_ignore_glob", "key", "kms", "role"]
