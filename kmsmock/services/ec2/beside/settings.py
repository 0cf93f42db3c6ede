"""Encryption by default, and the default key.

Another mock does not know the keys that are here. So the default key is not left to it: these
operations are answered as they are without it, except that what the caller may do with EC2 is for
the other mock to decide.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from kmsmock.services.beside import BesideHandler, Steps
from kmsmock.services.ec2.answered import OPERATIONS as ANSWERED
from kmsmock.services.ec2.kms_use.state import settings_for
from kmsmock.services.registry import ServiceCall

_DEFAULT_KEY = ("GetEbsDefaultKmsKeyId", "ModifyEbsDefaultKmsKeyId", "ResetEbsDefaultKmsKeyId")
#: In place of a version of the other store.
_KNOWN = "known"
_BY_DEFAULT = ("Enable{}", "Disable{}", "Get{}")


def _answer(operation: str) -> BesideHandler:
    def answer(call: ServiceCall) -> Steps:
        return ANSWERED[operation](replace(call, is_answered=True))
        yield  # unreachable, but makes this function a generator

    return answer


def _take_setting(call: ServiceCall) -> Steps:
    answer = yield
    settings_for(call).encrypts_by_default = answer["EbsEncryptionByDefault"]
    call.backend.store_versions[_setting_of(call)] = _KNOWN


def read_setting(call: ServiceCall) -> None:
    """Take from the other mock whether it encrypts by default, unless that is known.

    Later changes are seen, since there is no other way than these operations.
    """
    name = _setting_of(call)
    if call.store is None or name in call.backend.store_versions:
        return
    answer = call.store.ask("ec2", "GetEbsEncryptionByDefault", {}, call.region)
    if isinstance(answer, Mapping):
        settings_for(call).encrypts_by_default = answer["EbsEncryptionByDefault"]
        call.backend.store_versions[name] = _KNOWN


def _setting_of(call: ServiceCall) -> tuple[str, str]:
    return "GetEbsEncryptionByDefault", call.arn("ec2", "settings")


OPERATIONS: dict[str, BesideHandler] = {
    **{name: _answer(name) for name in _DEFAULT_KEY},
    **{name.format("EbsEncryptionByDefault"): _take_setting for name in _BY_DEFAULT},
}
