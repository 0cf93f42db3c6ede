"""Stacks of moto's CloudFormation make their keys and aliases in the KMS of the mock.

Source: AWS CloudFormation Template Reference, "AWS::KMS::Key", "AWS::KMS::ReplicaKey",
"AWS::KMS::Alias".
"""

from __future__ import annotations

import functools
import json
import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

from kmsmock.aws.arns import Arn
from kmsmock.interception.moto_kms import Bridge, to_moto_alias, to_moto_key
from kmsmock.interception.moto_properties import Properties, read_properties, refusal
from kmsmock.keys.key import Key
from kmsmock.keys.states import KeyState
from kmsmock.process.active_mocks import get_own

#: Properties of a key that an update cannot change.
_FIXED = ("KeySpec", "KeyUsage", "MultiRegion", "Origin")
#: Where the objects of stacks have their properties.
_PROPERTIES = "kmsmock_properties"
#: The classes that were added to moto's, by name; it has only weak references to them.
_classes: dict[str, Any] = {}


def install() -> None:
    """Replace what creates, updates and deletes resources of KMS for stacks."""
    models = import_module("moto.kms.models")
    base: Any = import_module("moto.core.common_models").CloudFormationModel
    _replace(models.Key, _KEY)
    models.Key.has_cfn_attr = classmethod(lambda _, name: name in ("Arn", "KeyId"))
    models.Key.get_cfn_attribute = _get_attribute
    _add_class(base, "ReplicaKey", _REPLICA)
    if hasattr(models, "Alias"):
        _replace(models.Alias, _ALIAS)
    else:  # before moto 5.1.19
        _add_class(base, "Alias", _ALIAS)
    # Its import takes seconds; what is imported later finds the classes.
    parsing = sys.modules.get("moto.cloudformation.parsing")
    for cached in ("get_model_list", "get_model_map", "get_name_type_map") if parsing else ():
        getattr(parsing, cached).cache_clear()


def _replace(cls: Any, methods: Mapping[str, Callable[..., Any]]) -> None:
    """Replace methods of a class of moto."""
    for name, method in methods.items():
        original = getattr(cls, name)
        if name == "delete":
            setattr(cls, name, _bridge_deletion(original, method))
        else:
            setattr(cls, name, classmethod(_bridge(original.__func__, method)))


def _add_class(base: Any, name: str, methods: Mapping[str, Callable[..., Any]]) -> None:
    """Add the class of a type of resources that moto lacks."""
    members = {
        "__module__": "moto.kms.models",
        "cloudformation_type": staticmethod(lambda: f"AWS::KMS::{name}"),
        "cloudformation_name_type": staticmethod(lambda: ""),
        "has_cfn_attr": classmethod(
            lambda _, attribute: name == "ReplicaKey" and attribute in ("Arn", "KeyId")
        ),
        "physical_resource_id": property(lambda alias: alias.alias_name),
    }
    refuse = functools.partial(_refuse_type, name)
    for operation, method in methods.items():
        if operation == "delete":
            members[operation] = _bridge_deletion(refuse, method)
        else:
            members[operation] = classmethod(_bridge(refuse, method))
    _classes[name] = type(name, (base,), members)


def _refuse_type(name: str, *_: Any, **__: Any) -> None:
    raise refusal(f"Template format error: Unrecognized resource types: [AWS::KMS::{name}]")


def _bridge(original: Callable[..., Any], method: Callable[..., Any]) -> Callable[..., Any]:
    """Return a class method that uses the mock while one answers."""

    @functools.wraps(original, updated=())
    def bridged(cls: Any, *args: Any, **kwargs: Any) -> Any:
        if get_own() is not None:
            return method(*args, **kwargs)
        if is_abstract:  # moto does nothing then
            return kwargs.get("original_resource")
        return original(cls, *args, **kwargs)

    is_abstract = getattr(original, "__isabstractmethod__", False)  # moto skips updates by it
    return bridged


def _bridge_deletion(
    original: Callable[..., Any], method: Callable[..., Any]
) -> Callable[..., Any]:
    @functools.wraps(original)
    def delete(resource: Any, account_id: str, region_name: str) -> None:
        if get_own() is None:
            original(resource, account_id, region_name)
        else:
            method(resource, account_id, region_name)

    return delete


def _open(account_id: str, region_name: str) -> Bridge:
    mock = get_own()
    assert mock is not None
    backends = import_module("moto.kms.models").kms_backends
    return Bridge(mock, backends[account_id][region_name])


def _call(bridge: Bridge, operation: str, region: str | None = None, /, **parameters: Any) -> Any:
    """Call KMS; raises its error as CloudFormation's."""
    refused: Any = import_module("moto.core.exceptions").JsonRESTError
    try:
        return bridge.call(operation, region, **parameters)
    except refused as error:
        raise refusal(f"{error.error_type}: {error.message}") from None


# --- AWS::KMS::Key -------------------------------------------------------------------------------


