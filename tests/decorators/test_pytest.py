"""Decorated fixtures, and what pytest calls beside tests."""

from __future__ import annotations

import inspect

import boto3
import pytest

from kmsmock import mock_kms
from tests.decorators.mocked import is_mocked

# --- fixtures ---------------------------------------------------------------------------------

FIXTURES = {
    "bare": pytest.fixture,
    "with arguments": pytest.fixture(scope="session", name="other"),
    "of a generator": lambda function: pytest.fixture((lambda: (yield)) if function else None),
    "static": lambda function: staticmethod(pytest.fixture(function)),
}


@pytest.mark.parametrize("decorate", [mock_kms, mock_kms(), mock_kms(region="eu-west-1")])
@pytest.mark.parametrize("make", FIXTURES.values(), ids=FIXTURES)
def test_a_decorator_above_a_fixture_is_refused_with_the_right_order(make, decorate):
    def key():
        return None

    message = "is a pytest fixture already: put @pytest.fixture above @mock_kms"

    with pytest.raises(TypeError, match=message):
        decorate(make(key))


@pytest.fixture
@mock_kms
def key():
    return boto3.client("kms").create_key()["KeyMetadata"]["KeyId"]


@pytest.fixture(params=[1, 2])
@mock_kms
def parameter(request, tmp_path):
    yield request.param, tmp_path.exists(), is_mocked()
    assert is_mocked()


def test_a_fixture_is_mocked_while_its_function_runs(key):
    assert key
    assert not is_mocked()


def test_a_generator_fixture_is_mocked_until_its_end(parameter):
    assert parameter[1:] == (True, True)
    assert is_mocked()


@pytest.mark.parametrize(
    "is_kind",
    [inspect.iscoroutinefunction, inspect.isasyncgenfunction],
    ids=lambda kind: kind.__name__,
)
def test_plugins_recognize_asynchronous_fixtures(is_kind):
    async def coroutine(): ...

    async def generator():
        yield

    assert [is_kind(mock_kms(each)) for each in (coroutine, generator)] == [
        is_kind(coroutine),
        is_kind(generator),
    ]


# --- runs of pytest -----------------------------------------------------------------------------

HEADER = """
import boto3, pytest, unittest
from kmsmock import current, mock_kms

def count_keys():
    return len(boto3.client("kms").list_keys()["Keys"])

def is_mocked():
    try:
        return bool(current())
    except RuntimeError:
        return False
"""


def test_decorated_functions_of_set_up_get_the_arguments_that_they_take(run_alone):
    result = run_alone(
        HEADER
        + """
called = []

@mock_kms
def setup_module(module):
    called.append((module.__name__, is_mocked()))

@mock_kms
def teardown_module():
    assert is_mocked()

@mock_kms
def setup_function(function):
    called.append((function.__name__, is_mocked()))

class TestClass:
    @mock_kms
    @classmethod
    def setup_class(cls):
        called.append((cls.__name__, is_mocked()))

    @mock_kms
    def setup_method(self):
        called.append(("set up", is_mocked()))

    @mock_kms
    def teardown_method(self, method):
        assert (method.__name__, is_mocked()) == ("test_method", True)

    def test_method(self):
        pass

def test_function():
    names = ["test_it", "TestClass", "set up", "test_function"]
    assert called == [(name, True) for name in names]
"""
    )

    result.assert_outcomes(passed=2)


CLASSES = """
@mock_kms
class Base:
    def setup_method(self):
        boto3.client("kms").create_key()

class TestPlain(Base):
    @classmethod
    def setup_class(cls):
        boto3.client("kms").create_key()

    @pytest.fixture
    def key(self):
        return boto3.client("kms").create_key()

    @pytest.mark.parametrize("turn", [1, 2])
    def test_it(self, key, turn):
        assert count_keys() == 3
        boto3.client("kms").create_key()

@mock_kms
class TestOuter:
    class TestInner:
        def test_it(self):
            assert count_keys() == 0

@mock_kms
class TestCase(unittest.TestCase):
    def setUp(self):
        boto3.client("kms").create_key()

    def test_it(self):
        assert count_keys() == 1

@mock_kms
def test_function():
    assert count_keys() == 0

def test_no_mock_is_left():
    assert not is_mocked()
"""


@pytest.mark.parametrize("options", [(), ("-p", "no:kmsmock")], ids=["with", "without"])
def test_decorated_classes_work_with_and_without_the_plugin(run_alone, options):
    run_alone(HEADER + CLASSES, *options).assert_outcomes(passed=6)


BASE = """
from kmsmock import mock_kms

@mock_kms
class Base:
    def setup_method(self):
        raise ValueError("in the set-up")

    def teardown_method(self):
        raise ValueError("it is not called")

@mock_kms
def check():
    raise ValueError("in the check")
"""

USES_BASE = """
import kmsmock
from base import Base, check

class TestFailing(Base):
    def test_it(self):
        pass

def test_function():
    check()

def test_no_mock_is_left():
    try:
        kmsmock.current()
    except RuntimeError:
        return
    assert False
"""


def test_tracebacks_show_the_code_of_tests_only(pytester, run_alone):
    pytester.makepyfile(base=BASE)

    result = run_alone(USES_BASE)

    result.assert_outcomes(errors=1, failed=1, passed=1)
    result.stdout.fnmatch_lines(["*ValueError: in the set-up", "*ValueError: in the check"])
    result.stdout.no_fnmatch_line("*activation*")


def test_a_class_with_tests_of_nose_is_set_up_as_pytest_does(run_alone):
    is_called = pytest.version_tuple < (8,)
    result = run_alone(
        HEADER
        + f"""
@mock_kms
class TestNose:
    key = None

    def setup(self):
        self.key = boto3.client("kms").create_key()

    def teardown(self):
        assert is_mocked()

    def test_it(self):
        assert count_keys() == {int(is_called)}
        assert (self.key is not None) == {is_called}
"""
    )

    result.assert_outcomes(passed=1)
