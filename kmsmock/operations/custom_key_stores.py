"""Custom key stores: AWS CloudHSM and external key stores.

Source: AWS KMS Developer Guide, "Key stores"; API Reference of the six operations.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from kmsmock.aws import errors
from kmsmock.aws.operations import PageSizes, per_second, reads, writes
from kmsmock.keys.custom_key_store import (
    PROXY_FAILURES,
    ConnectionState,
    CustomKeyStore,
    StoreType,
)
from kmsmock.operations.registry import Call, Response, Target, operation
from kmsmock.operations.views import page
from kmsmock.state.scheduled_work import connect_when_due, disconnect_when_due

QUOTA = 10
_VPC = "VPC_ENDPOINT_SERVICE"
_CLUSTER_MEMBERS = ("CloudHsmClusterId", "TrustAnchorCertificate", "KeyStorePassword")
_PROXY_MEMBERS = (
    *("XksProxyUriEndpoint", "XksProxyUriPath", "XksProxyAuthenticationCredential"),
    "XksProxyConnectivity",
)
_VPC_MEMBERS = ("XksProxyVpcEndpointServiceName", "XksProxyVpcEndpointServiceOwner")
#: Store type -> members that creating one requires, and that it may have besides.
_MEMBERS = {
    StoreType.AWS_CLOUDHSM: (_CLUSTER_MEMBERS, ()),
    StoreType.EXTERNAL_KEY_STORE: (_PROXY_MEMBERS, _VPC_MEMBERS),
}
#: Members that CloudTrail shows: all but the credentials.
_RECORDED_OF_PROXY = (
    *("XksProxyUriEndpoint", "XksProxyUriPath", "XksProxyVpcEndpointServiceName"),
    *("XksProxyVpcEndpointServiceOwner", "XksProxyConnectivity"),
)
_ALL_MEMBERS = (*_CLUSTER_MEMBERS, *_PROXY_MEMBERS, *_VPC_MEMBERS)
#: What can be changed while a store is connected; everything else needs a disconnected one.
_CHANGEABLE_ANYTIME = frozenset({"XksProxyUriPath", "XksProxyAuthenticationCredential"})
#: Connection error -> what the management of an external key store is refused with.
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
    trail=writes(
        *("CustomKeyStoreName", "CloudHsmClusterId", "CustomKeyStoreType", *_RECORDED_OF_PROXY),
        shows=("CustomKeyStoreId",),
    ),
    quota=per_second(5),
)
def create_custom_key_store(call: Call) -> Response:
    """Make a custom key store, disconnected at first."""
    parameters = call.parameters
    store_type = StoreType(parameters.get("CustomKeyStoreType", "AWS_CLOUDHSM"))
    settings = {name: parameters[name] for name in _ALL_MEMBERS if name in parameters}
    require_members(store_type, settings)
    stores = call.region.custom_key_stores
    name = parameters["CustomKeyStoreName"]
    for store in stores.values():
        if _is_repeated(store, name, store_type, settings):
            return {"CustomKeyStoreId": store.store_id}
    _require_free_name(call, name)
    require_unshared(stores.values(), store_type, settings)
    if len(stores) >= QUOTA:
        raise errors.LimitExceededException(
            f"Custom key stores quota for this account in this region is {QUOTA}, current usage "
            f"is {len(stores)}."
        )
    store_id = f"cks-{call.backend.entropy(9).hex()[:17]}"
    place = call.region.next_sequence()
    settings = _complete(call, settings)
    stores[store_id] = CustomKeyStore(store_id, name, store_type, call.now, settings, place)
    return {"CustomKeyStoreId": store_id}


def _complete(call: Call, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Give the settings with the owner of the VPC endpoint service, which is the caller if none."""
    owner = "XksProxyVpcEndpointServiceOwner"
    default = {owner: call.region.account} if settings.get("XksProxyConnectivity") == _VPC else {}
    return {**default, **settings}


@operation(
    "DescribeCustomKeyStores",
    Target("kms:DescribeCustomKeyStores"),
    trail=reads("CustomKeyStoreId", "CustomKeyStoreName", "Limit", "Marker"),
    quota=per_second(5),
    pages=PageSizes(1000, 1000),
)
def describe_custom_key_stores(call: Call) -> Response:
    """Show the custom key stores of the account in the Region, or one of them."""
    parameters = call.parameters
    store_id, name = parameters.get("CustomKeyStoreId"), parameters.get("CustomKeyStoreName")
    if store_id is not None and name is not None:
        raise errors.ValidationException(
            "Specify either CustomKeyStoreId or CustomKeyStoreName, but not both."
        )
    stores = [
        store
        for store in call.region.custom_key_stores.values()
        if store_id in (None, store.store_id) and name in (None, store.name)
    ]
    if not stores and (store_id or name):
        raise errors.CustomKeyStoreNotFoundException(
            explanation=f"There is no custom key store {store_id or name!r} here."
        )
    return page(call, "CustomKeyStores", stores, _show)


