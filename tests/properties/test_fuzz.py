"""Any request whatsoever ends in an answer that AWS could give, and errors change nothing."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from botocore.loaders import Loader
from botocore.model import ServiceModel
from hypothesis import HealthCheck, given
from hypothesis import strategies as st

from kmsmock import KMSMock, mock_kms
from kmsmock.aws.api_call import ApiCall
from kmsmock.aws.errors import ServiceError
from kmsmock.dispatch import answer
from kmsmock.keys.key import Key
from kmsmock.operations.response_members import build_key_metadata
from tests.records import check_record
from tests.thoroughness import examples

MODEL = ServiceModel(Loader().load_service_model("kms", "service-2"))
OPERATIONS = sorted(MODEL.operation_names)
KNOWN = json.loads((Path(__file__).parents[1] / "data" / "kms_model.json").read_text())
#: Members that the installed, older model does not know; botocore's parser drops them.
LATER = {m for op in KNOWN["operations"].values() for m in op["output"]}
LATER |= {m for members in KNOWN["structures"].values() for m in members}
FUZZ = examples(10, suppress_health_check=[HealthCheck.function_scoped_fixture])

junk = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=5,
)


class World:
    """A mock with one thing of each kind, whose names requests are likely to hit.

    It is made once; each request meets it as it was then.
    """

    def __init__(self, kms: KMSMock) -> None:
        self.kms = kms
        client = kms.client()
        specs = {
            "SYMMETRIC_DEFAULT": "ENCRYPT_DECRYPT",
            "ECC_NIST_P256": "SIGN_VERIFY",
            "ECC_NIST_P384": "KEY_AGREEMENT",
            "HMAC_256": "GENERATE_VERIFY_MAC",
            "RSA_2048": "ENCRYPT_DECRYPT",
        }
        self.key_ids = [
            client.create_key(KeySpec=spec, KeyUsage=usage)["KeyMetadata"]["KeyId"]
            for spec, usage in specs.items()
        ]
        external = client.create_key(Origin="EXTERNAL")["KeyMetadata"]
        multi_region = client.create_key(MultiRegion=True)["KeyMetadata"]
        self.key_ids += [external["KeyId"], multi_region["KeyId"], multi_region["Arn"]]
        client.create_alias(AliasName="alias/app", TargetKeyId=self.key_ids[0])
        kms.account("123456789012").role("App")
        grant = client.create_grant(
            KeyId=self.key_ids[0],
            GranteePrincipal="arn:aws:iam::123456789012:role/App",
            Operations=["Decrypt"],
        )
        self.texts = [*self.key_ids, "alias/app", "alias/aws/s3", "alias/new", "us-west-2"]
        self.texts += [grant["GrantId"], grant["GrantToken"], "default"]
        self.blobs = [
            client.encrypt(KeyId="alias/app", Plaintext=b"text")["CiphertextBlob"],
            client.get_public_key(KeyId=self.key_ids[2])["PublicKey"],
            b"m" * 32,
        ]
        self.beginning = kms.checkpoint()

    def value(self, shape: Any) -> st.SearchStrategy[Any]:
        """Make values of a shape, most of them valid."""
        kind = shape.type_name
        if kind == "structure":
            required = {n: self.value(shape.members[n]) for n in shape.required_members}
            optional = {n: self.value(s) for n, s in shape.members.items() if n not in required}
            return st.fixed_dictionaries(required, optional=optional)
        if kind == "list":
            return st.lists(self.value(shape.member), max_size=3)
        if kind == "map":
            return st.dictionaries(self.value(shape.key), self.value(shape.value), max_size=3)
        if kind == "string":
            if shape.enum:
                return st.sampled_from([*shape.enum, "NONSENSE"])
            return st.sampled_from(self.texts) | st.text(max_size=300)
        if kind == "blob":
            raw = st.sampled_from(self.blobs) | st.binary(max_size=300)
            return raw.map(lambda b: base64.b64encode(b).decode())
        if kind == "integer":
            return st.integers(-1, 3000)
        if kind == "timestamp":
            return st.floats(0, 2e9) | st.integers(-(10**12), 10**12)
        return st.booleans()

    def picture(self) -> str:
        """Show all that a request could have changed."""
        regions = self.kms.backend.regions.values()
        return repr(
            [
                (
                    [_picture_of_key(key) for key in region.keys.values()],
                    [(a.name, a.key.key_id, a.last_updated_date) for a in region.aliases.values()],
                    sorted(region.grants),
                    sorted(region.grant_tokens),
                    region.custom_key_stores,
                )
                for region in regions
                if region.keys
            ]
        )


def _picture_of_key(key: Key) -> object:
    materials = [(m.id, m.state, m.is_permanent, m.valid_to) for m in key.materials]
    schedule = (key.rotation, key.on_demand_rotations)
    return (build_key_metadata(key), key.tags, key.policy, materials, sorted(key.grants), schedule)


def _conforms(value: Any, shape: Any, path: str) -> None:
    """Assert that an answer has the output shape: known members of the right types."""
    kinds = {
        "string": str,
        "blob": bytes,
        "integer": int,
        "boolean": bool,
        "timestamp": datetime,
        "list": list,
        "map": dict,
        "structure": dict,
    }
    assert isinstance(value, kinds[shape.type_name]), path
    if shape.type_name == "structure":
        for name, member in value.items():
            if name not in shape.members:
                assert name in LATER, f"{path}.{name}"
                continue
            _conforms(member, shape.members[name], f"{path}.{name}")
        assert set(shape.required_members) <= set(value), path
    elif shape.type_name == "list":
        for item in value:
            _conforms(item, shape.member, f"{path}[]")
    elif shape.type_name == "string" and shape.enum:
        # AWS answers the deprecated twin of KeySpec with new specs too, which its enum lacks.
        name = "KeySpec" if shape.name == "CustomerMasterKeySpec" else shape.name
        assert value in {*shape.enum, *KNOWN["enums"].get(name, ())}, path


def _ask(kms: KMSMock, operation: str, body: bytes) -> Any:
    model = MODEL.operation_model(operation)
    return answer(kms.backend, ApiCall(operation, body, None, "us-east-1", model)).result


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with mock_kms(isolated=True) as kms:
        yield World(kms)


@pytest.mark.parametrize("operation", OPERATIONS)
@FUZZ
@given(data=st.data())
def test_a_request_of_the_right_shape_is_answered_as_aws_could(
    world: World, operation: str, data: st.DataObject
) -> None:
    shape = MODEL.operation_model(operation)
    world.kms.restore(world.beginning)
    parameters = data.draw(world.value(shape.input_shape))
    before = world.picture()

    result = _ask(world.kms, operation, json.dumps(parameters).encode())

    if isinstance(result, ServiceError):
        assert world.picture() == before
    elif shape.output_shape is None:
        assert set(result) <= set(KNOWN["operations"][operation]["output"])
    else:
        _conforms(result, shape.output_shape, operation)
    for record in world.kms.trail[-1:]:
        check_record(record)


@pytest.mark.parametrize("operation", OPERATIONS)
@FUZZ
@given(body=st.one_of(st.binary(max_size=50), junk.map(lambda v: json.dumps(v).encode())))
def test_a_body_of_any_bytes_is_refused_or_answered(operation: str, body: bytes) -> None:
    with mock_kms(isolated=True) as kms:
        result = _ask(kms, operation, body)

        assert isinstance(result, (dict, ServiceError))


@pytest.mark.parametrize("operation", OPERATIONS)
@FUZZ
@given(data=st.data())
def test_members_of_any_type_are_refused_or_answered(operation: str, data: st.DataObject) -> None:
    members = sorted(MODEL.operation_model(operation).input_shape.members) or ["Anything"]
    parameters = data.draw(st.dictionaries(st.sampled_from(members), junk, max_size=4))
    with mock_kms(isolated=True) as kms:
        result = _ask(kms, operation, json.dumps(parameters).encode())

        assert isinstance(result, (dict, ServiceError))
