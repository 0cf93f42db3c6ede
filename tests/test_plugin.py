"""The pytest plugin, from outside: fixtures, marks, options, reports."""

from __future__ import annotations

import sys

import pytest

from kmsmock import mock_kms
from tests.configured_machine import Machine


@pytest.fixture(scope="module", autouse=True)
def _imported() -> None:
    """Import all beforehand: pytester forgets what its runs import, and they would do it again."""
    with mock_kms() as kms:
        kms.client().list_keys()
        kms.backend.checkpoint()


@pytest.fixture
def run(pytester: pytest.Pytester) -> pytest.Pytester:
    """Give a pytester in a folder without configuration of ours."""
    pytester.makeini("[pytest]\n")
    return pytester


def passes(pytester: pytest.Pytester, code: str, *arguments: str, count: int = 1) -> None:
    pytester.makepyfile(code)

    result = pytester.runpytest_inprocess(*arguments)

    result.assert_outcomes(passed=count)


# --- fixtures -----------------------------------------------------------------------------


def test_the_kms_fixture_answers_any_boto3_client(run: pytest.Pytester) -> None:
    passes(
        run,
        """
        import boto3

        def test_it(kms):
            key_id = boto3.client("kms").create_key()["KeyMetadata"]["KeyId"]
            assert [key.key_id for key in kms.keys] == [key_id]
        """,
    )


def test_each_test_has_a_world_of_its_own(run: pytest.Pytester) -> None:
    passes(
        run,
        """
        import pytest

        @pytest.mark.parametrize("turn", [1, 2])
        def test_it(kms, kms_client, turn):
            assert kms.keys == ()
            kms_client.create_key()
        """,
        count=2,
    )


def test_kms_key_is_a_symmetric_key_with_its_client(run: pytest.Pytester) -> None:
    passes(
        run,
        """
        def test_it(kms_key):
            blob = kms_key.client.encrypt(KeyId=kms_key.id, Plaintext=b"text")["CiphertextBlob"]
            answer = kms_key.client.decrypt(CiphertextBlob=blob)
            assert (answer["Plaintext"], answer["KeyId"]) == (b"text", kms_key.arn)
        """,
    )


def test_the_key_factory_makes_keys_of_any_spec(run: pytest.Pytester) -> None:
    passes(
        run,
        """
        def test_it(kms_key_factory, kms_client):
            key = kms_key_factory(
                spec="ECC_NIST_P256", usage="KEY_AGREEMENT", alias="agree", description="text",
                tags={"team": "blue"},
            )
            metadata = kms_client.describe_key(KeyId="alias/agree")["KeyMetadata"]
            assert metadata["Arn"] == key.arn
            assert (metadata["KeySpec"], metadata["KeyUsage"]) == ("ECC_NIST_P256", "KEY_AGREEMENT")
            assert metadata["Description"] == "text"
            tags = kms_client.list_resource_tags(KeyId=key.id)["Tags"]
            assert tags == [{"TagKey": "team", "TagValue": "blue"}]
        """,
    )


@pytest.mark.parametrize("form", ["policy", "json.dumps(policy)"])
def test_the_key_factory_takes_a_policy_as_a_dict_or_as_text(
    run: pytest.Pytester, form: str
) -> None:
    passes(
        run,
        f"""
        import json

        def test_it(kms_key_factory, kms_client):
            allow = {{"Effect": "Allow", "Principal": "*", "Action": "kms:*", "Resource": "*"}}
            policy = {{"Version": "2012-10-17", "Statement": [allow]}}
            key = kms_key_factory(policy={form})
            found = kms_client.get_key_policy(KeyId=key.id, PolicyName="default")
            assert json.loads(found["Policy"]) == policy
        """,
    )


def test_the_key_factory_chooses_a_usage_that_the_spec_can_have(run: pytest.Pytester) -> None:
    passes(
        run,
        """
        def test_it(kms_key_factory, kms_client):
            key = kms_key_factory("HMAC_256")
            usage = kms_client.describe_key(KeyId=key.id)["KeyMetadata"]["KeyUsage"]
            assert usage == "GENERATE_VERIFY_MAC"
        """,
    )


