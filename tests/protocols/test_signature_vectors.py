"""The published vectors of Signature Version 4.

Source: AWS General Reference, "Signature Version 4 Test Suite" (aws-sig-v4-test-suite), with the
access key AKIDEXAMPLE, for the service "service" in us-east-1. Left out are what HTTP no longer
permits, and a request whose published parts contradict each other.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

import pytest

from kmsmock.protocols import sigv4
from kmsmock.protocols.sigv4 import Scope, Signature

SECRET_KEY = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
SCOPE = Scope("20150830", "us-east-1", "service", "aws4_request")
DATE = "20150830T123600Z"
UNRESERVED = "-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
TOKEN = (
    "AQoDYXdzEPT//////////wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQWLWsKWHGBuFqwAeMicRXmxfpSPf"
    "IeoIYRqTflfKD8YUuwthAx7mSEI/qkPpKPi/kMcGdQrmGdeehM4IC1NtBmUpp2wUE8phUZampKsburEDy0KPkyQDYwT7W"
    "Z0wq5VSXDvp75YU9HFvlRd8Tx6q6fE8YQcHNVXAkiY9q6d+xo0rKwT38xVqr7ZD0u0iPPkUL64lIZbqBAz+scqKmlzm8F"
    "DrypNC9Yjc8fPOLn9FX9KSYvKTr4rvx3iSIlTJabIQwj2ICCR/oLxBA=="
)


class Vector(NamedTuple):
    name: str
    method: str
    target: str
    signature: str
    headers: Mapping[str, str] = MappingProxyType({})
    body: bytes = b""


FORM = {"content-type": "application/x-www-form-urlencoded"}
VECTORS = [
    Vector(
        "get-header-key-duplicate",
        "GET",
        "/",
        "c9d5ea9f3f72853aea855b47ea873832890dbdd183b4468f858259531a5138ea",
        {"my-header1": "value2,value2,value1"},
    ),
    Vector(
        "get-header-value-order",
        "GET",
        "/",
        "08c7e5a9acfcfeb3ab6b2185e75ce8b1deb5e634ec47601a50643f830c755c01",
        {"my-header1": "value4,value1,value3,value2"},
    ),
    Vector(
        "get-header-value-trim",
        "GET",
        "/",
        "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736",
        {"my-header1": "value1", "my-header2": '"a   b   c"'},
    ),
    Vector(
        "get-unreserved",
        "GET",
        f"/{UNRESERVED}",
        "07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f",
    ),
    Vector(
        "get-vanilla",
        "GET",
        "/",
        "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
    ),
    Vector(
        "get-vanilla-empty-query-key",
        "GET",
        "/?Param1=value1",
        "a67d582fa61cc504c4bae71f336f98b97f1ea3c7a6bfe1b6e45aec72011b9aeb",
    ),
    Vector(
        "get-vanilla-query",
        "GET",
        "/",
        "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
    ),
    Vector(
        "get-vanilla-query-order-key",
        "GET",
        "/?Param1=value2&Param1=Value1",
        "eedbc4e291e521cf13422ffca22be7d2eb8146eecf653089df300a15b2382bd1",
    ),
    Vector(
        "get-vanilla-query-order-key-case",
        "GET",
        "/?Param2=value2&Param1=value1",
        "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
    ),
    Vector(
        "get-vanilla-query-order-value",
        "GET",
        "/?Param1=value2&Param1=value1",
        "5772eed61e12b33fae39ee5e7012498b51d56abc0abb7c60486157bd471c4694",
    ),
    Vector(
        "get-vanilla-query-unreserved",
        "GET",
        f"/?{UNRESERVED}={UNRESERVED}",
        "9c3e54bfcdf0b19771a7f523ee5669cdf59bc7cc0884027167c21bb143a40197",
    ),
    Vector(
        "get-vanilla-utf8-query",
        "GET",
        "/?ሴ=bar",
        "2cdec8eed098649ff3a119c94853b13c643bcf08f8b0a1d91e12c9027818dd04",
    ),
    Vector(
        "post-header-key-case",
        "POST",
        "/",
        "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b",
    ),
    Vector(
        "post-header-key-sort",
        "POST",
        "/",
        "c5410059b04c1ee005303aed430f6e6645f61f4dc9e1461ec8f8916fdf18852c",
        {"my-header1": "value1"},
    ),
    Vector(
        "post-header-value-case",
        "POST",
        "/",
        "cdbc9802e29d2942e5e10b5bccfdd67c5f22c7c4e8ae67b53629efa58b974b7d",
        {"my-header1": "VALUE1"},
    ),
    Vector(
        "post-vanilla",
        "POST",
        "/",
        "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b",
    ),
    Vector(
        "post-vanilla-empty-query-value",
        "POST",
        "/?Param1=value1",
        "28038455d6de14eafc1f9222cf5aa6f1a96197d7deb8263271d420d138af7f11",
    ),
    Vector(
        "post-vanilla-query",
        "POST",
        "/?Param1=value1",
        "28038455d6de14eafc1f9222cf5aa6f1a96197d7deb8263271d420d138af7f11",
    ),
    Vector(
        "post-x-www-form-urlencoded",
        "POST",
        "/",
        "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a",
        FORM,
        b"Param1=value1",
    ),
    Vector(
        "get-relative",
        "GET",
        "/example/..",
        "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
    ),
    Vector(
        "get-relative-relative",
        "GET",
        "/example1/example2/../..",
        "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
    ),
    Vector(
        "get-slash", "GET", "//", "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"
    ),
    Vector(
        "get-slash-dot-slash",
        "GET",
        "/./",
        "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
    ),
    Vector(
        "get-slash-pointless-dot",
        "GET",
        "/./example",
        "ef75d96142cf21edca26f06005da7988e4f8dc83a165a80865db7089db637ec5",
    ),
    Vector(
        "get-slashes",
        "GET",
        "//example//",
        "9a624bd73a37c9a373b5312afbebe7a714a789de108f0bdfe846570885f57e84",
    ),
    Vector(
        "post-sts-header-after",
        "POST",
        "/",
        "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b",
    ),
    Vector(
        "post-sts-header-before",
        "POST",
        "/",
        "85d96828115b5dc0cfc3bd16ad9e210dd772bbebba041836c64533a82be05ead",
        {"x-amz-security-token": TOKEN},
    ),
]


@pytest.mark.parametrize("vector", VECTORS, ids=[vector.name for vector in VECTORS])
def test_a_published_request_has_the_published_signature(vector: Vector) -> None:
    headers = {"host": "example.amazonaws.com", "x-amz-date": DATE, **vector.headers}
    signature = Signature(
        "AKIDEXAMPLE", SCOPE, tuple(sorted(headers)), "", DATE, token=None, is_query=False
    )
    time = sigv4.read_time(DATE)
    assert time is not None
    canonical = sigv4.build_canonical_request(
        vector.method, vector.target, headers, vector.body, signature
    )
    assert (
        sigv4.sign(SECRET_KEY, SCOPE, sigv4.build_string_to_sign(time, SCOPE, canonical))
        == vector.signature
    )
