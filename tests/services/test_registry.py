"""Each AWS service is declared once; what CONTRIBUTING says of adding one is true."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from functools import lru_cache
from importlib import import_module
from pathlib import Path

import botocore
import pytest
from botocore.loaders import Loader
from botocore.model import ServiceModel

import kmsmock
from kmsmock import mock_kms
from kmsmock.aws.services import AWS_SERVICES, MOCKED

PACKAGE = Path(kmsmock.__file__).parent
PARTS = dict(
    re.findall(
        r"<!-- service: (\S+) -->\n```python\n(.*?)```",
        (PACKAGE.parent / "CONTRIBUTING.md").read_text(),
        re.DOTALL,
    )
)
SCRIPT = """
import json
import boto3
from kmsmock import mock_kms

def client(service):
    keys = {"aws_access_key_id": "a", "aws_secret_access_key": "b"}
    return boto3.client(service, "us-east-1", **keys)

with mock_kms(services=["kms", "efs"]):
    alone = client("efs").describe_file_systems()["FileSystems"]

from moto import mock_aws

with mock_aws(), mock_kms(isolated=True) as kms:
    key = client("kms").create_key()["KeyMetadata"]["Arn"]
    made = client("efs").create_file_system(CreationToken="a", Encrypted=True, KmsKeyId=key)
    calls = [(call.operation, call.via_service) for call in kms.calls]
    source = kms.trail[-1]["sourceIPAddress"]
    try:
        client("efs").create_file_system(CreationToken="b", Encrypted=True, KmsKeyId="no-key")
        error = None
    except client("efs").exceptions.ClientError as caught:
        error = caught.response["Error"]["Code"]
    listed = len(client("efs").describe_file_systems()["FileSystems"])

shown = made["KmsKeyId"] == key
print(json.dumps([alone, calls, source, shown, error, listed]))
"""


def test_a_service_is_added_with_one_declaration_and_its_parts(tmp_path):
    pytest.importorskip("moto", reason="moto is not installed")
    copy = tmp_path / "kmsmock"
    shutil.copytree(PACKAGE, copy, ignore=shutil.ignore_patterns("__pycache__"))
    table = copy / "aws/services.py"
    row = PARTS["aws/services.py"].split("declared = (\n")[1].removesuffix(")\n")
    table.write_text(table.read_text().replace("_DECLARED = (\n", f"_DECLARED = (\n{row}"))
    (copy / "services/efs").mkdir()
    (copy / "services/efs/__init__.py").touch()
    for name, text in PARTS.items():
        if name.startswith("services/"):
            (copy / name).write_text(text)

    run = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )

    assert run.returncode == 0, run.stderr
    assert json.loads(run.stdout) == [
        [],
        [["CreateKey", None], ["DescribeKey", "elasticfilesystem.us-east-1.amazonaws.com"]],
        "elasticfilesystem.amazonaws.com",
        True,
        "ValidationException",
        1,
    ]


@lru_cache
def model_of(name):
    return ServiceModel(Loader().load_service_model(name, "service-2"), name)


IS_OLD = int(botocore.__version__.split(".")[1]) < 40
#: ``sqlworkbench`` is declared for aws:CalledVia, but boto3 has no client for it.
KNOWN = sorted(AWS_SERVICES.keys() - {"sqlworkbench"})


@pytest.mark.parametrize("name", KNOWN)
def test_botocores_events_call_a_service_as_it_is_declared(name):
    declared = AWS_SERVICES[name]

    assert (declared.event_name or name) == model_of(name).service_id.hyphenize()


@pytest.mark.parametrize("name", sorted(set(MOCKED) - {"kms"}))
def test_the_parts_of_a_service_handle_operations_that_it_has(name):
    declared = AWS_SERVICES[name]

    handled = set()
    if declared.answered:
        handled.update(import_module(declared.answered).SERVICE.operations)
    if declared.beside:
        handled.update(import_module(declared.beside).BESIDE.operations)

    assert handled
    unknown = handled - set(model_of(name).operation_names)
    if unknown and IS_OLD:
        pytest.skip(f"the installed botocore does not know {unknown}")
    assert not unknown


def test_a_service_that_nobody_declared_cannot_be_chosen():
    with pytest.raises(TypeError, match="the service 'glacier' is not supported"):
        mock_kms(services=["kms", "glacier"])
