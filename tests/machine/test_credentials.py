"""Whose requests they are: no credentials are fetched, and those that are there are used."""

from __future__ import annotations

import json
import sys
from datetime import datetime, timedelta, timezone
from typing import Any

import boto3
import botocore.session
import pytest
from botocore.credentials import (
    CredentialProvider,
    Credentials,
    DeferredRefreshableCredentials,
    RefreshableCredentials,
    get_credentials,
)
from botocore.exceptions import ProfileNotFound
from botocore.httpsession import URLLib3Session

from kmsmock import mock_kms
from tests.configured_machine import Machine

ADMINISTRATOR = "arn:aws:iam::123456789012:user/Administrator"
ROLE = "arn:aws:sts::444455556666:assumed-role/App/session"
ALL = {"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}
DOORS = pytest.mark.parametrize("wire", [False, True], ids=["before-call", "wire"])


@pytest.fixture
def fetched(machine, monkeypatch):
    """Return the file that a credential process touches; HTTP requests and prompts raise errors."""

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("something was fetched")

    monkeypatch.setattr(URLLib3Session, "send", refuse)
    monkeypatch.setattr("getpass.getpass", refuse)
    return machine.folder / "fetched"


def process(machine: Machine, *, expires_in: float | None = None) -> str:
    """Write a credential process that touches a file; return its command."""
    credentials = {"Version": 1, "AccessKeyId": "AKIAPROCESS", "SecretAccessKey": "secret"}
    if expires_in is not None:
        expiration = datetime.now(timezone.utc) + timedelta(seconds=expires_in)
        credentials["Expiration"] = expiration.isoformat()
    script = machine.folder / "process.py"
    script.write_text(
        f"import pathlib\npathlib.Path({str(machine.folder / 'fetched')!r}).touch()\n"
        f"print({json.dumps(credentials)!r})\n"
    )
    return f"{sys.executable} {script}"


def source(settings: str) -> str:
    keys = "aws_access_key_id = AKIASOURCE\naws_secret_access_key = secret\n"
    return f"[default]\n{settings}\n[profile source]\n{keys}"


ROLE_ARN = "role_arn = arn:aws:iam::444455556666:role/App"
SSO = "sso_account_id = 444455556666\nsso_role_name = App"
SESSION = "[sso-session it]\nsso_region = us-east-1\nsso_start_url = https://it.awsapps.com/start"
#: Kinds of credentials that botocore would fetch -> what configures them.
FETCHED: dict[str, Any] = {
    "process": lambda m: m.write_config(f"[default]\ncredential_process = {process(m)}\n"),
    "single sign-on": lambda m: m.write_config(
        "[default]\nsso_region = us-east-1\nsso_start_url = https://it.awsapps.com/start\n" + SSO
    ),
    "session of single sign-on": lambda m: m.write_config(
        f"[default]\nsso_session = it\n{SSO}\n{SESSION}\n"
    ),
    "incomplete single sign-on": lambda m: m.write_config("[default]\nsso_session = missing\n"),
    "login": lambda m: m.write_config(
        "[default]\nlogin_session = arn:aws:iam::444455556666:user/Ada\n"
    ),
    "role": lambda m: m.write_config(source(f"{ROLE_ARN}\nsource_profile = source")),
    "role of a missing profile": lambda m: m.write_config(
        source(f"{ROLE_ARN}\nsource_profile = missing")
    ),
    "role with MFA": lambda m: m.write_config(
        source(f"{ROLE_ARN}\nsource_profile = source\nmfa_serial = arn:aws:iam::1:mfa/Ada")
    ),
    "role of an instance": lambda m: m.write_config(
        source(f"{ROLE_ARN}\ncredential_source = Ec2InstanceMetadata")
    ),
    "web identity of a profile": lambda m: m.write_config(
        source(f"{ROLE_ARN}\nweb_identity_token_file = /missing")
    ),
    "web identity": lambda m: m.set(
        AWS_WEB_IDENTITY_TOKEN_FILE="/missing", AWS_ROLE_ARN="arn:aws:iam::444455556666:role/App"
    ),
    "container": lambda m: m.set(AWS_CONTAINER_CREDENTIALS_RELATIVE_URI="/v2/credentials"),
    "container with an address": lambda m: m.set(
        AWS_CONTAINER_CREDENTIALS_FULL_URI="http://127.0.0.1:1/credentials"
    ),
    "instance": lambda m: m.set(AWS_EC2_METADATA_DISABLED="false"),
    "missing profile": lambda m: m.set(AWS_PROFILE="missing"),
    "profile without credentials": lambda m: (
        m.write_config("[profile empty]\noutput = json\n"),
        m.set(AWS_PROFILE="empty"),
    ),
    "broken file": lambda m: m.write_config("no configuration"),
    "broken credentials file": lambda m: m.write_credentials("no configuration"),
    "half of an access key": lambda m: m.set(AWS_ACCESS_KEY_ID="AKIAHALF"),
}


def call_as_is(kms: Any, client: Any) -> str:
    """Make a call, and return the caller in its record."""
    client.list_keys()
    caller: str = kms.calls[-1].caller
    return caller


# --- nothing is fetched ---------------------------------------------------------------------------


@DOORS
@pytest.mark.parametrize("configure", FETCHED.values(), ids=FETCHED)
def test_no_credentials_are_fetched(machine, fetched, configure, wire):
    configure(machine)

    with mock_kms(wire=wire) as kms:
        assert call_as_is(kms, boto3.client("kms")) == ADMINISTRATOR

    assert not fetched.exists()


@pytest.mark.parametrize("configure", FETCHED.values(), ids=FETCHED)
def test_none_are_fetched_for_code_that_asks_for_credentials(machine, fetched, configure):
    configure(machine)

    with mock_kms():
        assert boto3.Session().get_credentials().get_frozen_credentials().access_key

    assert not fetched.exists()


@pytest.mark.parametrize("kind", ["process", "role with MFA", "web identity", "instance"])
def test_none_are_fetched_for_code_that_uses_the_chain_of_botocore(machine, fetched, kind):
    FETCHED[kind](machine)

    with mock_kms():
        assert get_credentials(botocore.session.Session()).access_key == "testing"
        machine.unset("AWS_ACCESS_KEY_ID")
        assert get_credentials(botocore.session.Session()) is None

    assert not fetched.exists()


def test_none_are_fetched_for_other_services(machine, fetched):
    FETCHED["process"](machine)

    with mock_kms():
        for service in ("sts", "ec2", "cloudtrail"):
            boto3.client(service)
        assert boto3.client("sts").get_caller_identity()["Arn"] == ADMINISTRATOR

    assert not fetched.exists()


@DOORS
def test_a_client_from_before_refreshes_nothing(machine, fetched, wire):
    machine.write_config(f"[default]\ncredential_process = {process(machine, expires_in=1200)}\n")
    machine.set(AWS_DEFAULT_REGION="us-east-1")
    client = boto3.client("kms")
    credentials = client._request_signer._credentials
    assert isinstance(credentials, RefreshableCredentials)
    credentials._expiry_time = datetime.now(timezone.utc)
    fetched.unlink()

    with mock_kms(wire=wire) as kms:
        assert call_as_is(kms, client) == ADMINISTRATOR
        assert call_as_is(kms, boto3.client("kms")) == ADMINISTRATOR
        assert credentials.get_frozen_credentials().access_key == "AKIAPROCESS"
        assert credentials.access_key == "AKIAPROCESS"
        assert client.generate_presigned_url("list_keys")

    assert not fetched.exists()
    assert credentials.access_key == "AKIAPROCESS"
    assert fetched.exists()


@DOORS
def test_a_client_that_has_fetched_nothing_yet_does_not_do_so(machine, fetched, wire):  # noqa: ARG001
    def refresh() -> Any:
        raise AssertionError("refreshed")

    session = botocore.session.get_session()
    session._credentials = DeferredRefreshableCredentials(refresh, "test")
    client = session.create_client("kms", "us-east-1")

    with mock_kms(wire=wire) as kms:
        assert call_as_is(kms, client) == ADMINISTRATOR


@DOORS
def test_a_client_from_before_that_has_no_credentials_is_the_default_principal(machine, wire):
    machine.set(AWS_EC2_METADATA_DISABLED="true")
    client = boto3.client("kms", "eu-west-3")
    service = boto3.client("sts", "eu-west-3")

    with mock_kms(wire=wire) as kms:
        assert call_as_is(kms, client) == ADMINISTRATOR
        assert kms.calls[-1].region == "eu-west-3"
        assert service.get_caller_identity()["Arn"] == ADMINISTRATOR
        with kms.account("444455556666").role("App", policies=[ALL]):
            assert call_as_is(kms, client) == ROLE


@pytest.mark.parametrize("configure", [FETCHED["process"], FETCHED["missing profile"]])
def test_nothing_is_fetched_where_moto_answers(machine, fetched, configure):
    mock_aws = pytest.importorskip("moto").mock_aws
    configure(machine)

    with mock_kms() as kms, mock_aws():
        boto3.client("s3").create_bucket(Bucket="bucket")
        arguments = {"ServerSideEncryption": "aws:kms"}
        boto3.client("s3").put_object(Bucket="bucket", Key="a", Body=b"x", **arguments)
        assert kms.calls[-1].operation == "GenerateDataKey"

    assert not fetched.exists()


# --- credentials that are there are used ----------------------------------------------------------


def keys_of(credentials: Any) -> dict[str, str]:
    return {
        "aws_access_key_id": credentials.access_key,
        "aws_secret_access_key": credentials.secret_key,
        "aws_session_token": credentials.session_token,
    }


def section(name: str, credentials: Any) -> str:
    lines = [f"{key} = {value}" for key, value in keys_of(credentials).items()]
    return "\n".join([f"[{name}]", *lines, ""])


def in_the_environment(machine: Machine, credentials: Any) -> Any:
    machine.set(**{key.upper(): value for key, value in keys_of(credentials).items()})
    return boto3.client("kms")


def as_access_key_alone(machine: Machine, credentials: Any) -> Any:
    machine.set(AWS_ACCESS_KEY_ID=credentials.access_key)
    return boto3.client("kms")


def in_the_credentials_file(machine: Machine, credentials: Any) -> Any:
    machine.write_credentials(section("default", credentials))
    return boto3.client("kms")


def in_the_config_file(machine: Machine, credentials: Any) -> Any:
    machine.write_config(section("default", credentials))
    return boto3.client("kms")


def in_the_profile_of_the_environment(machine: Machine, credentials: Any) -> Any:
    machine.write_credentials(section("work", credentials))
    machine.set(AWS_PROFILE="work")
    return boto3.client("kms")


def in_a_profile_that_the_code_names(machine: Machine, credentials: Any) -> Any:
    machine.write_credentials(section("work", credentials))
    machine.set(AWS_ACCESS_KEY_ID="other", AWS_SECRET_ACCESS_KEY="other", AWS_PROFILE="missing")
    return boto3.Session(profile_name="work").client("kms")


def beside_a_process(machine: Machine, credentials: Any) -> Any:
    machine.write_config("[default]\ncredential_process = false\n")
    machine.write_credentials(section("default", credentials))
    return boto3.client("kms")


def of_the_client(_: Machine, credentials: Any) -> Any:
    return boto3.client("kms", **keys_of(credentials))


def of_the_session(_: Machine, credentials: Any) -> Any:
    return boto3.Session(**keys_of(credentials)).client("kms")


def of_the_default_session(_: Machine, credentials: Any) -> Any:
    boto3.setup_default_session(**keys_of(credentials))
    return boto3.client("kms")


def set_in_a_session(machine: Machine, credentials: Any) -> Any:
    machine.set(AWS_ACCESS_KEY_ID="other", AWS_SECRET_ACCESS_KEY="other")
    session = botocore.session.get_session()
    session.set_credentials(*keys_of(credentials).values())
    return session.create_client("kms")


def assumed_by_the_code(machine: Machine, credentials: Any) -> Any:
    machine.set(AWS_ACCESS_KEY_ID="other", AWS_SECRET_ACCESS_KEY="other")
    session = botocore.session.get_session()
    session._credentials = RefreshableCredentials(
        *keys_of(credentials).values(), datetime.now(timezone.utc), None, "assume-role"
    )
    return session.create_client("kms")


def of_a_provider_of_the_code(machine: Machine, credentials: Any) -> Any:
    machine.write_config("[default]\ncredential_process = false\n")

    class Provider(CredentialProvider):
        METHOD = CANONICAL_NAME = "provider-of-the-code"

        def load(self) -> Credentials:
            return Credentials(*keys_of(credentials).values(), method=self.METHOD)

    session = botocore.session.get_session()
    session.get_component("credential_provider").insert_before("env", Provider())
    return session.create_client("kms")


GIVEN = [
    in_the_environment,
    as_access_key_alone,
    in_the_credentials_file,
    in_the_config_file,
    in_the_profile_of_the_environment,
    in_a_profile_that_the_code_names,
    beside_a_process,
    of_the_client,
    of_the_session,
    of_the_default_session,
    set_in_a_session,
    assumed_by_the_code,
    of_a_provider_of_the_code,
]


@DOORS
@pytest.mark.parametrize("give", GIVEN)
def test_an_access_key_of_the_mock_is_its_principal(machine, give, wire):
    with mock_kms(wire=wire) as kms:
        role = kms.account("444455556666").role("App", policies=[ALL])

        assert call_as_is(kms, give(machine, role.credentials)) == ROLE


@DOORS
@pytest.mark.parametrize("give", GIVEN)
def test_any_other_access_key_is_the_default_principal(machine, give, wire):
    with mock_kms() as other:
        credentials = other.account("444455556666").role("App").credentials

    with mock_kms(wire=wire) as kms:
        assert call_as_is(kms, give(machine, credentials)) == ADMINISTRATOR


# --- nothing is kept -----------------------------------------------------------------------------


def test_a_session_keeps_no_credentials_of_a_mock(machine):
    machine.set(AWS_EC2_METADATA_DISABLED="true")

    with mock_kms():
        boto3.client("kms").list_keys()

    assert boto3.DEFAULT_SESSION.get_credentials() is None
    machine.set(AWS_ACCESS_KEY_ID="mine", AWS_SECRET_ACCESS_KEY="secret")
    assert boto3.DEFAULT_SESSION.get_credentials().access_key == "mine"


def test_a_session_goes_on_with_its_own_credentials(machine, fetched):
    machine.write_config(f"[default]\ncredential_process = {process(machine)}\n")
    session = boto3.Session()
    before = session.get_credentials()
    fetched.unlink()

    with mock_kms():
        assert session.get_credentials().access_key == "testing"

    assert session.get_credentials() is before
    assert not fetched.exists()


def test_credentials_that_an_earlier_test_has_cached_do_not_matter(machine):
    machine.set(AWS_ACCESS_KEY_ID="testing", AWS_SECRET_ACCESS_KEY="testing")
    boto3.setup_default_session(region_name="us-east-1")
    assert boto3.DEFAULT_SESSION.get_credentials().access_key == "testing"

    with mock_kms() as kms:
        role = kms.account("444455556666").role("App", policies=[ALL])

        assert call_as_is(kms, in_the_environment(machine, role.credentials)) == ROLE
        machine.unset("AWS_ACCESS_KEY_ID")
        assert call_as_is(kms, boto3.client("kms")) == ADMINISTRATOR


def test_the_default_session_is_not_replaced(machine):  # noqa: ARG001
    session = boto3.DEFAULT_SESSION or boto3._get_default_session()

    with mock_kms():
        boto3.client("kms").list_keys()
        assert boto3.DEFAULT_SESSION is session

    assert boto3.DEFAULT_SESSION is session


# --- profiles ------------------------------------------------------------------------------------


def test_a_profile_that_the_code_names_must_exist(machine):  # noqa: ARG001
    with mock_kms():
        with pytest.raises(ProfileNotFound):
            boto3.Session(profile_name="missing").client("kms")
        with pytest.raises(ProfileNotFound):
            botocore.session.Session(profile="missing").create_client("kms")


def test_a_missing_profile_of_the_environment_stops_no_session(machine):
    machine.set(AWS_PROFILE="missing")

    with mock_kms():
        session = boto3.Session()
        assert session.profile_name == "missing"
        assert session.available_profiles == []
        assert session.client("kms").list_keys()["Keys"] == []
        assert botocore.session.Session().get_scoped_config() == {}

    with pytest.raises(ProfileNotFound):
        boto3.Session().client("kms")


def test_a_session_from_before_has_the_profiles_of_the_present(machine):
    session = boto3.Session()
    assert session.available_profiles == []
    machine.write_config("[profile work]\nregion = eu-west-1\n")

    with mock_kms():
        assert session.available_profiles == ["work"]

    assert session.available_profiles == []


def test_other_settings_of_a_profile_are_used(machine):
    machine.write_config("[profile work]\nretry_mode = adaptive\nmax_attempts = 7\n")
    machine.set(AWS_PROFILE="work")

    with mock_kms():
        retries = boto3.client("kms").meta.config.retries

    assert retries == {"mode": "adaptive", "total_max_attempts": 7}
