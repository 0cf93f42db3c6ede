"""Condition keys that every request has, and those that only tests can supply."""

from __future__ import annotations

from kmsmock.access.condition_keys.registry import declare
from kmsmock.access.facts import Facts
from kmsmock.aws.condition_keys import ValueType
from kmsmock.timing.dates import format_time


def _read_current_time(facts: Facts) -> str | None:
    return None if facts.now is None else format_time(facts.now)


def _read_epoch_time(facts: Facts) -> int | None:
    return None if facts.now is None else int(facts.now.timestamp())


def _read_nothing(facts: Facts) -> None:
    """Return None: the value depends on network or sign-in; tests set `kms.request_context`."""


declare("aws:CurrentTime", _read_current_time, value_type=ValueType.DATE)
declare("aws:EpochTime", _read_epoch_time, value_type=ValueType.DATE)
declare("aws:RequestedRegion", lambda facts: facts.region)
declare("aws:SecureTransport", lambda _: True, value_type=ValueType.BOOL)
declare("aws:UserAgent", lambda facts: facts.user_agent)
for _name in ("aws:SourceIp", "aws:VpcSourceIp", "aws:Ec2InstanceSourcePrivateIPv4"):
    declare(_name, _read_nothing, value_type=ValueType.IP_ADDRESS)
for _name in ("aws:SourceVpc", "aws:SourceVpce", "aws:Ec2InstanceSourceVpc", "aws:referer"):
    declare(_name, _read_nothing)
declare("aws:MultiFactorAuthAge", _read_nothing, value_type=ValueType.NUMERIC)
declare("aws:FederatedProvider", _read_nothing)