def _create_key(
    _: str, cloudformation_json: Any, account_id: str, region_name: str, **__: Any
) -> Any:
    bridge, properties = _open(account_id, region_name), read_properties(cloudformation_json)
    members = ("KeySpec", "KeyUsage", "Origin", "Description")
    parameters = {name: properties[name] for name in members if name in properties}
    if "MultiRegion" in properties:
        parameters["MultiRegion"] = properties["MultiRegion"]
    parameters |= _shared_parameters(properties)
    metadata = _call(bridge, "CreateKey", **parameters)["KeyMetadata"]
    key_id = metadata["KeyId"]
    if properties.get("EnableKeyRotation", False):
        _enable_rotation(bridge, key_id, properties)
    if not properties.get("Enabled", True):
        _call(bridge, "DisableKey", KeyId=key_id)
    return _show(bridge, metadata["Arn"], properties)


def _update_key(
    original_resource: Any,
    new_resource_name: str,  # noqa: ARG001 - moto's parameters
    cloudformation_json: Any,
    account_id: str,
    region_name: str,
) -> Any:
    bridge, properties = _open(account_id, region_name), read_properties(cloudformation_json)
    before: Properties = vars(original_resource).get(_PROPERTIES, {})
    changed = [name for name in _FIXED if before.get(name) != properties.get(name)]
    if changed:
        raise refusal(f"You cannot change {', '.join(changed)} of an existing KMS key")
    key_id = original_resource.id
    _update_state(bridge, key_id, before, properties, is_last=False)
    rotates = properties.get("EnableKeyRotation", False)
    rotation = ("EnableKeyRotation", "RotationPeriodInDays")
    if any(before.get(name) != properties.get(name) for name in rotation):
        if rotates:
            _enable_rotation(bridge, key_id, properties)
        else:
            _call(bridge, "DisableKeyRotation", KeyId=key_id)
    _update_shared(bridge, key_id, before, properties)
    _update_state(bridge, key_id, before, properties, is_last=True)
    return _show(bridge, original_resource.arn, properties)


def _delete_key(resource: Any, account_id: str, region_name: str) -> None:
    bridge, properties = _open(account_id, region_name), vars(resource).get(_PROPERTIES, {})
    key = bridge.find(resource.arn)
    if key is None or key.is_pending_deletion:
        return
    window = properties.get("PendingWindowInDays", 30)
    _call(bridge, "ScheduleKeyDeletion", KeyId=resource.id, PendingWindowInDays=window)


def _enable_rotation(bridge: Bridge, key_id: str, properties: Properties) -> None:
    period = properties.get("RotationPeriodInDays")
    parameters = {} if period is None else {"RotationPeriodInDays": period}
    _call(bridge, "EnableKeyRotation", KeyId=key_id, **parameters)


def _shared_parameters(properties: Properties) -> dict[str, Any]:
    """Return the parameters that CreateKey and ReplicateKey have for properties of a key."""
    parameters: dict[str, Any] = {}
    if "KeyPolicy" in properties:
        parameters["Policy"] = _to_text(properties["KeyPolicy"])
    if properties.get("BypassPolicyLockoutSafetyCheck", False):
        parameters["BypassPolicyLockoutSafetyCheck"] = True
    tags = _to_tags(properties)
    if tags:
        parameters["Tags"] = [{"TagKey": n, "TagValue": value} for n, value in tags.items()]
    return parameters


def _update_shared(bridge: Bridge, key_id: str, before: Properties, now: Properties) -> None:
    """Update what keys and replica keys have in common."""
    if before.get("KeyPolicy") != now.get("KeyPolicy") and "KeyPolicy" in now:
        bypass = now.get("BypassPolicyLockoutSafetyCheck", False)
        parameters = {"BypassPolicyLockoutSafetyCheck": True} if bypass else {}
        _call(bridge, "PutKeyPolicy", KeyId=key_id, Policy=_to_text(now["KeyPolicy"]), **parameters)
    if before.get("Description", "") != now.get("Description", ""):
        description = now.get("Description", "")
        _call(bridge, "UpdateKeyDescription", KeyId=key_id, Description=description)
    old, new = _to_tags(before), _to_tags(now)
    removed = [name for name in old if name not in new]
    if removed:
        _call(bridge, "UntagResource", KeyId=key_id, TagKeys=removed)
    changed = [
        {"TagKey": name, "TagValue": value} for name, value in new.items() if old.get(name) != value
    ]
    if changed:
        _call(bridge, "TagResource", KeyId=key_id, Tags=changed)


def _update_state(
    bridge: Bridge, key_id: str, before: Properties, now: Properties, *, is_last: bool
) -> None:
    """Enable a key before all other changes, or disable it after them.

    A disabled key refuses some changes. is_last: whether the others are made.
    """
    is_enabled, was_enabled = (each.get("Enabled", True) for each in (now, before))
    if is_enabled and not was_enabled and not is_last:
        _call(bridge, "EnableKey", KeyId=key_id)
    if was_enabled and not is_enabled and is_last:
        _call(bridge, "DisableKey", KeyId=key_id)