def test_kms_accounts_gives_two_accounts_that_see_their_own_keys(run: pytest.Pytester) -> None:
    passes(
        run,
        """
        def test_it(kms_accounts):
            source, target = kms_accounts
            arn = source.client().create_key()["KeyMetadata"]["Arn"]
            assert source.id in arn
            assert target.client().list_keys()["Keys"] == []
            assert source.client().list_keys()["Keys"][0]["KeyArn"] == arn
        """,
    )


@pytest.mark.parametrize("scope", ["class_kms", "module_kms", "session_kms"])
def test_kms_inside_a_longer_lived_mock_puts_it_back(run: pytest.Pytester, scope: str) -> None:
    passes(
        run,
        f"""
        import pytest

        class TestShared:
            @pytest.fixture(scope="class", autouse=True)
            def shared(self, {scope}):
                client = {scope}.client()
                key_id = client.create_key()["KeyMetadata"]["KeyId"]
                client.create_alias(AliasName="alias/shared", TargetKeyId=key_id)

            @pytest.mark.parametrize("turn", [1, 2])
            def test_it(self, kms, kms_client, turn, {scope}):
                assert kms is {scope}
                assert [alias.name for alias in kms.aliases] == ["alias/shared"]
                kms_client.encrypt(KeyId="alias/shared", Plaintext=b"text")
                kms_client.delete_alias(AliasName="alias/shared")
                kms_client.create_key()
        """,
        count=2,
    )


def test_a_ciphertext_outlives_a_test_in_a_module_wide_mock(run: pytest.Pytester) -> None:
    passes(
        run,
        """
        import pytest

        blobs = []

        @pytest.fixture(scope="module", autouse=True)
        def key_id(module_kms):
            return module_kms.client().create_key()["KeyMetadata"]["KeyId"]

        def test_encrypt(kms_client, key_id):
            blobs.append(kms_client.encrypt(KeyId=key_id, Plaintext=b"text")["CiphertextBlob"])

        def test_decrypt(kms_client):
            assert kms_client.decrypt(CiphertextBlob=blobs[0])["Plaintext"] == b"text"
        """,
        count=2,
    )


def test_the_decorator_joins_the_fixture(run: pytest.Pytester) -> None:
    passes(
        run,
        """
        import boto3
        import kmsmock

        @kmsmock.mock_kms
        def test_it(kms_key):
            assert len(boto3.client("kms").list_keys()["Keys"]) == 1
            assert kmsmock.current().keys[0].key_id == kms_key.id
        """,
    )


def test_records_tell_the_test_that_made_the_call(run: pytest.Pytester) -> None:
    passes(
        run,
        """
        def test_it(kms, kms_client):
            kms_client.list_keys()
            assert kms.calls[-1].test_id.endswith("::test_it")
        """,
    )


@pytest.mark.parametrize(
    "loaded",
    [
        pytest.param(("-p", "no:kmsmock"), id="where it is not installed"),
        # As pytest loads what is installed, whatever name the installation here has.
        pytest.param(("-p", "no:kmsmock", "-p", "kmsmock.entry"), id="where it is installed"),
    ],
)
def test_the_plugin_can_be_named_in_a_conftest(
    run: pytest.Pytester, loaded: tuple[str, ...]
) -> None:
    run.makeconftest('pytest_plugins = ["kmsmock.plugin"]')
    run.makepyfile("def test_it(kms, kms_key): assert kms.keys[0].key_id == kms_key.id")

    result = run.runpytest_subprocess(*loaded)

    result.assert_outcomes(passed=1)


# --- marks and options -----------------------------------------------------------------------


def test_marks_of_function_class_and_module_are_merged(run: pytest.Pytester) -> None:
    passes(
        run,
        """
        import pytest

        pytestmark = pytest.mark.kms(account_id="111122223333", region="eu-west-1")

        @pytest.mark.kms(region="eu-west-2", wire=True)
        class TestIt:
            @pytest.mark.kms(region="eu-west-3")
            def test_it(self, kms, kms_key):
                assert kms_key.arn.startswith("arn:aws:kms:eu-west-3:111122223333:key/")
                assert kms.options["wire"]
        """,
    )


