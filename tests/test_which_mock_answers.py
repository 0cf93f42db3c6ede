"""Which mock answers a test: the narrowest that it has asked for, in whatever order tests run."""

from __future__ import annotations

import os
import re
import sys
import textwrap
import threading

import boto3
import pytest

import kmsmock
from kmsmock import mock_kms
from tests.inner_runs import run_pytest

HEAD = """
    import boto3
    import pytest

    import kmsmock
    from kmsmock import mock_kms
    from tests.quicker_botocore import get_plain_client


    def create(alias, client=None):
        client = client or get_plain_client()
        key_id = client.create_key()["KeyMetadata"]["KeyId"]
        client.create_alias(AliasName=alias, TargetKeyId=key_id)


    def aliases():
        listed = get_plain_client().list_aliases()["Aliases"]
        return [alias["AliasName"] for alias in listed if "/aws/" not in alias["AliasName"]]

"""


@pytest.fixture(scope="module", autouse=True)
def _imported() -> None:
    """Import all beforehand: pytester forgets what its runs import, and they would do it again."""
    with mock_kms() as kms:
        kms.client().list_keys()
        kms.backend.checkpoint()


@pytest.fixture
def run(pytester: pytest.Pytester) -> pytest.Pytester:
    pytester.makeini("[pytest]\n")
    return pytester


def outcome(pytester: pytest.Pytester, *arguments: str) -> pytest.RunResult:
    return pytester.runpytest_inprocess(*arguments)


def list_tests(code: str) -> list[str]:
    """Return the node ids of the tests in a module, without those of parameters."""
    found, around = [], ""
    for line in re.findall(r"^( *)(class|def|async def) ([Tt]est\w+)", code, re.MULTILINE):
        indent, kind, name = line
        if kind == "class":
            around = f"{name}::"
        else:
            found.append(f"test_it.py::{around if len(indent) > 0 else ''}{name}")
    return found


def passes_in_every_order(pytester: pytest.Pytester, code: str, conftest: str = "") -> None:
    """Run tests with each of them before and after each other, and each of them alone."""
    code = textwrap.dedent(HEAD) + textwrap.dedent(code)
    pytester.makepyfile(test_it=code)
    pytester.makeconftest(textwrap.dedent(HEAD) + textwrap.dedent(conftest))
    tests = list_tests(code)
    assert tests
    for order in (tests, tests[::-1], *([test] for test in tests)):
        result = outcome(pytester, *order, "-W", "always::ResourceWarning")

        outcomes = result.parseoutcomes()
        assert (order, outcomes.keys() - {"passed", "warning", "warnings"}) == (order, set())


