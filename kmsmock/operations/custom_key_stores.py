"""The operations for custom key stores: AWS CloudHSM key stores and external key stores.

Source: AWS KMS Developer Guide, "Key stores"; API Reference of the six operations.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sized
from typing import Any

from kmsmock.aws import errors
from kmsmock.aws.operations import PageSizes, per_second, read_event, write_event
from kmsmock.aws.secret_values import reveal
from kmsmock.keys.custom_key_store import (
    CONNECTION_STATE,
    PROXY_FAILURES,
    ConnectionState,
    CustomKeyStore,
    StoreType,
)
from kmsmock.operations.registry import Call, Response, Target, operation
from kmsmock.operations.response_members import build_page
from kmsmock.state.scheduled_work import connect_when_due, disconnect_when_due
from kmsmock.timing.passing_states import Shows, listed

QUOTA = 10
_VPC = "VPC_ENDPOINT_SERVICE"
_CLUSTER_MEMBERS = ("CloudHsmClusterId", "TrustAnchorCertificate", "KeyStorePassword")
_PROXY_MEMBERS = (
    *("XksProxyUriEndpoint", "XksProxyUriPath", "XksProxyAuthenticationCredential"),
    "XksProxyConnectivity",
)
_VPC_MEMBERS = ("XksProxyVpcEndpointServiceName", "XksProxyVpcEndpointServiceOwner")
#: Store type -> required and optional request members.
_MEMBERS = {
    StoreType.AWS_CLOUDHSM: (_CLUSTER_MEMBERS, ()),
    StoreType.EXTERNAL_KEY_STORE: (_PROXY_MEMBERS, _VPC_MEMBERS),
}
#: The members that CloudTrail shows: all except the credentials.
_RECORDED_OF_PROXY = (
    *("XksProxyUriEndpoint", "XksProxyUriPath", "XksProxyVpcEndpointServiceName"),
    *("XksProxyVpcEndpointServiceOwner", "XksProxyConnectivity"),
)
_ALL_MEMBERS = (*_CLUSTER_MEMBERS, *_PROXY_MEMBERS, *_VPC_MEMBERS)
#: The settings that can be changed while a store is connected.
_CHANGEABLE_ANYTIME = frozenset({"XksProxyUriPath", "XksProxyAuthenticationCredential"})
#: Connection error code -> the exception that Create, Update and Connect raise for it.
#: Source: AWS KMS Developer Guide, "Troubleshooting external key stores".
_PROXY_ERRORS: dict[str, type[errors.ServiceError]] = {
    "XKS_PROXY_ACCESS_DENIED": errors.XksProxyIncorrectAuthenticationCredentialException,
    "XKS_PROXY_INVALID_CONFIGURATION": errors.XksProxyInvalidConfigurationException,
    "XKS_PROXY_INVALID_RESPONSE": errors.XksProxyInvalidResponseException,
    "XKS_PROXY_INVALID_TLS_CONFIGURATION": errors.XksProxyInvalidConfigurationException,
    "XKS_PROXY_NOT_REACHABLE": errors.XksProxyUriUnreachableException,
    "XKS_PROXY_TIMED_OUT": errors.XksProxyUriUnreachableException,
}
_S = ConnectionState
_CONNECTABLE = frozenset({_S.DISCONNECTED, _S.CONNECTING, _S.CONNECTED})
_DISCONNECTABLE = frozenset({_S.CONNECTING, _S.CONNECTED, _S.FAILED})


@operation(
    "CreateCustomKeyStore",
    Target("kms:CreateCustomKeyStore"),
    trail=write_event(
        *("CustomKeyStoreName", "CloudHsmClusterId", "CustomKeyStoreType", *_RECORDED_OF_PROXY),
        shows=("CustomKeyStoreId",),
    ),
    quota=per_second(5),
)
def create_custom_key_store(call: Call) -> Response:
    """Create a custom key store, which is not connected yet."""
    parameters = call.parameters
    store_type = StoreType(parameters.get("CustomKeyStoreType", "AWS_CLOUDHSM"))
    settings = {name: parameters[name] for name in _ALL_MEMBERS if name in parameters}
    require_members(store_type, settings)
    stores = call.region.custom_key_stores
    name = parameters["CustomKeyStoreName"]
    for store in stores.values():
        if _is_repeated_creation(store, name, store_type, settings):
            return {"CustomKeyStoreId": store.store_id}
    _require_free_name(call, name)
    require_exclusive_settings(stores.values(), store_type, settings)
    require_store_quota(stores)
    store_id = f"cks-{call.backend.entropy(9).hex()[:17]}"
    sequence = call.region.next_sequence()
    settings = _add_default_owner(call, settings)
    stores[store_id] = CustomKeyStore(store_id, name, store_type, call.now, settings, sequence)
    return {"CustomKeyStoreId": store_id}


def require_store_quota(stores: Sized) -> None:
    """Require that there can be another store (LimitExceededException).

    stores: those of the account and Region.
    """
    if len(stores) >= QUOTA:
        raise errors.LimitExceededException.in_own_words(
            f"Custom key stores quota for this account in this region is {QUOTA}, current usage "
            f"is {len(stores)}."
        )


def _add_default_owner(call: Call, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings with a VPC endpoint service's owner, by default the caller's account."""
    owner = "XksProxyVpcEndpointServiceOwner"
    default = {owner: call.region.account} if settings.get("XksProxyConnectivity") == _VPC else {}
    return {**default, **settings}


