"""The registry against botocore's model: what AWS has, we know; what we answer, AWS could."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from botocore.loaders import Loader
from botocore.model import ServiceModel

from kmsmock.aws import errors
from kmsmock.keys.custom_key_store import ConnectionState, StoreType
from kmsmock.keys.key import KeyManager
from kmsmock.keys.material import MaterialState, RotationType
from kmsmock.keys.specs import DATA_KEY_PAIR_SPECS, KEY_SPECS, KeyUsage, Origin
from kmsmock.keys.states import KeyState
from kmsmock.operations import OPERATIONS
from kmsmock.operations.grant_terms import list_grant_operations

MODEL = ServiceModel(Loader().load_service_model("kms", "service-2"))
#: What this project was written against; a newer model that has more makes these tests fail,
#: naming what is new. Extend the file when the project knows it.
KNOWN = json.loads((Path(__file__).parent / "data" / "kms_model.json").read_text())
INSTALLED = sorted(MODEL.operation_names)


def members(shape: Any) -> set[str]:
    return set(shape.members) if shape is not None else set()


def test_every_operation_of_the_installed_model_is_registered() -> None:
    assert set(INSTALLED) - set(OPERATIONS) == set()


def test_the_registry_has_the_operations_of_the_current_api_and_no_others() -> None:
    assert set(OPERATIONS) == set(KNOWN["operations"])
    assert len(OPERATIONS) == 56


@pytest.mark.parametrize("name", INSTALLED)
def test_an_operation_has_no_parameter_that_is_not_known(name: str) -> None:
    operation = MODEL.operation_model(name)

    assert members(operation.input_shape) - set(KNOWN["operations"][name]["input"]) == set()
    assert members(operation.output_shape) - set(KNOWN["operations"][name]["output"]) == set()


@pytest.mark.parametrize("name", sorted(KNOWN["structures"]))
def test_a_structure_has_no_member_that_is_not_known(name: str) -> None:
    if name not in MODEL.shape_names:
        pytest.skip("the installed botocore is older than this structure")

    assert members(MODEL.shape_for(name)) - set(KNOWN["structures"][name]) == set()


def test_no_enum_has_a_value_that_is_not_known() -> None:
    enums = {
        name: set(MODEL.shape_for(name).enum)
        for name in MODEL.shape_names
        if getattr(MODEL.shape_for(name), "enum", None)
    }

    new = {name: values - set(KNOWN["enums"].get(name, ())) for name, values in enums.items()}

    assert {name: values for name, values in new.items() if values} == {}


@pytest.mark.parametrize(
    ("shape", "ours"),
    [
        pytest.param("KeySpec", set(KEY_SPECS), id="KeySpec"),
        pytest.param("KeyUsageType", {usage.value for usage in KeyUsage}, id="KeyUsage"),
        pytest.param("OriginType", {origin.value for origin in Origin}, id="Origin"),
        pytest.param("KeyState", {state.value for state in KeyState}, id="KeyState"),
        pytest.param("KeyManagerType", {manager.value for manager in KeyManager}, id="KeyManager"),
        pytest.param("KeyMaterialState", {s.value for s in MaterialState}, id="KeyMaterialState"),
        pytest.param("RotationType", {kind.value for kind in RotationType}, id="RotationType"),
        pytest.param("ConnectionStateType", {s.value for s in ConnectionState}, id="Connection"),
        pytest.param("CustomKeyStoreType", {kind.value for kind in StoreType}, id="StoreType"),
        pytest.param("DataKeyPairSpec", set(DATA_KEY_PAIR_SPECS), id="DataKeyPairSpec"),
        pytest.param(
            "GrantOperation",
            {
                name
                for spec in KEY_SPECS.values()
                for usage in spec.usages
                for name in list_grant_operations(spec, usage)
            },
            id="GrantOperation",
        ),
    ],
)
def test_our_enums_have_the_values_of_the_current_model(shape: str, ours: set[str]) -> None:
    assert ours == set(KNOWN["enums"][shape])


def test_every_modelled_error_that_can_be_provoked_has_its_class() -> None:
    never_provoked = {"InvalidAliasNameException"}
    modelled = {name for op in KNOWN["operations"].values() for name in op["errors"]}

    assert modelled - never_provoked - set(vars(errors)) == set()


def test_only_operations_with_the_parameter_take_dry_runs() -> None:
    with_dry_run = {n for n, op in KNOWN["operations"].items() if "DryRun" in op["input"]}

    assert with_dry_run == {
        *("CreateGrant", "Decapsulate", "Decrypt", "DeriveSharedSecret", "Encapsulate", "Encrypt"),
        *("GenerateDataKey", "GenerateDataKeyPair", "GenerateDataKeyPairWithoutPlaintext"),
        *("GenerateDataKeyWithoutPlaintext", "GenerateMac", "ReEncrypt", "RetireGrant"),
        *("RevokeGrant", "Sign", "Verify", "VerifyMac"),
    }


def test_the_operations_whose_use_is_tracked_are_those_of_the_model() -> None:
    tracked = {name for name, operation in OPERATIONS.items() if operation.is_cryptographic}

    assert tracked == set(KNOWN["enums"]["KeyLastUsageTrackingOperation"])