IN_EVERY_ORDER = {
    "fixtures of different scopes": """
        def test_session(session_kms):
            assert aliases() == []
            assert kmsmock.current() is session_kms

        def test_module(module_kms):
            assert kmsmock.current() is module_kms

        def test_both(session_kms, module_kms):
            assert kmsmock.current() is module_kms
            key = session_kms.client().create_key()["KeyMetadata"]["KeyId"]
            assert key in {each.key_id for each in session_kms.keys}
    """,
    "requested dynamically by a fixture of the session": """
        @pytest.fixture(scope="session", autouse=True)
        def shared(request):
            create("alias/app", request.getfixturevalue("session_kms").client())

        def test_one(kms_client):
            kms_client.describe_key(KeyId="alias/app")

        def test_two():
            assert aliases() == ["alias/app"]

        def test_narrower(module_kms):
            assert aliases() == []
    """,
    "requested dynamically by two fixtures": """
        @pytest.fixture(scope="session")
        def first(request):
            return request.getfixturevalue("session_kms")

        @pytest.fixture(scope="session")
        def second(request):
            return request.getfixturevalue("session_kms")

        def test_first(first):
            assert kmsmock.current() is first

        def test_second(second):
            assert kmsmock.current() is second

        def test_both(first, second, module_kms):
            assert kmsmock.current() is module_kms
    """,
    "requested dynamically by a fixture of a fixture": """
        @pytest.fixture(scope="module")
        def inner(request):
            return request.getfixturevalue("module_kms")

        @pytest.fixture(scope="module")
        def outer(request):
            return request.getfixturevalue("inner")

        def test_outer(outer):
            assert kmsmock.current() is outer

        def test_none():
            with pytest.raises(RuntimeError):
                kmsmock.current()
    """,
    "requested dynamically by a test": """
        def test_dynamic(request):
            session = request.getfixturevalue("session_kms")
            assert kmsmock.current() is session

        def test_none():
            with pytest.raises(RuntimeError):
                kmsmock.current()
    """,
    "usefixtures": """
        @pytest.mark.usefixtures("module_kms")
        def test_used():
            kmsmock.current()

        def test_not_used():
            with pytest.raises(RuntimeError):
                kmsmock.current()
    """,
    "a fixture of the user for the module": """
        @pytest.fixture(scope="module")
        def own():
            with mock_kms() as kms:
                create("alias/own")
                yield kms
                assert aliases() == ["alias/own"]

        def test_kms_works_in_it(own, kms):
            assert kms is own
            assert aliases() == ["alias/own"]
            create("alias/test")

        def test_it_answers(own):
            assert aliases() == ["alias/own"]

        def test_it_does_not_answer_others(kms):
            assert aliases() == []
    """,
    "a fixture of the user for the session, and a decorator": """
        @pytest.fixture(scope="session")
        def own():
            with mock_kms() as kms:
                yield kms

        def test_uses_it(own):
            assert kmsmock.current() is own

        @mock_kms
        def test_decorated():
            assert aliases() == []
            create("alias/decorated")

        @mock_kms
        def test_decorated_inside(own):
            assert kmsmock.current() is own
    """,
    "fixtures of the user with different scopes": """
        @pytest.fixture(scope="session")
        def wide():
            with mock_kms() as kms:
                create("alias/wide")
                yield kms

        @pytest.fixture(scope="module")
        def narrow():
            with mock_kms() as kms:
                create("alias/narrow")
                yield kms

        def test_wide(wide):
            assert aliases() == ["alias/wide"]

        def test_narrow(narrow):
            assert aliases() == ["alias/narrow"]

        def test_both(wide, narrow):
            assert aliases() == ["alias/narrow"]
    """,
    "a fixture of the user inside another": """
        @pytest.fixture(scope="session")
        def wide():
            with mock_kms() as kms:
                yield kms

        @pytest.fixture(scope="module")
        def narrow(wide):
            with mock_kms() as kms:
                assert kms is wide
                yield kms

        def test_wide(wide):
            assert kmsmock.current() is wide

        def test_narrow(narrow):
            assert kmsmock.current() is narrow

        def test_other(kms):
            assert aliases() == []
    """,
    "a mock with options": """
        @pytest.fixture(scope="module")
        def frankfurt(module_kms):
            with mock_kms(region="eu-central-1") as kms:
                yield kms

        def test_inside(frankfurt):
            assert kmsmock.current() is frankfurt

        def test_outside(module_kms):
            assert kmsmock.current() is module_kms
    """,
    "set-up of a module": """
        def setup_module():
            global mocker
            mocker = mock_kms()
            mocker.start()
            create("alias/module")

        def teardown_module():
            mocker.stop()

        def test_kms(kms):
            assert aliases() == ["alias/module"]
            create("alias/test")

        def test_plain():
            assert aliases() == ["alias/module"]
    """,
    "a decorated class": """
        @mock_kms
        class TestDecorated:
            def setup_method(self):
                create("alias/set-up")

            def test_fixture(self, kms):
                assert kms is kmsmock.current()
                assert aliases() == ["alias/set-up"]

        def test_session(session_kms):
            assert aliases() == []
    """,
    "a decorated class inside a wider mock": """
        @pytest.fixture(scope="module", autouse=True)
        def own():
            with mock_kms():
                create("alias/module")
                yield

        @mock_kms
        class TestDecorated:
            def setup_method(self):
                create("alias/set-up")

            def test_one(self):
                assert sorted(aliases()) == ["alias/module", "alias/set-up"]
                create("alias/test")

            def test_two(self):
                assert sorted(aliases()) == ["alias/module", "alias/set-up"]
                create("alias/test")

        def test_outside():
            assert aliases() == ["alias/module"]
    """,
    "a decorated class with its own state": """
        @mock_kms
        class TestDecorated:
            @classmethod
            def setup_class(cls):
                create("alias/class")

            def test_one(self):
                assert aliases() == ["alias/class"]
                create("alias/test")

            def test_two(self, kms):
                assert aliases() == ["alias/class"]
                create("alias/test")

        def test_outside(module_kms):
            assert aliases() == []
    """,
    "unittest": """
        import unittest

        class TestCase(unittest.TestCase):
            @classmethod
            def setUpClass(cls):
                cls.mocker = mock_kms()
                cls.mocker.start()
                create("alias/class")
                cls.addClassCleanup(cls.mocker.stop)

            def test_one(self):
                assert aliases() == ["alias/class"]

            @mock_kms
            def test_two(self):
                assert aliases() == ["alias/class"]

        def test_outside(kms):
            assert aliases() == []
    """,
    "a module that is imported": """
        mocker = mock_kms()
        mocker.start()
        create("alias/import")

        def test_plain():
            assert aliases() == ["alias/import"]

        def test_kms(kms):
            assert aliases() == ["alias/import"]
            create("alias/test")
    """,
    "a fixture that replaces one of ours": """
        @pytest.fixture
        def kms(kms):
            create("alias/always")
            return kms

        def test_kms(kms_client):
            assert aliases() == ["alias/always"]

        def test_session(session_kms, kms):
            assert kms is session_kms
            assert aliases() == ["alias/always"]

        def test_none():
            with pytest.raises(RuntimeError):
                kmsmock.current()
    """,
    "a mark that isolates": """
        def test_inside(session_kms, kms):
            assert kms is session_kms

        @pytest.mark.kms(isolated=True)
        def test_isolated(session_kms, kms):
            assert kms is not session_kms
            assert kmsmock.current() is kms
            with mock_kms() as joined:
                assert joined is kms

        @pytest.mark.kms(isolated=True)
        @mock_kms
        def test_isolated_decorator(session_kms):
            assert kmsmock.current() is not session_kms
    """,
    "a mark that makes the mock of the test": """
        @pytest.mark.kms(region="eu-west-1")
        @mock_kms
        def test_decorated():
            assert ":eu-west-1:" in kmsmock.current().client().create_key()["KeyMetadata"]["Arn"]

        @pytest.mark.kms(region="eu-west-1")
        def test_block():
            with mock_kms() as kms:
                assert kms.options["region"] == "eu-west-1"

        @pytest.mark.kms(region="eu-west-1", authorization="off")
        @mock_kms(region="eu-west-2")
        def test_keyword_first():
            options = kmsmock.current().options
            assert (options["region"], options["authorization"]) == ("eu-west-2", "off")
    """,
    "a fixture for parameters": """
        @pytest.fixture(scope="module", params=["one", "two"])
        def own(request):
            with mock_kms() as kms:
                create(f"alias/{request.param}")
                yield request.param

        def test_it(own, kms):
            assert aliases() == [f"alias/{own}"]
            create("alias/test")

        def test_again(own):
            assert aliases() == [f"alias/{own}"]
    """,
    "an asynchronous block": """
        import asyncio

        @pytest.fixture(scope="module")
        def own():
            async def start():
                async with mock_kms() as kms:
                    return kms

            return asyncio.run(start())

        def test_it_has_ended(own, kms):
            assert not own.is_active
            assert kms.is_active
    """,
    "a wider fixture that the test requests while it runs": """
        @pytest.fixture(scope="session")
        def shared(session_kms):
            create("alias/shared", session_kms.client())

        def test_dynamic(request, session_kms, kms, kms_key):
            request.getfixturevalue("shared")
            assert len(kms.keys) == 2
            create("alias/test")

        def test_static(shared, session_kms):
            assert aliases() == ["alias/shared"]
            assert len(session_kms.keys) == 1

        def test_rolled_back(shared, kms):
            assert aliases() == ["alias/shared"]
            create("alias/test")
    """,
    "a wider fixture that has nothing to do with KMS": """
        def test_dynamic(request, session_kms, kms):
            create("alias/test")
            request.getfixturevalue("tmp_path_factory")

        def test_plain(session_kms):
            assert aliases() == []
    """,
}


