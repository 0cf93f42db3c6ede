"""Trails, and whether they log. What they deliver is written by ``kms.trail.write_files``.

Source: AWS CloudTrail API Reference; User Guide, "Creating a trail".
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

from dateutil.tz import tzlocal

from kmsmock.aws.errors import UnsupportedOperationException
from kmsmock.services.cloudtrail import errors
from kmsmock.services.cloudtrail.answered import tags
from kmsmock.services.cloudtrail.answered.finding import (
    find_own_trail,
    find_trail,
    named,
    require_good_name,
    trail_arn,
    trails,
)
from kmsmock.services.cloudtrail.answered.registry import operation
from kmsmock.services.cloudtrail.kms_use import usable_key
from kmsmock.services.registry import ServiceCall
from kmsmock.trail.configured import ConfiguredTrail
from kmsmock.trail.entries import entries
from kmsmock.trail.members import time

_MOST_TRAILS = 5
_LONGEST_PREFIX = 200
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
#: Parameter -> what it would need that is not emulated.
_NOT_EMULATED = {
    "SnsTopicName": "notifications are not sent",
    "EnableLogFileValidation": "digest files are not written",
    "CloudWatchLogsLogGroupArn": "nothing is sent to CloudWatch Logs",
    "CloudWatchLogsRoleArn": "nothing is sent to CloudWatch Logs",
    "IsOrganizationTrail": "trails are those of single accounts",
}


@operation("CreateTrail", named("Name"))
def create_trail(call: ServiceCall) -> dict[str, Any]:
    """Make a trail, which does not log yet."""
    parameters = call.parameters
    name = parameters["Name"]
    require_good_name(name)
    _require_emulated(call)
    arn = trail_arn(call, name)
    known = trails(call)
    if arn in known:
        raise errors.TrailAlreadyExistsException(
            f"Trail {name} already exists for customer: {call.account}"
        )
    if sum(trail.arn.startswith(trail_arn(call, "")) for trail in known.values()) >= _MOST_TRAILS:
        raise errors.MaximumNumberOfTrailsExceededException(
            f"User: {call.account} already has {_MOST_TRAILS} trails in {call.region}."
        )
    trail = ConfiguredTrail(name, arn, call.account, call.region, parameters["S3BucketName"])
    given = tags.read(parameters.get("TagsList", ()))
    _configure(call, trail)
    tags.add(trail, given)
    known[arn] = trail
    _settle(call, trail)
    return _settings(trail)


@operation("UpdateTrail", named("Name"))
def update_trail(call: ServiceCall) -> dict[str, Any]:
    """Change the settings that are given."""
    _require_emulated(call)
    trail = find_own_trail(call, call.parameters["Name"])
    _configure(call, trail)
    _settle(call, trail)
    return _settings(trail)


@operation("DeleteTrail", named("Name"))
def delete_trail(call: ServiceCall) -> None:
    """Take a trail away."""
    del trails(call)[find_own_trail(call, call.parameters["Name"]).arn]


@operation("DescribeTrails")
def describe_trails(call: ServiceCall) -> dict[str, Any]:
    """Show trails of the Region, with those of other Regions that log in all of them.

    Names that there are not are left out.
    """
    parameters = call.parameters
    shows_shadows = parameters.get("includeShadowTrails", True)
    names = parameters.get("trailNameList")
    shown = []
    for trail in trails(call).values():
        is_home = trail.home_region == call.region
        is_named = not names or trail.arn in names or (is_home and trail.name in names)
        is_here = is_home or (shows_shadows and trail.is_multi_region)
        if trail.account == call.account and is_here and is_named:
            shown.append(_description(trail))
    return {"trailList": shown}


@operation("GetTrail", named("Name"))
def get_trail(call: ServiceCall) -> dict[str, Any]:
    """Show one trail."""
    return {"Trail": _description(find_trail(call, call.parameters["Name"]))}


@operation("ListTrails")
def list_trails(call: ServiceCall) -> dict[str, Any]:
    """List the trails of the account in all Regions."""
    own = (trail for trail in trails(call).values() if trail.account == call.account)
    return {
        "Trails": [
            {"TrailARN": trail.arn, "Name": trail.name, "HomeRegion": trail.home_region}
            for trail in own
        ]
    }


@operation("StartLogging", named("Name"))
def start_logging(call: ServiceCall) -> None:
    """Let a trail deliver what happens from now on."""
    trail = find_own_trail(call, call.parameters["Name"])
    trail.is_logging = True
    trail.started = call.now
    _settle(call, trail)


@operation("StopLogging", named("Name"))
def stop_logging(call: ServiceCall) -> None:
    """Let a trail deliver nothing from now on."""
    trail = find_own_trail(call, call.parameters["Name"])
    trail.is_logging = False
    trail.stopped = call.now
    _settle(call, trail)


@operation("GetTrailStatus", named("Name"))
def get_trail_status(call: ServiceCall) -> dict[str, Any]:
    """Return whether a trail logs, since when, and when it delivered last."""
    trail = find_trail(call, call.parameters["Name"])
    delivered = _latest_delivery(call, trail)
    status: dict[str, Any] = {
        "IsLogging": trail.is_logging,
        "LatestDeliveryTime": _local(delivered),
        "StartLoggingTime": _local(trail.started),
        "StopLoggingTime": _local(trail.stopped),
        "LatestDeliveryAttemptTime": _text(delivered),
        "LatestNotificationAttemptTime": "",
        "LatestNotificationAttemptSucceeded": "",
        "LatestDeliveryAttemptSucceeded": _text(delivered),
        "TimeLoggingStarted": _text(trail.started),
        "TimeLoggingStopped": _text(trail.stopped),
    }
    return {name: value for name, value in status.items() if value is not None}


def _require_emulated(call: ServiceCall) -> None:
    """Raise UnsupportedOperationException for what would be ignored."""
    for member, why in _NOT_EMULATED.items():
        if call.parameters.get(member):
            raise UnsupportedOperationException(
                f"{member} is not supported.",
                explanation=f"{member} is not emulated: {why}. moto's mock_aws accepts it.",
            )


def _configure(call: ServiceCall, trail: ConfiguredTrail) -> None:
    """Check all settings that are given, then set them."""
    parameters = call.parameters
    bucket = parameters.get("S3BucketName", trail.bucket)
    if _BUCKET.fullmatch(bucket) is None or ".." in bucket:
        raise errors.InvalidS3BucketNameException(f"Bucket name is invalid: {bucket}")
    prefix = parameters.get("S3KeyPrefix", trail.prefix)
    if len(prefix) > _LONGEST_PREFIX:
        raise errors.InvalidS3PrefixException(
            f"S3 prefix is longer than maximum length: {_LONGEST_PREFIX}"
        )
    is_multi_region = parameters.get("IsMultiRegionTrail", trail.is_multi_region)
    includes_global = parameters.get("IncludeGlobalServiceEvents", trail.includes_global)
    if is_multi_region and not includes_global:
        raise errors.InvalidParameterCombinationException(
            "Multi-Region trail must include global service events."
        )
    key_id = trail.kms_key_id
    if "KmsKeyId" in parameters:
        key_id = usable_key(call, trail, bucket, parameters["KmsKeyId"])
    trail.bucket, trail.prefix, trail.kms_key_id = bucket, prefix, key_id
    trail.is_multi_region, trail.includes_global = is_multi_region, includes_global


def _settle(call: ServiceCall, trail: ConfiguredTrail) -> None:
    calls = call.backend.calls
    trail.settle(call.now, calls.made)


def _settings(trail: ConfiguredTrail) -> dict[str, Any]:
    settings = {
        "Name": trail.name,
        "S3BucketName": trail.bucket,
        "S3KeyPrefix": trail.prefix or None,
        "IncludeGlobalServiceEvents": trail.includes_global,
        "IsMultiRegionTrail": trail.is_multi_region,
        "TrailARN": trail.arn,
        "LogFileValidationEnabled": False,
        "KmsKeyId": trail.kms_key_id,
        "IsOrganizationTrail": False,
    }
    return {name: value for name, value in settings.items() if value is not None}


def _description(trail: ConfiguredTrail) -> dict[str, Any]:
    return {
        **_settings(trail),
        "HomeRegion": trail.home_region,
        "HasCustomEventSelectors": trail.has_custom_selectors,
        "HasInsightSelectors": False,
    }


def _latest_delivery(call: ServiceCall, trail: ConfiguredTrail) -> datetime | None:
    backend = call.backend
    records = entries(backend.calls, backend.service_events)
    return max((e.at for e in records if trail.delivers(e, e.make())), default=None)


def _local(moment: datetime | None) -> datetime | None:
    return None if moment is None else moment.replace(microsecond=0).astimezone(tzlocal())


def _text(moment: datetime | None) -> str:
    return "" if moment is None else time(moment)
