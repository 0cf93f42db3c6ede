"""What pytest shows below a failed test, of what its calls say beside their errors."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.models import has_operation

RunAlone = Callable[..., pytest.RunResult]
HEADING = "*- kmsmock -*"
ROTATION = """
def rotate(client):
    key_id = client.create_key()["KeyMetadata"]["KeyId"]
    client.rotate_key_on_demand(KeyId=key_id)
    return client.list_key_rotations(KeyId=key_id)["Rotations"]
"""


@pytest.mark.parametrize(
    "test",
    [
        "def test_it(kms):\n    assert rotate(kms.client())",
        "def test_it(module_kms):\n    assert rotate(module_kms.client())",
        """
import boto3
from kmsmock import mock_kms

@mock_kms(region="us-east-1")
def test_it():
    assert rotate(boto3.client("kms"))
""",
    ],
    ids=["fixture", "wider fixture", "decorator"],
)
@pytest.mark.skipif(
    not has_operation("kms", "ListKeyRotations"), reason="the installed botocore is older"
)
def test_a_list_without_what_is_under_way_is_explained(run_alone: RunAlone, test: str) -> None:
    result = run_alone(ROTATION + test)

    result.stdout.fnmatch_lines(
        [HEADING, "ListKeyRotations: The list is without the on-demand rotation*"]
    )


def test_faults_that_have_fired_are_listed(run_alone: RunAlone) -> None:
    result = run_alone(
        """
def test_it(kms_key, kms):
    kms.faults.corrupt_response("Encrypt")
    assert kms_key.client.encrypt(KeyId=kms_key.id, Plaintext=b"text")["CiphertextBlob"]
"""
    )

    result.stdout.fnmatch_lines([HEADING, "kms.faults: a corrupt response on Encrypt, fired 1 *"])


@pytest.mark.parametrize(
    "test",
    [
        ROTATION + "def test_it(kms):\n    rotate(kms.client())",
        "def test_it(kms):\n    assert kms.client().list_keys()['Keys']",
        ROTATION
        + """
def test_before(module_kms):
    rotate(module_kms.client())

def test_it(module_kms):
    assert False
""",
    ],
    ids=["no failure", "nothing to say", "another test"],
)
def test_there_is_no_section_without_something_to_say(run_alone: RunAlone, test: str) -> None:
    result = run_alone(test)

    result.stdout.no_fnmatch_line(HEADING)
