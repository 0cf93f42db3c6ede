"""Fixtures for a conftest.py: a container of kmsmock for the session, empty for each test.

Needs ``pip install testcontainers boto3 pytest``, and the image ``kmsmock``.
"""

import json
import urllib.request

import boto3
import pytest
from testcontainers.core.container import DockerContainer
from testcontainers.core.waiting_utils import wait_for_logs


@pytest.fixture(scope="session")
def kms_url():
    """Return the URL of the container."""
    with DockerContainer("kmsmock").with_exposed_ports(4599) as container:
        wait_for_logs(container, "kmsmock is ready", timeout=30)
        yield f"http://{container.get_container_host_ip()}:{container.get_exposed_port(4599)}"


@pytest.fixture
def kms_client(kms_url):
    """Return a KMS client of an administrator."""
    headers = {"Content-Type": "application/json"}
    reset = urllib.request.Request(f"{kms_url}/_kmsmock/v1/reset", b"{}", headers)
    assert json.load(urllib.request.urlopen(reset, timeout=10)) == {}
    return boto3.client(
        "kms",
        region_name="us-east-1",
        endpoint_url=kms_url,
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )
