"""Trails, and whether they log. ``kms.trail.write_files`` writes the log files that they deliver.

Source: AWS CloudTrail API Reference; User Guide, "Creating a trail".
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

from dateutil.tz import tzlocal

from kmsmock.aws.errors import UnsupportedOperationException
from kmsmock.services.cloudtrail import errors
from kmsmock.services.cloudtrail.answered.lookup import (
    arn_from,
    find_own_trail,
    find_trail,
    require_valid_name,
    trail_arn,
    trails_of,
)
from kmsmock.services.cloudtrail.answered.registry import operation
from kmsmock.services.cloudtrail.answered.tags import add_to_trail, read_tags
from kmsmock.services.cloudtrail.kms_use import require_usable_key
from kmsmock.services.registry import ServiceCall
from kmsmock.timing.dates import format_time
from kmsmock.trail.configured_trails import ConfiguredTrail
from kmsmock.trail.log_entries import list_entries

_MAX_TRAILS = 5
_MAX_PREFIX_CHARACTERS = 200
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
#: Parameter -> why it is not emulated.
_NOT_EMULATED = {
    "SnsTopicName": "notifications are not sent",
    "EnableLogFileValidation": "digest files are not written",
    "CloudWatchLogsLogGroupArn": "nothing is sent to CloudWatch Logs",
    "CloudWatchLogsRoleArn": "nothing is sent to CloudWatch Logs",
    "IsOrganizationTrail": "trails are those of single accounts",
}


@operation("CreateTrail", arn_from("Name"))
def create_trail(call: ServiceCall) -> dict[str, Any]:
    """Create a trail, which does not log until StartLogging."""
    parameters = call.parameters
    name = parameters["Name"]
    require_valid_name(name)
    _require_emulated(call)
    arn = trail_arn(call, name)
    trails = trails_of(call)
    if arn in trails:
        raise errors.TrailAlreadyExistsException(
            f"Trail {name} already exists for customer: {call.account}"
        )
    if sum(trail.arn.startswith(trail_arn(call, "")) for trail in trails.values()) >= _MAX_TRAILS:
        raise errors.MaximumNumberOfTrailsExceededException(
            f"User: {call.account} already has {_MAX_TRAILS} trails in {call.region}."
        )
    trail = ConfiguredTrail(name, arn, call.account, call.region, parameters["S3BucketName"])
    new_tags = read_tags(parameters.get("TagsList", ()))
    _configure(call, trail)
    add_to_trail(trail, new_tags)
    trails[arn] = trail
    _record_settings(call, trail)
    return _settings(trail)


@operation("UpdateTrail", arn_from("Name"))
def update_trail(call: ServiceCall) -> dict[str, Any]:
    """Change the settings of a trail that the request has."""
    _require_emulated(call)
    trail = find_own_trail(call, call.parameters["Name"])
    _configure(call, trail)
    _record_settings(call, trail)
    return _settings(trail)


@operation("DeleteTrail", arn_from("Name"))
def delete_trail(call: ServiceCall) -> None:
    """Delete a trail."""
    del trails_of(call)[find_own_trail(call, call.parameters["Name"]).arn]


@operation("DescribeTrails")
def describe_trails(call: ServiceCall) -> dict[str, Any]:
    """Describe trails of the Region, and multi-Region trails of other Regions (shadow trails).

    Names of trails that do not exist are ignored.
    """
    parameters = call.parameters
    with_shadow_trails = parameters.get("includeShadowTrails", True)
    names = parameters.get("trailNameList")
    trail_list = []
    for trail in trails_of(call).values():
        is_home = trail.home_region == call.region
        is_named = not names or trail.arn in names or (is_home and trail.name in names)
        is_here = is_home or (with_shadow_trails and trail.is_multi_region)
        if trail.account == call.account and is_here and is_named:
            trail_list.append(_describe_trail(trail))
    return {"trailList": trail_list}


@operation("GetTrail", arn_from("Name"))
def get_trail(call: ServiceCall) -> dict[str, Any]:
    """Describe a trail."""
    return {"Trail": _describe_trail(find_trail(call, call.parameters["Name"]))}


@operation("ListTrails")
def list_trails(call: ServiceCall) -> dict[str, Any]:
    """List the trails of the account in all Regions."""
    own = (trail for trail in trails_of(call).values() if trail.account == call.account)
    return {
        "Trails": [
            {"TrailARN": trail.arn, "Name": trail.name, "HomeRegion": trail.home_region}
            for trail in own
        ]
    }


@operation("StartLogging", arn_from("Name"))
def start_logging(call: ServiceCall) -> None:
    """Start the delivery of events by a trail, from now on."""
    trail = find_own_trail(call, call.parameters["Name"])
    trail.is_logging = True
    trail.started = call.now
    _record_settings(call, trail)


@operation("StopLogging", arn_from("Name"))
def stop_logging(call: ServiceCall) -> None:
    """Stop the delivery of events by a trail."""
    trail = find_own_trail(call, call.parameters["Name"])
    trail.is_logging = False
    trail.stopped = call.now
    _record_settings(call, trail)


@operation("GetTrailStatus", arn_from("Name"))
def get_trail_status(call: ServiceCall) -> dict[str, Any]:
    """Return whether a trail logs, when it was started and stopped, and when it last delivered."""
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
    """Raise UnsupportedOperationException for parameters that are not emulated."""
    for member, why in _NOT_EMULATED.items():
        if call.parameters.get(member):
            raise UnsupportedOperationException(
                f"{member} is not supported.",
                explanation=f"{member} is not emulated: {why}. moto's mock_aws accepts it.",
            )


def _configure(call: ServiceCall, trail: ConfiguredTrail) -> None:
    """Check all settings of a request, and then change the trail."""
    parameters = call.parameters
    bucket = parameters.get("S3BucketName", trail.bucket)
    if _BUCKET.fullmatch(bucket) is None or ".." in bucket:
        raise errors.InvalidS3BucketNameException(f"Bucket name is invalid: {bucket}")
    prefix = parameters.get("S3KeyPrefix", trail.prefix)
    if len(prefix) > _MAX_PREFIX_CHARACTERS:
        raise errors.InvalidS3PrefixException(
            f"S3 prefix is longer than maximum length: {_MAX_PREFIX_CHARACTERS}"
        )
    is_multi_region = parameters.get("IsMultiRegionTrail", trail.is_multi_region)
    includes_global = parameters.get("IncludeGlobalServiceEvents", trail.includes_global)
    if is_multi_region and not includes_global:
        raise errors.InvalidParameterCombinationException(
            "Multi-Region trail must include global service events."
        )
    key_id = trail.kms_key_id
    if "KmsKeyId" in parameters:
        key_id = require_usable_key(call, trail, bucket, parameters["KmsKeyId"])
    trail.bucket, trail.prefix, trail.kms_key_id = bucket, prefix, key_id
    trail.is_multi_region, trail.includes_global = is_multi_region, includes_global


def _record_settings(call: ServiceCall, trail: ConfiguredTrail) -> None:
    calls = call.backend.calls
    trail.record_settings(call.now, calls.made)


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


def _describe_trail(trail: ConfiguredTrail) -> dict[str, Any]:
    return {
        **_settings(trail),
        "HomeRegion": trail.home_region,
        "HasCustomEventSelectors": trail.has_custom_selectors,
        "HasInsightSelectors": False,
    }


def _latest_delivery(call: ServiceCall, trail: ConfiguredTrail) -> datetime | None:
    backend = call.backend
    records = list_entries(backend.calls, backend.service_events)
    return max((e.at for e in records if trail.delivers(e, e.make())), default=None)


def _local(time: datetime | None) -> datetime | None:
    """Return a time as botocore parses it from a response: in whole seconds, local time."""
    return None if time is None else time.replace(microsecond=0).astimezone(tzlocal())


def _text(time: datetime | None) -> str:
    return "" if time is None else format_time(time)