@pytest.mark.parametrize("fixture", ["kms", ""], ids=["with a mock", "without one"])
@pytest.mark.parametrize(
    ("mark", "said"),
    [
        ('regoin="eu-west-1"', "there is no option 'regoin'; there are account_id, *"),
        ("max_request=3", "there is no option 'max_request'; there are *, max_requests, *"),
        ("max_requests='3'", "a budget has a whole number of requests, not '3'"),
        ("block_real_kms=None", "block_real_kms must be True or False, not None"),
        ("block_real_aws='no'", "block_real_aws must be True or False, not 'no'"),
        ("leak_check=2", "leak_check must be True or False, not 2"),
    ],
    ids=["option", "limit", "value of a limit", "None", "text", "number"],
)
def test_a_mark_that_cannot_be_is_told_in_a_line(
    run: pytest.Pytester, mark: str, said: str, fixture: str
) -> None:
    run.makepyfile(
        f"""
        import pytest

        @pytest.mark.kms({mark})
        def test_it({fixture}):
            pass
        """
    )

    result = run.runpytest_inprocess()

    result.stdout.fnmatch_lines([f"*::test_it: @pytest.mark.kms: {said}"])
    result.stdout.no_fnmatch_line("*plugin.py*")
    result.stdout.no_fnmatch_line("*During handling*")


def test_ini_options_hold_for_fixtures_and_decorators(run: pytest.Pytester) -> None:
    run.makeini(
        """
        [pytest]
        kms_account_id = 111122223333
        kms_region = eu-central-1
        kms_start_time = 2030-01-02T03:04:05+00:00
        kms_wire = true
        """
    )
    passes(
        run,
        """
        from datetime import datetime, timezone
        import kmsmock

        def test_fixture(kms, kms_key):
            assert kms_key.arn.startswith("arn:aws:kms:eu-central-1:111122223333:key/")
            assert kms.clock.now().replace(second=0, microsecond=0) == datetime(
                2030, 1, 2, 3, 4, tzinfo=timezone.utc
            )
            assert kms.options["wire"]

        @kmsmock.mock_kms
        def test_decorator():
            assert kmsmock.current().options["account_id"] == "111122223333"
        """,
        count=2,
    )


def test_a_wrong_ini_value_ends_the_run_with_a_sentence(run: pytest.Pytester) -> None:
    run.makeini("[pytest]\nkms_account_id = twelve\n")

    result = run.runpytest_inprocess()

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*account_id must be a string of 12 digits, not 'twelve'*"])


@pytest.mark.parametrize(
    ("ini", "region", "shown"),
    [
        ("", None, "us-east-1"),
        ("", "eu-west-2", "as configured on this machine"),
        ("kms_region = eu-west-1", "eu-west-2", "eu-west-1"),
    ],
    ids=["nothing", "the environment", "the option"],
)
def test_the_header_says_how_mocks_are(
    run: pytest.Pytester, machine: Machine, ini: str, region: str | None, shown: str
) -> None:
    run.makeini(f"[pytest]\n{ini}\n")
    if region is not None:
        machine.set(AWS_DEFAULT_REGION=region)

    result = run.runpytest_inprocess("--collect-only")

    result.stdout.fnmatch_lines(
        [f"kmsmock: account 123456789012, region {shown}, authorization enforced, real KMS *"]
    )


def test_help_has_a_group_of_ours(run: pytest.Pytester) -> None:
    result = run.runpytest_inprocess("--help")

    result.stdout.fnmatch_lines(["kmsmock (AWS KMS in memory):", "*--kms-allow-real*"])


def test_the_marker_is_registered(run: pytest.Pytester) -> None:
    result = run.runpytest_inprocess("--markers")

    result.stdout.fnmatch_lines(["@pytest.mark.kms(*options): *"])