@operation(
    "DescribeCustomKeyStores",
    Target("kms:DescribeCustomKeyStores"),
    trail=read_event("CustomKeyStoreId", "CustomKeyStoreName", "Limit", "Marker"),
    quota=per_second(5),
    pages=PageSizes(1000, 1000),
    shows=Shows(CONNECTION_STATE, listed("CustomKeyStores", "CustomKeyStoreId")),
)
def describe_custom_key_stores(call: Call) -> Response:
    """List the custom key stores of the account in the Region, or one of them."""
    parameters = call.parameters
    store_id, name = parameters.get("CustomKeyStoreId"), parameters.get("CustomKeyStoreName")
    if store_id is not None and name is not None:
        raise errors.ValidationException.in_own_words(
            "Specify either CustomKeyStoreId or CustomKeyStoreName, but not both."
        )
    stores = [
        store
        for store in call.region.custom_key_stores.values()
        if store_id in (None, store.store_id) and name in (None, store.name)
    ]
    if not stores and (store_id or name):
        raise errors.CustomKeyStoreNotFoundException(
            explanation=f"There is no custom key store {store_id or name!r} in this account and "
            "Region."
        )
    return build_page(call, "CustomKeyStores", stores, _build_store_entry)


@operation(
    "UpdateCustomKeyStore",
    Target("kms:UpdateCustomKeyStore"),
    trail=write_event(
        *("CustomKeyStoreId", "NewCustomKeyStoreName", "CloudHsmClusterId", *_RECORDED_OF_PROXY),
        shows=(),
    ),
    quota=per_second(5),
)
def update_custom_key_store(call: Call) -> None:
    """Change a custom key store; most settings only while it is disconnected.

    Source: AWS KMS Developer Guide, "Edit external key store properties", with a table of what can
    be changed in any connection state; API Reference, UpdateCustomKeyStore, on the name of CloudHSM
    key stores, which can be changed while they are connected or disconnected.
    """
    parameters = call.parameters
    store = _find_store(call)
    name: str = parameters.get("NewCustomKeyStoreName", store.name)
    changes = {member: parameters[member] for member in _ALL_MEMBERS if member in parameters}
    if "NewCustomKeyStoreName" not in parameters and not changes:
        raise errors.ValidationException.in_own_words("Specify at least one property to update.")
    _require_allowed_members(store.store_type, changes)
    if changes.keys() - _CHANGEABLE_ANYTIME:
        _require_state(call, store, frozenset({_S.DISCONNECTED}))
    elif store.store_type is StoreType.AWS_CLOUDHSM:
        _require_state(call, store, frozenset({_S.DISCONNECTED, _S.CONNECTED}))
    connectivity = changes.get("XksProxyConnectivity")
    kept = store.settings
    if connectivity not in (None, kept.get("XksProxyConnectivity")):
        _require_endpoint(changes)
        kept = {member: kept[member] for member in kept if member not in _VPC_MEMBERS}
    settings = _add_default_owner(call, {**kept, **changes})
    require_members(store.store_type, settings)
    if name != store.name:
        _require_free_name(call, name)
    others = [other for other in call.region.custom_key_stores.values() if other is not store]
    require_exclusive_settings(others, store.store_type, settings)
    # A proxy in a VPC is only checked when the store connects.
    in_vpc = settings.get("XksProxyConnectivity") == _VPC
    if changes and (store.is_connected or not in_vpc):
        _require_working_proxy(store)
    store.name = name
    store.settings = settings
    _note_for_trail(call, store)