@operation(
    "UpdateCustomKeyStore",
    Target("kms:UpdateCustomKeyStore"),
    trail=writes(
        *("CustomKeyStoreId", "NewCustomKeyStoreName", "CloudHsmClusterId", *_RECORDED_OF_PROXY),
        shows=(),
    ),
    quota=per_second(5),
)
def update_custom_key_store(call: Call) -> Response:
    """Change a custom key store: its name at any time, most else while it is disconnected."""
    parameters = call.parameters
    store = _find(call)
    name: str = parameters.get("NewCustomKeyStoreName", store.name)
    changes = {member: parameters[member] for member in _ALL_MEMBERS if member in parameters}
    if "NewCustomKeyStoreName" not in parameters and not changes:
        raise errors.ValidationException("Specify at least one property to update.")
    _require_of_type(store.store_type, changes)
    if changes.keys() - _CHANGEABLE_ANYTIME:
        _require_state(store, frozenset({_S.DISCONNECTED}))
    connectivity = changes.get("XksProxyConnectivity")
    kept = store.settings
    if connectivity not in (None, kept.get("XksProxyConnectivity")):
        _require_endpoint(changes)
        kept = {member: kept[member] for member in kept if member not in _VPC_MEMBERS}
    settings = _complete(call, {**kept, **changes})
    require_members(store.store_type, settings)
    if name != store.name:
        _require_free_name(call, name)
    others = [other for other in call.region.custom_key_stores.values() if other is not store]
    require_unshared(others, store.store_type, settings)
    # Through a VPC, KMS asks the proxy only when it connects.
    in_vpc = settings.get("XksProxyConnectivity") == _VPC
    if changes and (store.is_connected or not in_vpc):
        _require_proxy(store)
    store.name = name
    store.settings = settings
    _note(call, store)
    return {}


@operation(
    "DeleteCustomKeyStore",
    Target("kms:DeleteCustomKeyStore"),
    trail=writes("CustomKeyStoreId", shows=()),
    quota=per_second(5),
)
def delete_custom_key_store(call: Call) -> Response:
    """Forget a disconnected custom key store without keys; the cluster or proxy is not touched."""
    store = _find(call)
    held = sum(key.custom_key_store is store for key in call.region.keys.values())
    if held:
        raise errors.CustomKeyStoreHasCMKsException(
            explanation=f"It holds {held} KMS keys; those pending deletion count, too."
        )
    _require_state(store, frozenset({_S.DISCONNECTED}))
    del call.region.custom_key_stores[store.store_id]
    return {}


@operation(
    "ConnectCustomKeyStore",
    Target("kms:ConnectCustomKeyStore"),
    trail=writes("CustomKeyStoreId", shows=()),
    quota=per_second(5),
)
def connect_custom_key_store(call: Call) -> Response:
    """Connect a store to its cluster or proxy, which is done a while after the answer."""
    store = _find(call)
    _require_state(store, _CONNECTABLE)
    if store.state is _S.DISCONNECTED:
        connect_when_due(call.backend, store, call.now)
    return {}


@operation(
    "DisconnectCustomKeyStore",
    Target("kms:DisconnectCustomKeyStore"),
    trail=writes("CustomKeyStoreId", shows=()),
    quota=per_second(5),
)
def disconnect_custom_key_store(call: Call) -> Response:
    """Disconnect a store; its keys are unavailable until it is connected again."""
    store = _find(call)
    _require_state(store, _DISCONNECTABLE)
    disconnect_when_due(call.backend, store, call.now)
    return {}


def _find(call: Call) -> CustomKeyStore:
    store_id = call.parameters["CustomKeyStoreId"]
    store = call.region.custom_key_stores.get(store_id)
    if store is None:
        raise errors.CustomKeyStoreNotFoundException(
            explanation=f"There is no custom key store {store_id!r} in this account and Region."
        )
    _note(call, store)
    return store


def _note(call: Call, store: CustomKeyStore) -> None:
    """Keep for CloudTrail what the store is called, and its cluster."""
    call.additional_event_data = {"CustomKeyStoreName": store.name}
    if store.store_type is StoreType.AWS_CLOUDHSM:
        call.additional_event_data["ClusterId"] = store.settings["CloudHsmClusterId"]


def _require_state(store: CustomKeyStore, allowed: frozenset[ConnectionState]) -> None:
    if store.state not in allowed:
        names = ", ".join(sorted(state.value for state in allowed))
        raise errors.CustomKeyStoreInvalidStateException(
            explanation=f"{store.state_description} This operation needs {names}."
        )


def _require_free_name(call: Call, name: str) -> None:
    if any(store.name == name for store in call.region.custom_key_stores.values()):
        raise errors.CustomKeyStoreNameInUseException(
            explanation=f"Another custom key store here is called {name!r}."
        )


def _require_of_type(store_type: StoreType, given: Mapping[str, Any]) -> None:
    required, optional = _MEMBERS[store_type]
    foreign = [name for name in given if name not in (*required, *optional)]
    if foreign:
        raise errors.ValidationException(
            f"{', '.join(foreign)} cannot be specified for a custom key store of type "
            f"{store_type.value}."
        )


def require_members(store_type: StoreType, settings: Mapping[str, Any]) -> None:
    """Refuse settings that a store of that type cannot have, or not without others."""
    required, _ = _MEMBERS[store_type]
    missing = [name for name in required if name not in settings]
    if missing:
        raise errors.ValidationException(
            f"{', '.join(missing)} must be specified for a custom key store of type "
            f"{store_type.value}."
        )
    _require_of_type(store_type, settings)
    if store_type is StoreType.EXTERNAL_KEY_STORE:
        in_vpc = settings["XksProxyConnectivity"] == _VPC
        if in_vpc is not ("XksProxyVpcEndpointServiceName" in settings):
            raise errors.ValidationException(
                "XksProxyVpcEndpointServiceName must be specified when XksProxyConnectivity is "
                f"{_VPC}, and only then."
            )
        if not in_vpc and "XksProxyVpcEndpointServiceOwner" in settings:
            raise errors.ValidationException(
                "XksProxyVpcEndpointServiceOwner can only be specified when XksProxyConnectivity "
                f"is {_VPC}."
            )


def _require_endpoint(changes: Mapping[str, Any]) -> None:
    """Require another endpoint with another connectivity: they go together.

    Source: AWS KMS API Reference, UpdateCustomKeyStore, XksProxyConnectivity.
    """
    if "XksProxyUriEndpoint" not in changes:
        raise errors.ValidationException(
            "XksProxyUriEndpoint must be specified when XksProxyConnectivity is changed."
        )


def _require_proxy(store: CustomKeyStore) -> None:
    """Require that the proxy, which KMS asks for its health, is not one that a test has broken."""
    fault = store.fault or ""
    if fault in _PROXY_ERRORS:
        raise _PROXY_ERRORS[fault](
            PROXY_FAILURES[fault],
            explanation=f"The test has broken the store ({fault}); heal() mends it.",
        )


def _is_repeated(
    store: CustomKeyStore, name: str, store_type: StoreType, settings: dict[str, Any]
) -> bool:
    """Tell whether a request repeats the making of a disconnected CloudHSM store."""
    return (
        store_type is StoreType.AWS_CLOUDHSM
        and store.state is _S.DISCONNECTED
        and (store.name, store.store_type, store.settings) == (name, store_type, settings)
    )


def require_unshared(
    stores: Iterable[CustomKeyStore], store_type: StoreType, settings: Mapping[str, Any]
) -> None:
    """Refuse what another store of the account and Region has, and two cannot have in common."""
    others = [store.settings for store in stores if store.store_type is store_type]

    def taken(*members: str) -> bool:
        wanted = tuple(settings.get(member) for member in members)
        return any(tuple(other.get(member) for member in members) == wanted for other in others)

    if store_type is StoreType.AWS_CLOUDHSM:
        if taken("CloudHsmClusterId"):
            raise errors.CloudHsmClusterInUseException(
                explanation="Another custom key store is associated with this cluster."
            )
        return
    if taken("XksProxyUriEndpoint", "XksProxyUriPath"):
        raise errors.XksProxyUriInUseException(
            explanation="Another external key store has this endpoint and path."
        )
    in_vpc = settings["XksProxyConnectivity"] == _VPC
    if taken("XksProxyUriEndpoint") and (
        in_vpc or not taken("XksProxyConnectivity", "XksProxyUriEndpoint")
    ):
        raise errors.XksProxyUriEndpointInUseException(
            explanation="Another external key store has this endpoint; stores in a VPC cannot "
            "share one, with each other or with public ones."
        )
    if in_vpc and taken("XksProxyVpcEndpointServiceName"):
        raise errors.XksProxyVpcEndpointServiceInUseException(
            explanation="Another external key store uses this VPC endpoint service."
        )


def _show(store: CustomKeyStore) -> dict[str, Any]:
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
            "AccessKeyId": credential["AccessKeyId"],
            "UriEndpoint": settings["XksProxyUriEndpoint"],
            "UriPath": settings["XksProxyUriPath"],
            "VpcEndpointServiceName": settings.get("XksProxyVpcEndpointServiceName"),
            "VpcEndpointServiceOwner": settings.get("XksProxyVpcEndpointServiceOwner"),
        }
        entry["XksProxyConfiguration"] = {k: v for k, v in proxy.items() if v is not None}
    if store.error_code is not None:
        entry["ConnectionErrorCode"] = store.error_code
    return entry
