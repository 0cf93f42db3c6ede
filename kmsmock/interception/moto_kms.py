"""One KMS: while a mock answers, whatever asks the KMS of moto gets the keys of the mock.

Other services of moto read its KMS without a request: the Resource Groups Tagging API, EC2 for its
default key, RDS, SES, DynamoDB, and CloudFormation, for which see `moto_stacks`. What they read
makes no calls; what they change is called with the identity of the caller of that service.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar
from importlib import import_module
from typing import Any

from kmsmock.aws.arns import Arn, alias_arn
from kmsmock.aws.errors import ServiceError
from kmsmock.interception import moto_tagging
from kmsmock.keys.key import Key, KeyManager
from kmsmock.keys.states import KeyState
from kmsmock.operations.aws_managed_keys import new_aws_managed_key, store_aws_managed_key
from kmsmock.process.active_mock import ActiveMock
from kmsmock.process.active_mocks import get_own

#: The access key that signs the request that moto handles, and the service that it is for.
_request: ContextVar[tuple[str | None, str]] = ContextVar(
    "kmsmock_moto_request", default=(None, "kms")
)
#: moto's name of a service -> its name in service principals.
_SERVICES = {"resourcegroupstaggingapi": "tagging"}


def install() -> None:
    """Replace the methods of moto's KMS.

    Raises ImportError or AttributeError where moto differs.
    """
    response_class = import_module("moto.core.responses").BaseResponse
    backend_class = import_module("moto.kms.models").KmsBackend
    of_tags = {name: each for name, each in _TAG_METHODS.items() if hasattr(backend_class, name)}
    methods = {**_METHODS, **of_tags}
    originals = {name: getattr(backend_class, name) for name in methods}
    response_class.setup_class = _note_request(response_class.setup_class)
    for name, original in originals.items():
        setattr(backend_class, name, _bridge(original, methods[name]))
    backend_class.keys = property(_get_keys, _set_keys)


def _note_request(original: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap what begins each request to moto: note who makes it."""

    @functools.wraps(original)
    def setup_class(response: Any, *args: Any, **kwargs: Any) -> Any:
        result = original(response, *args, **kwargs)
        service = type(response).__module__.split(".")[1]
        _request.set((getattr(response, "access_key", None), service))
        if service == "resourcegroupstaggingapi" and get_own() is not None:
            # It reads the backends that are in use.
            backends = import_module("moto.kms.models").kms_backends
            backends[response.current_account][response.region]
            moto_tagging.install()
        return result

    return setup_class


def _bridge(original: Callable[..., Any], method: Callable[..., Any]) -> Callable[..., Any]:
    """Return a method of moto's backend that uses the mock while one answers."""

    @functools.wraps(original)
    def bridged(backend: Any, *args: Any, **kwargs: Any) -> Any:
        mock = get_own()
        if mock is None:
            return original(backend, *args, **kwargs)
        return method(Bridge(mock, backend), *args, **kwargs)

    return bridged


