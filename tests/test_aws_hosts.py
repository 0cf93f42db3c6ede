"""Which host names are AWS's: all that botocore's own data has, and nothing that looks alike."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import pytest
from botocore.endpoint_provider import EndpointProvider
from botocore.exceptions import EndpointVariantError
from botocore.loaders import Loader
from botocore.regions import EndpointResolver

from kmsmock.aws.hosts import is_aws_host, read_host, read_region

LOADER = Loader()
RESOLVER = EndpointResolver(LOADER.load_data("endpoints"))
PARTITIONS = RESOLVER.get_available_partitions()
VARIANTS = pytest.mark.parametrize(
    ("dual_stack", "fips"),
    [(False, False), (False, True), (True, False), (True, True)],
    ids=["standard", "fips", "dual-stack", "dual-stack-fips"],
)


def list_regions(partition: str) -> list[str]:
    return list(RESOLVER.get_available_endpoints("kms", partition))


@VARIANTS
@pytest.mark.parametrize("partition", PARTITIONS)
def test_the_endpoints_in_the_data_of_botocore_are_hosts_of_aws(
    partition: str, dual_stack: bool, fips: bool
) -> None:
    for region in list_regions(partition):
        try:
            host = RESOLVER.construct_endpoint(
                "kms", region, partition, use_dualstack_endpoint=dual_stack, use_fips_endpoint=fips
            )["hostname"]
        except EndpointVariantError:
            pytest.skip("this partition has no dual-stack endpoints in this data")
        assert is_aws_host(host)
        assert read_region(host) == region


@VARIANTS
@pytest.mark.parametrize("partition", PARTITIONS)
def test_the_endpoints_by_the_rules_of_botocore_are_hosts_of_aws(
    partition: str, dual_stack: bool, fips: bool
) -> None:
    rules = LOADER.load_service_model("kms", "endpoint-rule-set-1")
    provider = EndpointProvider(rules, LOADER.load_data("partitions"))
    has = {each["id"]: each["outputs"] for each in LOADER.load_data("partitions")["partitions"]}
    if dual_stack and not has[partition]["supportsDualStack"]:
        pytest.skip("this partition has no dual-stack endpoints")
    for region in list_regions(partition):
        endpoint = provider.resolve_endpoint(
            Region=region, UseDualStack=dual_stack, UseFIPS=fips, Endpoint=None
        )
        assert is_aws_host(read_host(endpoint.url))
        assert read_region(read_host(endpoint.url)) == region


def test_the_endpoints_of_all_services_are_hosts_of_aws() -> None:
    hosts = set()
    for path in Path(Loader.BUILTIN_DATA_PATH).glob("*/*/endpoint-rule-set-1.json*"):
        content = path.read_bytes()
        text = gzip.decompress(content) if path.suffix == ".gz" else content
        for template in re.findall(r'"(https?://[^"]+)"', text.decode()):
            # A variable is a suffix of a partition, which the tests above have, or a label.
            if not template.split("/")[2].endswith("}"):
                hosts.add(read_host(re.sub(r"\{[^}]*\}", "x", template)))

    assert {host for host in hosts if not is_aws_host(host)} == {"localhost"}


@pytest.mark.parametrize(
    ("host", "region"),
    [
        ("kms.us-east-1.amazonaws.com", "us-east-1"),
        ("kms.eu-west-1.api.aws", "eu-west-1"),
        ("kms-fips.us-gov-west-1.amazonaws.com", "us-gov-west-1"),
        ("kms-fips.us-gov-east-1.api.aws", "us-gov-east-1"),
        ("kms.cn-north-1.amazonaws.com.cn", "cn-north-1"),
        ("kms.cn-northwest-1.api.amazonwebservices.com.cn", "cn-northwest-1"),
        ("kms.us-iso-east-1.c2s.ic.gov", "us-iso-east-1"),
        ("kms.us-iso-east-1.api.aws.ic.gov", "us-iso-east-1"),
        ("kms.us-isob-east-1.sc2s.sgov.gov", "us-isob-east-1"),
        ("kms.us-isob-east-1.api.aws.scloud", "us-isob-east-1"),
        ("kms.eu-isoe-west-1.cloud.adc-e.uk", "eu-isoe-west-1"),
        ("kms.eu-isoe-west-1.api.cloud-aws.adc-e.uk", "eu-isoe-west-1"),
        ("kms-fips.us-isof-south-1.csp.hci.ic.gov", "us-isof-south-1"),
        ("kms.us-isof-south-1.api.aws.hci.ic.gov", "us-isof-south-1"),
        ("kms.eusc-de-east-1.amazonaws.eu", "eusc-de-east-1"),
        ("kms.eusc-de-east-1.api.amazonwebservices.eu", "eusc-de-east-1"),
        ("vpce-0295a3ca-dfm9tr04.kms.us-east-1.vpce.amazonaws.com", "us-east-1"),
        ("vpce-0295a3ca-dfm9tr04-us-east-1a.kms.us-east-1.vpce.amazonaws.com", "us-east-1"),
        ("vpce-0295a3ca-dfm9tr04.kms-fips.us-west-2.vpce.amazonaws.com", "us-west-2"),
        ("kms.us-mars-1.amazonaws.com", "us-mars-1"),
        ("s3.amazonaws.com", None),
        ("documents.s3.dualstack.eu-west-1.amazonaws.com", "eu-west-1"),
        ("eu-west-1.queue.amazonaws.com", None),
    ],
)
def test_hosts_of_aws_are_known_also_where_botocore_is_older(host: str, region: str | None) -> None:
    assert is_aws_host(host)
    assert read_region(host) == region


@pytest.mark.parametrize(
    "url",
    [
        "https://kms.us-east-1.amazonaws.com/",
        "https://kms.us-east-1.amazonaws.com./",
        "https://KMS.US-EAST-1.AmazonAWS.COM/",
        "https://kms.us-east-1.amazonaws.com:8443/path",
        "http://user:secret@kms.us-east-1.amazonaws.com.:80/?a=b",
    ],
    ids=["plain", "final dot", "upper case", "port", "user"],
)
def test_the_form_of_a_url_makes_no_difference(url: str) -> None:
    assert read_host(url) == "kms.us-east-1.amazonaws.com"


@pytest.mark.parametrize(
    "url",
    [
        "https://kms.us-east-1.amazonaws.com.evil.org",
        "https://kms.us-east-1.amazonaws.com@evil.org",
        "https://evil.org/kms.us-east-1.amazonaws.com",
        "https://my-kms.example.com",
        "https://kms.us-east-1.myamazonaws.com",
        "https://amazonaws.com",
        "https://docs.aws.amazon.com",
        "http://localhost:4566",
        "http://kms.us-east-1.localhost.localstack.cloud:4566",
        "http://localstack:4566",
        "http://127.0.0.1:5000",
        "http://[::1]:5000",
        "http://169.254.169.254/latest/meta-data",
        "http://ec2-203-0-113-25.compute-1.amazonaws.com:4566",
        "http://ec2-203-0-113-25.us-west-2.compute.amazonaws.com:4566",
        "http://emulator-1234.eu-west-1.elb.amazonaws.com",
        "http://emulator-1234.elb.eu-west-1.amazonaws.com",
        "https://abcdefgh.lambda-url.us-east-1.on.aws",
        "https://[kms.us-east-1.amazonaws.com",
        "no URL",
        "",
    ],
)
def test_what_only_looks_alike_is_no_host_of_aws(url: str) -> None:
    assert not is_aws_host(read_host(url))
    assert read_region(read_host(url)) is None