@operation(
    "DeleteCustomKeyStore",
    Target("kms:DeleteCustomKeyStore"),
    trail=write_event("CustomKeyStoreId", shows=()),
    quota=per_second(5),
)
def delete_custom_key_store(call: Call) -> None:
    """Delete a disconnected custom key store without KMS keys."""
    store = _find_store(call)
    key_count = sum(key.custom_key_store is store for key in call.region.keys.values())
    if key_count:
        raise errors.CustomKeyStoreHasCMKsException(
            explanation=f"It has {key_count} KMS keys; keys pending deletion count, too."
        )
    _require_state(call, store, frozenset({_S.DISCONNECTED}))
    del call.region.custom_key_stores[store.store_id]


@operation(
    "ConnectCustomKeyStore",
    Target("kms:ConnectCustomKeyStore"),
    trail=write_event("CustomKeyStoreId", shows=()),
    quota=per_second(5),
)
def connect_custom_key_store(call: Call) -> None:
    """Start to connect a store to its cluster or proxy; it is connected some time afterwards."""
    store = _find_store(call)
    _require_state(call, store, _CONNECTABLE)
    if store.state is _S.DISCONNECTED:
        connect_when_due(call.backend, store, call.now)


@operation(
    "DisconnectCustomKeyStore",
    Target("kms:DisconnectCustomKeyStore"),
    trail=write_event("CustomKeyStoreId", shows=()),
    quota=per_second(5),
)
def disconnect_custom_key_store(call: Call) -> None:
    """Disconnect a store; its keys are unusable until it is connected again."""
    store = _find_store(call)
    _require_state(call, store, _DISCONNECTABLE)
    disconnect_when_due(call.backend, store, call.now)


def _find_store(call: Call) -> CustomKeyStore:
    store_id = call.parameters["CustomKeyStoreId"]
    store = call.region.custom_key_stores.get(store_id)
    if store is None:
        raise errors.CustomKeyStoreNotFoundException(
            explanation=f"There is no custom key store {store_id!r} in this account and Region."
        )
    _note_for_trail(call, store)
    return store


def _note_for_trail(call: Call, store: CustomKeyStore) -> None:
    """Note the name and the cluster of a store for the CloudTrail record."""
    call.additional_event_data = {"CustomKeyStoreName": store.name}
    if store.store_type is StoreType.AWS_CLOUDHSM:
        call.additional_event_data["ClusterId"] = store.settings["CloudHsmClusterId"]


def _require_state(call: Call, store: CustomKeyStore, allowed: frozenset[ConnectionState]) -> None:
    if store.state not in allowed:
        names = ", ".join(sorted(state.value for state in allowed))
        raise errors.CustomKeyStoreInvalidStateException(
            explanation=f"{store.describe_state(call.backend.passing)} This operation requires "
            f"{names}."
        )


def _require_free_name(call: Call, name: str) -> None:
    if any(store.name == name for store in call.region.custom_key_stores.values()):
        raise errors.CustomKeyStoreNameInUseException(
            explanation=f"Another custom key store in this account and Region is named {name!r}."
        )


def _require_allowed_members(store_type: StoreType, settings: Mapping[str, Any]) -> None:
    required, optional = _MEMBERS[store_type]
    invalid = [name for name in settings if name not in (*required, *optional)]
    if invalid:
        raise errors.ValidationException.in_own_words(
            f"{', '.join(invalid)} cannot be specified for a custom key store of type "
            f"{store_type.value}."
        )


def require_members(store_type: StoreType, settings: Mapping[str, Any]) -> None:
    """Require the settings that a store of a type needs, and no others (ValidationException)."""
    required, _ = _MEMBERS[store_type]
    missing = [name for name in required if name not in settings]
    if missing:
        raise errors.ValidationException.in_own_words(
            f"{', '.join(missing)} must be specified for a custom key store of type "
            f"{store_type.value}."
        )
    _require_allowed_members(store_type, settings)
    if store_type is StoreType.EXTERNAL_KEY_STORE:
        in_vpc = settings["XksProxyConnectivity"] == _VPC
        if in_vpc is not ("XksProxyVpcEndpointServiceName" in settings):
            raise errors.ValidationException.in_own_words(
                "XksProxyVpcEndpointServiceName must be specified when XksProxyConnectivity is "
                f"{_VPC}, and only then."
            )
        if not in_vpc and "XksProxyVpcEndpointServiceOwner" in settings:
            raise errors.ValidationException.in_own_words(
                "XksProxyVpcEndpointServiceOwner can only be specified when XksProxyConnectivity "
                f"is {_VPC}."
            )