class Bridge:
    """The KMS of a mock, as a backend of moto's KMS for one account and Region."""

    def __init__(self, mock: ActiveMock, backend: Any) -> None:
        self._mock = mock
        self._state = mock.backend
        self.region: str = backend.region_name
        access_key, service = _request.get()
        caller = mock.find_account(access_key, self.region)
        default = import_module("moto.core").DEFAULT_ACCOUNT_ID
        #: The account of the keys: moto puts all that it does not know into its default account.
        self.account: str = caller if backend.account_id == default else backend.account_id
        self._accounts = dict.fromkeys((self.account, backend.account_id))
        self._access_key = access_key
        self._service = _SERVICES.get(service, service)

    def call(self, operation: str, region: str | None = None, /, **parameters: Any) -> Any:
        """Call KMS as the caller of moto's service, and return the answer.

        region: that of the backend when None. Raises the error of KMS in moto's form.
        """
        try:
            return self._mock.call_kms(
                operation,
                parameters,
                service=self._service,
                access_key=self._access_key,
                account=self.account,
                region=region or self.region,
            )
        except ServiceError as error:
            moto_error: Any = import_module("moto.core.exceptions").JsonRESTError
            raise moto_error(error.code, error.message or "") from None

    def list_keys(self) -> list[Key]:
        """Return the keys of the account in the Region."""
        with self._state.lock:
            return list(self._state.region(self.account, self.region).keys.values())

    def find(self, reference: str) -> Key | None:
        """Return the key with a key id, key ARN, alias name or alias ARN; None if there is none.

        The AWS managed key of a predefined alias is created on first use.
        """
        arn, accounts = Arn.parse(reference), list(self._accounts)
        if arn is not None:
            accounts, reference = [arn.account], arn.resource.removeprefix("key/")
        with self._state.lock:
            for account in accounts:
                key: Key | None = self._state.region(account, self.region).get(reference)
                if key is not None:
                    return key
            return self._create_aws_managed_key(reference)

    def _create_aws_managed_key(self, alias: str) -> Key | None:
        state, now = self._state, self._state.clock.now()
        key = new_aws_managed_key(state, state.region(self.account, self.region), alias, now)
        if key is not None:
            store_aws_managed_key(state, key, alias, now)
        return key


# --- moto's objects ------------------------------------------------------------------------------


class _Alias:
    """An alias, for versions of moto that have no class for it."""


def to_moto_key(key: Key) -> Any:
    """Return a key as an object of moto's class, with what its other services read."""
    made = object.__new__(import_module("moto.kms.models").Key)
    state = key.state
    vars(made).update(
        id=key.key_id,
        arn=key.arn,
        account_id=key.account,
        region=key.region_name,
        policy=key.policy,
        key_usage=key.usage.value,
        key_spec=key.spec.name,
        key_state=state.value,
        enabled=state is KeyState.ENABLED,
        description=key.description,
        creation_date=key.creation_date.timestamp(),
        deletion_date=key.deletion_date,
        multi_region=key.multi_region is not None,
        multi_region_configuration={"PrimaryKey": {"Arn": key.arn, "Region": key.region_name}},
        key_rotation_status=key.rotation is not None,
        key_manager="AWS" if key.manager is KeyManager.AWS else "CUSTOMER",
        origin=key.origin.value,
        grants={},
        rotations=[],
        aliases={name: to_moto_alias(key, name) for name in key.aliases},
    )
    return made


def to_moto_alias(key: Key, name: str) -> Any:
    """Return an alias of a key as an object of moto's class, which moto has since 5.1.19."""
    made = object.__new__(getattr(import_module("moto.kms.models"), "Alias", _Alias))
    arn = alias_arn(key.region_name, key.account, name)
    vars(made).update(alias_arn=arn, alias_name=name, target_key_id=key.key_id)
    return made


def _get_keys(backend: Any) -> Any:
    mock = get_own()
    if mock is None:
        return vars(backend)["keys"]
    return {key.key_id: to_moto_key(key) for key in Bridge(mock, backend).list_keys()}


def _set_keys(backend: Any, keys: Any) -> None:
    vars(backend)["keys"] = keys


# --- methods of moto's backend -------------------------------------------------------------------


def _describe_key(bridge: Bridge, key_id: str) -> Any:
    key = bridge.find(key_id)
    if key is None:
        raise KeyError(key_id)
    return to_moto_key(key)


def _find_id(bridge: Bridge, alias_name: str) -> str | None:
    key = bridge.find(alias_name)
    return None if key is None else key.key_id


def _create_key(
    bridge: Bridge,
    policy: Any,
    key_usage: str,
    key_spec: str,
    description: str,
    tags: list[Mapping[str, str]] | None,
    multi_region: bool = False,  # noqa: FBT001, FBT002 - as above
    origin: str = "AWS_KMS",
) -> Any:
    parameters = {
        "Policy": json.dumps(policy) if isinstance(policy, Mapping) else policy,
        "KeyUsage": key_usage,
        "KeySpec": key_spec,
        "Description": description,
        "Tags": tags,
        "MultiRegion": multi_region,
        "Origin": origin,
    }
    given = {name: value for name, value in parameters.items() if value}
    return _describe_key(bridge, bridge.call("CreateKey", **given)["KeyMetadata"]["Arn"])


