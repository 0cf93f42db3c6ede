"""Faults end with the test, or the wider fixture, that has armed them."""

from __future__ import annotations

import pytest

#: What each test module begins with.
BEGINNING = """
import pytest
from botocore.exceptions import ClientError

def throttled(kms):
    try:
        kms.client().list_keys()
    except ClientError as error:
        return error.response["Error"]["Code"] == "KMSInternalException"
    return False
"""
WIDER = ("class_kms", "module_kms", "session_kms")


@pytest.fixture
def run(run_alone):
    """Run pytest on a module that has this beginning."""
    return lambda text, *options: run_alone(BEGINNING + text, *options)


@pytest.mark.parametrize("name", WIDER)
@pytest.mark.parametrize("also", ["", ", kms"], ids=["alone", "with kms"])
def test_a_fault_of_a_test_is_gone_at_its_end_under_a_wider_mock(run, name, also):
    result = run(
        f"""
class TestIt:
    def test_arms(self, {name}{also}):
        {name}.faults.fail("ListKeys", "KMSInternalException", times=50, optional=True)
        assert throttled({name})

    def test_is_not_hit(self, {name}{also}):
        assert not throttled({name})
"""
    )

    result.assert_outcomes(passed=2)


@pytest.mark.parametrize("name", WIDER)
@pytest.mark.parametrize("also", ["", ", kms"], ids=["alone", "with kms"])
def test_a_fault_of_a_test_that_did_not_fire_fails_that_test(run, name, also):
    result = run(
        f"""
class TestIt:
    def test_arms(self, {name}{also}):
        {name}.faults.throttle("Encrypt")

    def test_arms_nothing(self, {name}{also}):
        pass
"""
    )

    result.assert_outcomes(passed=2, errors=1)
    result.stdout.fnmatch_lines(["*ERROR at teardown of TestIt.test_arms _*"])
    result.stdout.fnmatch_lines(["*faults that did not fire:*", "*no call has been made*"])


FIXTURE = """
@pytest.fixture(scope="{scope}", autouse={autouse})
def armed({mock}):
    {mock}.faults.fail("ListKeys", "KMSInternalException", times=None{terms})
"""


@pytest.mark.parametrize(("scope", "mock"), [("module", "module_kms"), ("class", "session_kms")])
@pytest.mark.parametrize("autouse", [True, False])
def test_a_fault_of_a_wider_fixture_lasts_as_long_as_the_fixture(run, scope, mock, autouse):
    result = run(
        FIXTURE.format(scope=scope, mock=mock, autouse=autouse, terms="")
        + f"""
class TestIt:
    def test_first(self, {mock}, armed):
        assert throttled({mock})

    def test_second(self, {mock}, armed, kms):
        assert throttled({mock})
"""
    )

    result.assert_outcomes(passed=2)


def test_a_fault_of_a_fixture_is_gone_when_the_fixture_ends(run):
    result = run(
        """
class TestArmed:
    @pytest.fixture(scope="class", autouse=True, params=["a", "b"])
    def armed(self, request, session_kms):
        session_kms.faults.fail("ListKeys", "KMSInternalException", times=None, optional=True,
                                region="us-east-1" if request.param == "a" else "eu-west-1")
        return request.param

    def test_it(self, session_kms, armed):
        assert throttled(session_kms) == (armed == "a")

class TestOther:
    def test_it(self, session_kms):
        assert not throttled(session_kms)
"""
    )

    result.assert_outcomes(passed=3)


def test_a_fault_of_a_wider_fixture_that_never_fires_fails_the_last_test_of_its_scope(run):
    result = run(
        FIXTURE.format(scope="class", mock="session_kms", autouse=True, terms="")
        + """
class TestIt:
    def test_first(self): ...
    def test_last(self): ...

def test_other(): ...
"""
    )

    result.assert_outcomes(passed=3, errors=2)
    result.stdout.fnmatch_lines(["*ERROR at teardown of TestIt.test_last _*"])
    result.stdout.no_fnmatch_line("*ERROR at teardown of TestIt.test_first _*")


@pytest.mark.parametrize(
    "set_up",
    ["def setup_class(self):", "def setup_method(self):"],
)
def test_a_fault_of_a_set_up_lasts_as_long_as_the_set_up_says(run, set_up):
    result = run(
        f"""
from kmsmock import mock_kms

@pytest.fixture(scope="module", autouse=True)
def mocked():
    with mock_kms() as kms:
        yield kms

class TestIt:
    {set_up}
        import kmsmock
        kmsmock.current().faults.fail("ListKeys", "KMSInternalException", times=None)

    def test_first(self, mocked):
        assert throttled(mocked)

    def test_second(self, mocked):
        assert throttled(mocked)

def test_other(mocked):
    assert not throttled(mocked)
"""
    )

    result.assert_outcomes(passed=3)