def _show(bridge: Bridge, arn: str, properties: Properties) -> Any:
    """Return the object that stands for a key in a stack."""
    key = bridge.find(arn)
    assert isinstance(key, Key)
    made = to_moto_key(key)
    vars(made)[_PROPERTIES] = dict(properties)
    return made


def _get_attribute(resource: Any, name: str) -> str:
    if name in ("Arn", "KeyId"):
        return str(resource.arn if name == "Arn" else resource.id)
    error: Any = import_module("moto.cloudformation.exceptions").UnformattedGetAttTemplateException
    raise error


# --- AWS::KMS::ReplicaKey ------------------------------------------------------------------------


def _create_replica(
    _: str, cloudformation_json: Any, account_id: str, region_name: str, **__: Any
) -> Any:
    bridge, properties = _open(account_id, region_name), read_properties(cloudformation_json)
    primary = properties.get("PrimaryKeyArn", "")
    arn = Arn.parse(primary)
    parameters = _shared_parameters(properties)
    if "Description" in properties:
        parameters["Description"] = properties["Description"]
    metadata = _call(
        bridge,
        "ReplicateKey",
        region_name if arn is None else arn.region,
        KeyId=primary,
        ReplicaRegion=region_name,
        **parameters,
    )["ReplicaKeyMetadata"]
    if not properties.get("Enabled", True):
        _finish_creation(bridge, metadata["Arn"])
        _call(bridge, "DisableKey", KeyId=metadata["KeyId"])
    return _show(bridge, metadata["Arn"], properties)


def _finish_creation(bridge: Bridge, arn: str) -> None:
    """Look at a new replica until it is created, as CloudFormation does before it goes on."""
    for _ in range(3):
        key = bridge.find(arn)
        if key is None or key.state is not KeyState.CREATING:
            return
        _call(bridge, "DescribeKey", KeyId=arn)


def _update_replica(
    original_resource: Any,
    new_resource_name: str,
    cloudformation_json: Any,
    account_id: str,
    region_name: str,
) -> Any:
    bridge, properties = _open(account_id, region_name), read_properties(cloudformation_json)
    before: Properties = vars(original_resource).get(_PROPERTIES, {})
    if before.get("PrimaryKeyArn") != properties.get("PrimaryKeyArn"):
        made = _create_replica(new_resource_name, cloudformation_json, account_id, region_name)
        _delete_key(original_resource, account_id, region_name)
        return made
    key_id = original_resource.id
    _update_state(bridge, key_id, before, properties, is_last=False)
    _update_shared(bridge, key_id, before, properties)
    _update_state(bridge, key_id, before, properties, is_last=True)
    return _show(bridge, original_resource.arn, properties)


# --- AWS::KMS::Alias -----------------------------------------------------------------------------


def _create_alias(
    _: str, cloudformation_json: Any, account_id: str, region_name: str, **__: Any
) -> Any:
    bridge, properties = _open(account_id, region_name), read_properties(cloudformation_json)
    name, target = properties["AliasName"], properties["TargetKeyId"]
    _call(bridge, "CreateAlias", AliasName=name, TargetKeyId=target)
    return _show_alias(bridge, name)


def _update_alias(
    original_resource: Any,
    new_resource_name: str,
    cloudformation_json: Any,
    account_id: str,
    region_name: str,
) -> Any:
    bridge, properties = _open(account_id, region_name), read_properties(cloudformation_json)
    name, target = properties["AliasName"], properties["TargetKeyId"]
    if name != original_resource.alias_name:
        made = _create_alias(new_resource_name, cloudformation_json, account_id, region_name)
        _delete_alias(original_resource, account_id, region_name)
        return made
    _call(bridge, "UpdateAlias", AliasName=name, TargetKeyId=target)
    return _show_alias(bridge, name)


def _delete_alias(resource: Any, account_id: str, region_name: str) -> None:
    bridge = _open(account_id, region_name)
    if bridge.find(resource.alias_name) is not None:
        _call(bridge, "DeleteAlias", AliasName=resource.alias_name)


def _show_alias(bridge: Bridge, name: str) -> Any:
    key = bridge.find(name)
    assert isinstance(key, Key)
    alias = to_moto_alias(key, name)
    if "Alias" not in _classes:
        return alias
    made = object.__new__(_classes["Alias"])
    vars(made).update(vars(alias))
    return made


# --- values of templates -------------------------------------------------------------------------


def _to_text(policy: Any) -> str:
    return policy if isinstance(policy, str) else json.dumps(policy)


def _to_tags(properties: Properties) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in properties.get("Tags", ())}


_KEY: Mapping[str, Callable[..., Any]] = {
    "create_from_cloudformation_json": _create_key,
    "update_from_cloudformation_json": _update_key,
    "delete": _delete_key,
}
_REPLICA: Mapping[str, Callable[..., Any]] = {
    "create_from_cloudformation_json": _create_replica,
    "update_from_cloudformation_json": _update_replica,
}
_ALIAS: Mapping[str, Callable[..., Any]] = {
    "create_from_cloudformation_json": _create_alias,
    "update_from_cloudformation_json": _update_alias,
    "delete": _delete_alias,
}