def _create_alias(bridge: Bridge, target_key_id: str, alias_name: str) -> Any:
    bridge.call("CreateAlias", AliasName=alias_name, TargetKeyId=target_key_id)
    return _describe_key(bridge, alias_name).aliases[alias_name]


def _update_alias(bridge: Bridge, target_key_id: str, alias_name: str) -> Any:
    bridge.call("UpdateAlias", AliasName=alias_name, TargetKeyId=target_key_id)
    return _describe_key(bridge, alias_name).aliases[alias_name]


def _schedule_deletion(bridge: Bridge, key_id: str, pending_window_in_days: int = 30) -> float:
    answer = bridge.call(
        "ScheduleKeyDeletion", KeyId=key_id, PendingWindowInDays=pending_window_in_days
    )
    when: float = answer["DeletionDate"].timestamp()
    return when


def _iterate_tagged(bridge: Bridge) -> Iterator[Any]:
    resource: Any = import_module("moto.core.resource_tagging").TaggedResource
    for key in bridge.list_keys():
        yield resource(arn=key.arn, tags=dict(key.tags), resource_type="kms:key")


def _list_tags(bridge: Bridge, key_id_or_arn: str) -> Mapping[str, Any]:
    tags = bridge.find(key_id_or_arn)
    listed = [] if tags is None else tags.tags.items()
    return {"Tags": [{"TagKey": name, "TagValue": value} for name, value in listed]}


def _tag(bridge: Bridge, arn: str, tags: Any) -> None:
    """Tag a key. tags: by name, or before moto 5.2 as in the API of KMS."""
    if isinstance(tags, Mapping):
        tags = [{"TagKey": name, "TagValue": value} for name, value in tags.items()]
    bridge.call("TagResource", KeyId=arn, Tags=tags)


def _untag(bridge: Bridge, arn: str, *names: Any, **named: Any) -> None:
    bridge.call("UntagResource", KeyId=arn, TagKeys=(*names, *named.values())[0])


def _for_key(operation: str, *members: str) -> Callable[..., Any]:
    """Return a method that calls an operation on a key. members: of its further parameters."""

    def method(bridge: Bridge, key_id: str, *args: Any, **kwargs: Any) -> None:
        bridge.call(
            operation, KeyId=key_id, **dict(zip(members, (*args, *kwargs.values()), strict=True))
        )

    return method


def _delete_key(bridge: Bridge, key_id: str) -> None:
    bridge.call("ScheduleKeyDeletion", KeyId=key_id)


#: The methods that are replaced in each version of moto.
_METHODS: Mapping[str, Callable[..., Any]] = {
    "describe_key": _describe_key,
    "list_keys": lambda bridge: [to_moto_key(key) for key in bridge.list_keys()],
    "get_key_id_from_alias": _find_id,
    "alias_exists": lambda bridge, alias_name: bridge.find(alias_name) is not None,
    "create_key": _create_key,
    "delete_key": _delete_key,
    "update_key_description": _for_key("UpdateKeyDescription", "Description"),
    "enable_key": _for_key("EnableKey"),
    "disable_key": _for_key("DisableKey"),
    "enable_key_rotation": _for_key("EnableKeyRotation"),
    "disable_key_rotation": _for_key("DisableKeyRotation"),
    "put_key_policy": _for_key("PutKeyPolicy", "Policy"),
    "schedule_key_deletion": _schedule_deletion,
    "cancel_key_deletion": _for_key("CancelKeyDeletion"),
    "create_alias": _create_alias,
    "update_alias": _update_alias,
    "delete_alias": lambda bridge, alias_name: bridge.call("DeleteAlias", AliasName=alias_name),
    "list_resource_tags": _list_tags,
}
#: Those that moto has since 5.2.
_TAG_METHODS: Mapping[str, Callable[..., Any]] = {
    "iter_tagged_resources": _iterate_tagged,
    "tag_resource": _tag,
    "untag_resource": _untag,
}