def _require_endpoint(changes: Mapping[str, Any]) -> None:
    """Require a new endpoint when the connectivity changes (ValidationException).

    Source: AWS KMS API Reference, UpdateCustomKeyStore, XksProxyConnectivity.
    """
    if "XksProxyUriEndpoint" not in changes:
        raise errors.ValidationException.in_own_words(
            "XksProxyUriEndpoint must be specified when XksProxyConnectivity is changed."
        )


def _require_working_proxy(store: CustomKeyStore) -> None:
    """Raise the error of a proxy that a test has broken with `CustomKeyStore.fail`."""
    fault = store.fault or ""
    if fault in _PROXY_ERRORS:
        raise _PROXY_ERRORS[fault](
            PROXY_FAILURES[fault],
            explanation=f"The test has called fail({fault!r}) on the store; heal() repairs it.",
        )


def _is_repeated_creation(
    store: CustomKeyStore, name: str, store_type: StoreType, settings: dict[str, Any]
) -> bool:
    """Return whether a request repeats the creation of a disconnected CloudHSM key store."""
    return (
        store_type is StoreType.AWS_CLOUDHSM
        and store.state is _S.DISCONNECTED
        and (store.name, store.store_type, store.settings) == (name, store_type, settings)
    )


def require_exclusive_settings(
    stores: Iterable[CustomKeyStore], store_type: StoreType, settings: Mapping[str, Any]
) -> None:
    """Refuse settings that another store of the account and Region has and that must be unique."""
    others = [store.settings for store in stores if store.store_type is store_type]

    def is_taken(*members: str) -> bool:
        own = tuple(settings.get(member) for member in members)
        return any(tuple(other.get(member) for member in members) == own for other in others)

    if store_type is StoreType.AWS_CLOUDHSM:
        if is_taken("CloudHsmClusterId"):
            raise errors.CloudHsmClusterInUseException(
                explanation="Another custom key store is associated with this cluster."
            )
        return
    if is_taken("XksProxyUriEndpoint", "XksProxyUriPath"):
        raise errors.XksProxyUriInUseException(
            explanation="Another external key store has this endpoint and path."
        )
    in_vpc = settings["XksProxyConnectivity"] == _VPC
    if is_taken("XksProxyUriEndpoint") and (
        in_vpc or not is_taken("XksProxyConnectivity", "XksProxyUriEndpoint")
    ):
        raise errors.XksProxyUriEndpointInUseException(
            explanation="Another external key store has this endpoint; stores in a VPC cannot "
            "share one, with each other or with public ones."
        )
    if in_vpc and is_taken("XksProxyVpcEndpointServiceName"):
        raise errors.XksProxyVpcEndpointServiceInUseException(
            explanation="Another external key store uses this VPC endpoint service."
        )


def _build_store_entry(store: CustomKeyStore) -> dict[str, Any]:
    settings = store.settings
    entry: dict[str, Any] = {
        "CustomKeyStoreId": store.store_id,
        "CustomKeyStoreName": store.name,
        "ConnectionState": store.state.value,
        "CreationDate": store.creation_date,
        "CustomKeyStoreType": store.store_type.value,
    }
    if store.store_type is StoreType.AWS_CLOUDHSM:
        for member in ("CloudHsmClusterId", "TrustAnchorCertificate"):
            entry[member] = settings[member]
    else:
        credential: Any = settings["XksProxyAuthenticationCredential"]
        proxy = {
            "Connectivity": settings["XksProxyConnectivity"],
            "AccessKeyId": reveal(credential["AccessKeyId"]),
            "UriEndpoint": settings["XksProxyUriEndpoint"],
            "UriPath": settings["XksProxyUriPath"],
            "VpcEndpointServiceName": settings.get("XksProxyVpcEndpointServiceName"),
            "VpcEndpointServiceOwner": settings.get("XksProxyVpcEndpointServiceOwner"),
        }
        entry["XksProxyConfiguration"] = {k: v for k, v in proxy.items() if v is not None}
    if store.error_code is not None:
        entry["ConnectionErrorCode"] = store.error_code
    return entry