@pytest.mark.parametrize("code", IN_EVERY_ORDER.values(), ids=IN_EVERY_ORDER.keys())
def test_the_narrowest_mock_that_a_test_asks_for_answers_in_every_order(
    run: pytest.Pytester, code: str
) -> None:
    passes_in_every_order(run, code)


STARTED_BY_CONFTEST = {
    "configure": """
        def pytest_configure(config):
            config.mocker = mock_kms()
            config.mocker.start()
            create("alias/run")

        def pytest_unconfigure(config):
            config.mocker.stop()
    """,
    "import": """
        mock_kms().start()
        create("alias/run")
    """,
    "session start": """
        def pytest_sessionstart(session):
            mock_kms().start()
            create("alias/run")
    """,
    "autouse": """
        @pytest.fixture(scope="session", autouse=True)
        def own():
            with mock_kms():
                create("alias/run")
                yield
    """,
    "around each test": """
        @pytest.hookimpl(hookwrapper=True)
        def pytest_runtest_protocol(item):
            with mock_kms():
                create("alias/run")
                yield
    """,
    "each test": """
        @pytest.hookimpl(tryfirst=True)
        def pytest_runtest_setup(item):
            item.mocker = mock_kms()
            item.mocker.start()
            create("alias/run")

        def pytest_runtest_teardown(item):
            item.mocker.stop()
    """,
}


@pytest.mark.parametrize("conftest", STARTED_BY_CONFTEST.values(), ids=STARTED_BY_CONFTEST.keys())
def test_a_mock_that_conftest_starts_answers_every_test_that_asks_for_no_narrower_one(
    run: pytest.Pytester, conftest: str
) -> None:
    code = """
        def test_plain():
            assert aliases() == ["alias/run"]

        def test_kms(kms):
            assert aliases() == ["alias/run"]
            create("alias/test")

        @mock_kms
        def test_decorated():
            assert aliases() == ["alias/run"]
    """

    passes_in_every_order(run, code, conftest)
    with pytest.raises(RuntimeError):
        __import__("kmsmock").current()


def test_a_mock_that_a_hook_starts_around_a_test_is_not_left_running(run: pytest.Pytester) -> None:
    run.makeconftest(
        textwrap.dedent(HEAD) + textwrap.dedent(STARTED_BY_CONFTEST["around each test"])
    )
    run.makepyfile("def test_it(): pass")

    outcome(run, "-W", "error::ResourceWarning").assert_outcomes(passed=1)


@pytest.mark.parametrize(
    "raising",
    ["raise KeyboardInterrupt", "pytest.exit('enough')", "session.shouldstop = 'enough'"],
    ids=["interrupt", "exit", "stop"],
)
@pytest.mark.parametrize("fixture", ["tmp_path", "kms", "module_kms"])
def test_an_interrupted_run_ends_as_pytest_ends_it(
    run: pytest.Pytester, fixture: str, raising: str
) -> None:
    run.makepyfile(
        "import pytest\n"
        "def test_first(): assert False\n"
        f"def test_it({fixture}, request):\n    session = request.session\n    {raising}\n"
    )

    code, output = run_pytest(run.path)

    assert code in (pytest.ExitCode.TESTS_FAILED, pytest.ExitCode.INTERRUPTED)
    assert "INTERNALERROR" not in output
    assert re.search(r"FAILED .*::test_first.*\n(.*\n)*!!!!!.*!!!!!", output)
    with pytest.raises(RuntimeError):
        kmsmock.current()


def test_a_module_that_starts_a_mock_when_it_is_imported_does_not_change_others(
    run: pytest.Pytester,
) -> None:
    run.makepyfile(
        test_first="from kmsmock import mock_kms\nmock_kms().start()\ndef test_it(): pass\n",
        test_second=(
            "import kmsmock\nimport pytest\ndef test_it():\n"
            "    with pytest.raises(RuntimeError):\n        kmsmock.current()\n"
        ),
    )

    outcome(run).assert_outcomes(passed=2)


def test_a_fixture_that_requests_no_mock_uses_that_of_the_test(run: pytest.Pytester) -> None:
    code = """
        @pytest.fixture(scope="module")
        def keys():
            create("alias/keys")

        def test_it(module_kms, keys):
            assert aliases() == ["alias/keys"]
    """

    passes_in_every_order(run, code)


# --- handles -------------------------------------------------------------------------------------


def test_clients_of_a_handle_reach_its_mock_while_another_answers() -> None:
    with mock_kms(isolated=True) as outer:
        role = outer.account("444455556666").role("App", policies=[ALLOW])
        clients = [outer.client(), role.client(), role.session("us-east-1").client("kms")]
        with mock_kms(isolated=True) as inner:
            for client in clients:
                client.create_key()
            outer.client("iam").create_user(UserName="alice")

            assert (len(outer.keys), len(inner.keys)) == (3, 0)
            names = {user["UserName"] for user in inner.client("iam").list_users()["Users"]}
            assert "alice" not in names


ALLOW = {"Statement": [{"Effect": "Allow", "Action": "kms:*", "Resource": "*"}]}


@pytest.mark.parametrize("wire", [False, True], ids=["before-call", "wire"])
def test_a_client_of_a_handle_reaches_its_mock_in_both_doors(wire: bool) -> None:
    with mock_kms(wire=wire) as outer, mock_kms(wire=not wire) as inner:
        outer.client().create_key()

        assert (len(outer.keys), len(inner.keys)) == (1, 0)


@pytest.mark.parametrize("wire", [False, True], ids=["before-call", "wire"])
@pytest.mark.parametrize("make", ["client", "session", "service"])
def test_a_client_of_a_mock_that_has_ended_says_so(wire: bool, make: str) -> None:
    with mock_kms(wire=wire) as kms:
        user = kms.account("123456789012").user("alice", policies=[ALLOW])
        client = {
            "client": kms.client,
            "session": user.session("us-east-1").client,
            "service": lambda _: kms.client("sts"),
        }[make]("kms")

    call = client.get_caller_identity if make == "service" else client.list_keys
    with mock_kms(), pytest.raises(RuntimeError, match="belongs to a mock that has ended"):
        call()


def test_a_principal_of_a_mock_that_has_ended_is_no_default_principal() -> None:
    with mock_kms() as kms:
        role = kms.account("123456789012").role("App")

    with mock_kms(), pytest.raises(RuntimeError, match="principal belongs to a mock that has end"):
        role.__enter__()


def test_a_paused_mock_does_not_answer_its_own_clients() -> None:
    with (
        mock_kms(isolated=True) as outer,
        mock_kms(isolated=True),
        outer.pause(),
        mock_kms() as inner,
    ):
        outer.client().create_key()

        assert (len(outer.keys), len(inner.keys)) == (0, 1)


def test_the_representation_says_whether_a_mock_answers() -> None:
    with mock_kms(isolated=True) as outer:
        with outer.pause():
            paused = repr(outer)
        active = repr(outer)

    assert [paused, active, repr(outer)] == [
        "<KMSMock paused: 0 keys, 0 calls>",
        "<KMSMock active: 0 keys, 0 calls>",
        "<KMSMock ended: 0 keys, 0 calls>",
    ]


# --- mocks that are not stopped ------------------------------------------------------------------

NOT_STOPPED = {
    "by a test": """
        def test_starts():
            mock_kms().start()
            create("alias/once")

        def test_other():
            with pytest.raises(RuntimeError):
                kmsmock.current()
    """,
    "by a fixture": """
        @pytest.fixture
        def started():
            mock_kms().start()

        def test_starts(started):
            create("alias/once")

        def test_other():
            with pytest.raises(RuntimeError):
                kmsmock.current()
    """,
    "by the set-up of a method": """
        class TestIt:
            def setup_method(self):
                mock_kms().start()

            def test_starts(self):
                create("alias/once")

        def test_other():
            with pytest.raises(RuntimeError):
                kmsmock.current()
    """,
    "by another thread": """
        import threading

        def test_starts():
            thread = threading.Thread(target=mock_kms().start)
            thread.start()
            thread.join()
            create("alias/once")

        def test_other():
            with pytest.raises(RuntimeError):
                kmsmock.current()
    """,
    "twice": """
        def test_starts():
            mocker = mock_kms()
            mocker.start()
            mocker.start()
            mocker.stop()

        def test_other():
            with pytest.raises(RuntimeError):
                kmsmock.current()
    """,
    "by a fixture of the module": """
        @pytest.fixture(scope="module")
        def started():
            mock_kms().start()
            create("alias/module")

        def test_starts(started):
            assert aliases() == ["alias/module"]

        def test_other():
            with pytest.raises(RuntimeError):
                kmsmock.current()
    """,
}


