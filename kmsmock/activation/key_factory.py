"""The key factory: create KMS keys for tests."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kmsmock.authorization.policy import write_policy
from kmsmock.authorization.policy_document import PolicyKind
from kmsmock.keys.specs import KEY_SPECS, describe_unknown_spec
from kmsmock.misuse.public_object import PublicObject
from kmsmock.process.orderings import seeing_all

if TYPE_CHECKING:
    from kmsmock.activation.typed_clients import KMSClient


@dataclass(frozen=True)
class KmsKey(PublicObject):
    """A key created for a test: its key id and key ARN.

    client: a boto3 KMS client of the key's account and Region.
    """

    id: str
    arn: str
    client: KMSClient


class KmsKeyFactory(PublicObject):
    """A callable that creates keys. client: the KMS client that it uses."""

    def __init__(self, client: KMSClient) -> None:
        self._client = client

    def __call__(
        self,
        spec: str = "SYMMETRIC_DEFAULT",
        usage: str | None = None,
        *,
        alias: str | None = None,
        policy: str | Mapping[str, Any] | None = None,
        description: str | None = None,
        multi_region: bool = False,
        tags: Mapping[str, str] | None = None,
    ) -> KmsKey:
        """Create a key.

        spec: the key spec. usage: the key usage; by default the first one that the spec allows.
        alias: an alias to create for it, with or without ``alias/``. policy: the key policy, as
        JSON text or as a dictionary. tags: name -> value. Raises ValueError for an unknown spec,
        with the most similar one, TypeError for values of a wrong type, and botocore's ClientError.
        """
        if spec not in KEY_SPECS:
            raise ValueError(describe_unknown_spec(spec))
        parameters = {
            "KeySpec": spec,
            "KeyUsage": usage or next(iter(KEY_SPECS[spec].usages)).value,
            "Policy": None if policy is None else write_policy(policy, PolicyKind.RESOURCE),
            "Description": description,
            "MultiRegion": multi_region,
            "Tags": [{"TagKey": k, "TagValue": v} for k, v in (tags or {}).items()],
        }
        present: Any = {name: value for name, value in parameters.items() if value is not None}
        metadata = self._client.create_key(**present)["KeyMetadata"]
        key = KmsKey(metadata["KeyId"], metadata["Arn"], self._client)
        if alias is not None:
            name = alias if alias.startswith("alias/") else f"alias/{alias}"
            with seeing_all():
                self._client.create_alias(AliasName=name, TargetKeyId=key.id)
        return key