def test_a_test_can_clear_the_faults_of_a_fixture_for_itself_alone(run):
    result = run(
        FIXTURE.format(scope="module", mock="module_kms", autouse=True, terms="")
        + """
@pytest.mark.parametrize("method", ["clear", "reset"])
def test_clears(module_kms, kms, method):
    kms.faults.clear() if method == "clear" else kms.reset()
    assert not throttled(kms)

def test_is_hit(module_kms):
    assert throttled(module_kms)

class TestClearedByClass:
    @pytest.fixture(scope="class", autouse=True)
    def cleared(self, module_kms):
        module_kms.faults.clear()

    def test_clears_again(self, module_kms):
        module_kms.faults.clear()

    def test_is_not_hit(self, module_kms):
        assert not throttled(module_kms)
"""
    )

    result.assert_outcomes(passed=5)


@pytest.mark.parametrize(
    ("test", "outcomes"),
    [
        ("kms.faults.throttle('Encrypt')", {"passed": 1, "errors": 1}),
        ("kms.faults.throttle('Encrypt', times=None)", {"passed": 1, "errors": 1}),
        ("kms.faults.throttle('Encrypt', probability=.5)", {"passed": 1, "errors": 1}),
        ("kms.faults.delay('Encrypt', seconds=1)", {"passed": 1, "errors": 1}),
        ("kms.faults.throttle('Encrypt', optional=True)", {"passed": 1}),
        ("kms.faults.throttle('Encrypt'); kms.faults.clear()", {"passed": 1}),
        ("kms.faults.throttle('Encrypt'); assert 0", {"failed": 1}),
        ("kms.faults.throttle('Encrypt'); pytest.skip()", {"skipped": 1}),
        ("kms.faults.throttle('Encrypt'); pytest.xfail()", {"xfailed": 1}),
        ("kms.faults.throttle('Encrypt'); kms.faults.assert_all_fired()", {"failed": 1}),
    ],
)
@pytest.mark.parametrize("name", ["kms", "module_kms"])
def test_an_unfired_fault_is_an_error_of_a_test_that_has_no_other(run, name, test, outcomes):
    result = run(f"def test_it({name}): kms = {name}; {test}\n")

    result.assert_outcomes(**outcomes)


def test_a_failed_test_has_no_second_error_for_a_wider_fixture_either(run):
    result = run(
        FIXTURE.format(scope="module", mock="module_kms", autouse=True, terms="")
        + "def test_it(): assert 0\n"
    )

    result.assert_outcomes(failed=1)


def test_a_fault_of_a_fixture_that_fails_is_no_second_error(run):
    result = run(
        """
@pytest.fixture
def broken(kms):
    kms.faults.throttle("Encrypt")
    raise RuntimeError

def test_it(broken): ...
"""
    )

    result.assert_outcomes(errors=1)


def test_a_fault_that_the_test_itself_has_told_is_not_told_again(run):
    result = run(
        """
def test_it(kms):
    kms.faults.throttle("Encrypt")
    with pytest.raises(AssertionError):
        kms.faults.assert_all_fired()
"""
    )

    result.assert_outcomes(passed=1)


def test_a_fault_of_a_test_does_not_hit_the_tear_down_of_fixtures(run):
    result = run(
        """
@pytest.fixture
def client(kms):
    yield kms.client()
    assert not throttled(kms)

def test_it(client, kms):
    kms.faults.fail("ListKeys", "KMSInternalException", times=None)
    assert throttled(kms)
"""
    )

    result.assert_outcomes(passed=1)


def test_a_mock_that_is_no_fixture_checks_no_faults(run):
    result = run(
        """
from kmsmock import mock_kms

def test_it():
    with mock_kms() as kms:
        kms.faults.throttle("Encrypt")
"""
    )

    result.assert_outcomes(passed=1)


def test_faults_that_are_armed_at_the_same_time_hit_calls_independently(run):
    result = run(
        """
TERMS = {"times": None, "probability": 0.5, "optional": True}
HIT_BY_WIDER = []

@pytest.fixture(scope="module")
def wider(module_kms):
    fault = module_kms.faults.fail("ListKeys", "KMSInternalException", **TERMS)
    HIT_BY_WIDER.extend(throttled(module_kms) for _ in range(30))
    return fault

def test_arms_one_before(module_kms, request):
    module_kms.faults.fail("Encrypt", "KMSInternalException", **TERMS)
    request.getfixturevalue("wider")

def test_arms_one_afterwards(module_kms, wider):
    module_kms.faults.clear()
    module_kms.faults.fail("ListKeys", "KMSInternalException", **TERMS)
    assert [throttled(module_kms) for _ in range(30)] != HIT_BY_WIDER
""",
        "--kms-seed=7",
    )

    result.assert_outcomes(passed=2)