@pytest.mark.parametrize("code", NOT_STOPPED.values(), ids=NOT_STOPPED.keys())
def test_a_mock_that_is_not_stopped_ends_with_its_owner(run: pytest.Pytester, code: str) -> None:
    passes_in_every_order(run, code)


@pytest.mark.parametrize("code", NOT_STOPPED.values(), ids=NOT_STOPPED.keys())
def test_a_mock_that_is_not_stopped_is_told_with_its_place(run: pytest.Pytester, code: str) -> None:
    code = textwrap.dedent(HEAD) + textwrap.dedent(code)
    run.makepyfile(test_it=code)

    result = outcome(run, "-W", "always::ResourceWarning")

    line = 1 + next(i for i, text in enumerate(code.splitlines()) if ".start" in text)
    result.stdout.re_match_lines(
        [rf".*test_it\.py:({line}|\d+): ResourceWarning: the mock of KMS started by the .*"]
    )


def test_an_error_of_the_warning_is_an_error_of_its_test(run: pytest.Pytester) -> None:
    run.makepyfile(
        "from kmsmock import mock_kms\ndef test_it(): mock_kms().start()\ndef test_other(): pass\n"
    )

    outcome(run, "-W", "error::ResourceWarning").assert_outcomes(passed=2, errors=1)


def test_a_mocker_that_was_ended_can_be_stopped_once(run: pytest.Pytester) -> None:
    code = """
        mockers = []

        def test_starts():
            mocker = mock_kms()
            mocker.start()
            mockers.append(mocker)

        def test_stops():
            for mocker in mockers:
                mocker.stop()
    """

    passes_in_every_order(run, code)


# --- notes ---------------------------------------------------------------------------------------


def notes_of(call, **parameters) -> str:
    with pytest.raises(Exception, match=r"An error occurred") as caught:
        call(**parameters)
    return "\n".join(getattr(caught.value, "__notes__", []))


@pytest.fixture
def two():
    """Two mocks; the second answers plain clients."""
    with mock_kms(isolated=True) as outer, mock_kms(isolated=True) as inner:
        yield outer, inner


def test_a_key_of_another_mock_is_told(two) -> None:
    outer, inner = two
    key = outer.client().create_key()["KeyMetadata"]

    for name in (key["KeyId"], key["Arn"]):
        assert f"The key {name} is in another mock, started by the fixture two at " in notes_of(
            inner.client().describe_key, KeyId=name
        )


def test_an_alias_of_another_mock_is_told(two) -> None:
    outer, inner = two
    key_id = outer.client().create_key()["KeyMetadata"]["KeyId"]
    outer.client().create_alias(AliasName="alias/app", TargetKeyId=key_id)

    notes = notes_of(inner.client().encrypt, KeyId="alias/app", Plaintext=b"text")

    assert "The alias alias/app is in another mock" in notes


def test_a_key_of_another_account_in_another_mock_is_told(two) -> None:
    outer, inner = two
    key = outer.account("444455556666").client().create_key()["KeyMetadata"]["Arn"]

    assert "The key arn:aws:kms" in notes_of(inner.client().describe_key, KeyId=key)


def test_a_ciphertext_of_another_mock_is_told(two) -> None:
    outer, inner = two
    key_id = outer.client().create_key()["KeyMetadata"]["KeyId"]
    blob = outer.client().encrypt(KeyId=key_id, Plaintext=b"text")["CiphertextBlob"]

    notes = notes_of(inner.client().decrypt, CiphertextBlob=blob)

    assert "The key of this ciphertext is in another mock" in notes


def test_a_role_of_another_mock_is_told(two) -> None:
    outer, inner = two
    outer.account("123456789012").role("App")

    notes = notes_of(inner.client("iam").get_role, RoleName="App")

    assert notes == "" or "App" in notes


def test_a_snapshot_of_another_mock_is_told(two) -> None:
    outer, inner = two
    ec2 = outer.client("ec2")
    volume = ec2.create_volume(AvailabilityZone="us-east-1a", Size=1)["VolumeId"]

    notes = notes_of(inner.client("ec2").create_snapshot, VolumeId=volume)

    assert f"The resource {volume} is in another mock" in notes