# --- marks in the wrong place or form ------------------------------------------------------------


def outcome(pytester: pytest.Pytester, code: str, **counts: int) -> pytest.RunResult:
    pytester.makepyfile(code)
    result = pytester.runpytest_inprocess()
    result.assert_outcomes(**counts)
    return result


@pytest.mark.parametrize(
    ("given", "right"),
    [
        ("'eu-west-1'", 'kms(region="eu-west-1")'),
        ("'us-gov-west-1'", 'kms(region="us-gov-west-1")'),
        ("'111122223333'", 'kms(account_id="111122223333")'),
        ("True", 'for example kms(region="eu-west-1")'),
    ],
)
def test_a_positional_mark_is_an_error_of_its_tests_alone(
    run: pytest.Pytester, given: str, right: str
) -> None:
    result = outcome(
        run,
        f"""
        import pytest

        @pytest.mark.kms({given})
        def test_marked(kms):
            pass

        def test_other(kms):
            pass
        """,
        errors=1,
        passed=1,
    )

    result.stdout.fnmatch_lines([f"*::test_marked: *@pytest.mark.kms({given}) *: write {right}"])


WIDER = """
    import pytest

    {module_mark}

    {class_mark}
    class TestIt:
        {test_mark}
        def test_it(self, {fixtures}):
            pass
"""
REGION = '@pytest.mark.kms(region="eu-west-1")'


def wider(fixtures: str, module: str = "", cls: str = "", test: str = "") -> str:
    marks = {"module_mark": module, "class_mark": cls, "test_mark": test}
    return WIDER.format(fixtures=fixtures, **marks)


@pytest.mark.parametrize(
    ("code", "advice"),
    [
        (wider("module_kms, kms", test=REGION), "Put the mark on the module (pytestmark), *"),
        (wider("module_kms, kms", cls=REGION), "Put the mark on the module (pytestmark), *"),
        (wider("class_kms, kms_key", test=REGION), "Put the mark on the class, *"),
        (wider("session_kms", test=REGION), "Set kms_region in the configuration *"),
        (wider("kms, session_kms", "pytestmark = " + REGION[1:]), "Set kms_region *"),
    ],
    ids=["module-test", "module-class", "class-test", "session-test", "session-module"],
)
def test_a_mark_that_comes_too_late_for_a_wider_mock_is_an_error(
    run: pytest.Pytester, code: str, advice: str
) -> None:
    result = outcome(run, code, errors=1)

    result.stdout.fnmatch_lines(
        [f"*::test_it: kms(region='eu-west-1') comes too late: *_kms, without it. {advice} out."]
    )


@pytest.mark.parametrize(
    "code",
    [
        wider("module_kms, kms", "pytestmark = " + REGION[1:]),
        wider("module_kms, kms", "pytestmark = " + REGION[1:], test=REGION),
        wider("class_kms, kms", cls=REGION),
        wider("class_kms, module_kms, kms", "pytestmark = " + REGION[1:]),
        wider("module_kms, kms", test='@pytest.mark.kms(max_requests=3, max_usd="0.01")'),
        wider("session_kms, kms", test="@pytest.mark.kms(block_real_kms=False, leak_check=True)"),
        wider("session_kms, kms", test='@pytest.mark.kms(account_id="123456789012")'),
    ],
    ids=["module", "repeated", "class", "two", "limits", "of tests", "as it is anyway"],
)
def test_a_mark_that_a_wider_mock_was_made_with_or_that_is_of_tests_is_no_error(
    run: pytest.Pytester, code: str
) -> None:
    outcome(run, code, passed=1)


def test_a_class_wide_mock_outside_of_classes_obeys_the_mark_of_its_test(
    run: pytest.Pytester,
) -> None:
    passes(
        run,
        """
        import pytest

        @pytest.mark.kms(region="eu-west-1")
        def test_it(class_kms, kms):
            assert kms.options["region"] == "eu-west-1"
        """,
    )


# --- clients without a mock ----------------------------------------------------------------------

HINT = "no mock of KMS is active: use the `kms` fixture or `@mock_kms`"
UNCONFIGURED = """
    import boto3
    import pytest
    from botocore.exceptions import NoCredentialsError, NoRegionError
    from kmsmock import mock_kms

    @pytest.fixture(autouse=True)
    def unconfigured(monkeypatch, tmp_path):
        for name in ("AWS_ACCESS_KEY_ID", "AWS_PROFILE", "AWS_DEFAULT_REGION", "AWS_REGION"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
        monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
        monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
"""


@pytest.mark.parametrize(
    "body",
    [
        'boto3.client("kms")',
        'boto3.client("kms", "us-east-1").list_keys()',
        'boto3.Session().client("kms", "us-east-1").get_paginator("list_keys").paginate()\\\n'
        "            .build_full_result()",
    ],
    ids=["no Region", "no credentials", "paginator"],
)
def test_a_kms_client_without_mock_and_configuration_gets_a_hint(
    run: pytest.Pytester, body: str
) -> None:
    code = f"""
    def test_it():
        try:
            {body}
        except Exception as error:
            raise LookupError("of the application") from error
    """
    run.makeconftest(
        """
        import pytest

        @pytest.hookimpl(wrapper=True)
        def pytest_runtest_makereport(item, call):
            report = yield
            if call.excinfo is not None:
                item.config.rootpath.joinpath("notes").write_text(
                    "\\n".join(call.excinfo.value.__cause__.__notes__)
                )
            return report
        """
    )
    outcome(run, UNCONFIGURED + code, failed=1)

    assert (run.path / "notes").read_text() == HINT


@pytest.mark.skipif(sys.version_info < (3, 11), reason="there are no exception groups")
def test_a_kms_client_whose_error_is_in_a_group_gets_a_hint(run: pytest.Pytester) -> None:
    code = """
    def test_it():
        try:
            boto3.client("kms")
        except NoRegionError as error:
            raise ExceptionGroup("several", [error]) from None
    """
    result = outcome(run, UNCONFIGURED + code, failed=1)

    result.stdout.fnmatch_lines(["*no mock of KMS is active*"])


def test_a_kms_client_that_a_module_makes_when_it_is_imported_gets_a_hint(
    run: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_PROFILE", "AWS_DEFAULT_REGION", "AWS_REGION"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(run.path / "none"))
    monkeypatch.setattr("boto3.DEFAULT_SESSION", None)

    result = outcome(run, 'import boto3\nclient = boto3.client("kms")\n', errors=1)

    result.stdout.fnmatch_lines(["no mock of KMS is active while modules are imported: create*"])


@pytest.mark.parametrize(
    "body",
    [
        'boto3.client("sqs")',
        'boto3.client("s3", "us-east-1").list_buckets()',
        'exec("class NoRegionError(Exception): pass"); raise locals()["NoRegionError"]',
    ],
    ids=["no Region", "no credentials", "another error of that name"],
)
def test_what_is_not_of_kms_gets_no_hint(run: pytest.Pytester, body: str) -> None:
    result = outcome(run, f"{UNCONFIGURED}\n    def test_it():\n        {body}\n", failed=1)

    result.stdout.no_fnmatch_line("*no mock of KMS is active*")


def test_a_test_after_one_that_had_a_mock_gets_a_hint(run: pytest.Pytester) -> None:
    code = """
    @mock_kms
    def test_before():
        pass

    def test_it():
        boto3.client("kms")
    """
    result = outcome(run, UNCONFIGURED + code, passed=1, failed=1)

    result.stdout.fnmatch_lines(["*no mock of KMS is active*"])


def test_a_test_that_has_had_a_mock_gets_no_hint(run: pytest.Pytester) -> None:
    code = """
    def test_it():
        with mock_kms():
            pass
        boto3.client("kms")
    """
    result = outcome(run, UNCONFIGURED + code, failed=1)

    result.stdout.fnmatch_lines(["*NoRegionError*"])
    result.stdout.no_fnmatch_line("*no mock of KMS is active*")