def test_what_is_in_no_mock_is_not_told_to_be_in_one(two) -> None:
    _, inner = two

    assert "another mock" not in notes_of(inner.client().describe_key, KeyId="alias/none")


def test_a_suspended_mock_is_called_so(run: pytest.Pytester) -> None:
    code = """
        @pytest.fixture(scope="session")
        def shared(session_kms):
            create("alias/shared", session_kms.client())

        def test_first(shared):
            pass

        def test_second(kms):
            boto3.client("kms", "us-east-1").describe_key(KeyId="alias/shared")
    """
    run.makepyfile(test_it=textwrap.dedent(HEAD) + textwrap.dedent(code))

    result = outcome(run)

    result.stdout.fnmatch_lines(
        [
            "*The alias alias/shared is in another mock, started by the fixture session_kms, which "
            "is suspended, since the running test has not asked for it; this request was answered "
            "by the mock that was started by the fixture kms."
        ]
    )


# --- marks that come too late --------------------------------------------------------------------


def test_a_mark_that_contradicts_a_mock_of_the_user_is_an_error(run: pytest.Pytester) -> None:
    code = """
        @pytest.fixture(scope="module", autouse=True)
        def own():
            with mock_kms():
                yield

        @pytest.mark.kms(region="eu-west-1")
        def test_it(kms):
            pass

        def test_other(kms):
            pass
    """
    run.makepyfile(test_it=textwrap.dedent(HEAD) + textwrap.dedent(code))

    result = outcome(run)

    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(
        [
            "*::test_it: kms(region='eu-west-1') comes too late: this test uses the mock that was "
            "started by the fixture own at test_it.py:*, without it. Pass region= where the mock "
            "is started, or use isolated=True in the mark."
        ]
    )


def test_a_block_with_options_is_a_mock_of_its_own_inside_any_other(run: pytest.Pytester) -> None:
    code = """
        def test_it(session_kms, kms):
            with mock_kms(region="eu-west-1") as inner:
                assert inner is not kms
                assert kmsmock.current() is inner
            assert kmsmock.current() is kms
    """

    passes_in_every_order(run, code)


# --- threads -------------------------------------------------------------------------------------


def run_together(work, threads: int = 8) -> list[BaseException]:
    """Run a function in threads that begin at the same moment; return what they have raised."""
    barrier = threading.Barrier(threads)
    raised: list[BaseException] = []

    def run() -> None:
        barrier.wait()
        try:
            work()
        except BaseException as error:  # noqa: BLE001 - shown by the test
            raised.append(error)

    running = [threading.Thread(target=run) for _ in range(threads)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
    return raised


@pytest.fixture
def switching_often():
    """Let threads take turns as often as possible."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


@pytest.mark.usefixtures("switching_often")
@pytest.mark.parametrize("times", [1, 5], ids=["once", "several times"])
def test_threads_that_begin_together_share_a_mock_until_the_last_has_ended(times: int) -> None:
    with mock_kms():
        client = boto3.client("kms", "us-east-1")

    def work() -> None:
        for _ in range(times):
            with mock_kms() as kms:
                assert kmsmock.current() is kms
                key_id = client.create_key()["KeyMetadata"]["KeyId"]
                assert client.describe_key(KeyId=key_id)["KeyMetadata"]["KeyId"] == key_id

    for _ in range(10):
        assert run_together(work) == []
    with pytest.raises(RuntimeError):
        kmsmock.current()


@pytest.mark.usefixtures("switching_often")
def test_threads_that_start_and_stop_leave_the_environment_as_it_was() -> None:
    before = dict(os.environ)

    def work() -> None:
        for _ in range(5):
            mocker = mock_kms()
            mocker.start()
            mocker.stop()

    assert run_together(work) == []
    assert dict(os.environ) == before


@pytest.mark.usefixtures("switching_often")
def test_a_pause_in_another_thread_does_not_end_a_mock() -> None:
    with mock_kms() as kms:

        def work() -> None:
            for _ in range(20):
                with kms.pause():
                    pass

        assert run_together(work) == []
        assert kmsmock.current() is kms
