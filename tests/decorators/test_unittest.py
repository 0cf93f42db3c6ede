"""Decorated classes of unittest, as pytest runs them and as unittest does."""

from __future__ import annotations

import asyncio
import functools
import os
import unittest

import boto3
import pytest

from kmsmock import current, mock_kms
from tests.decorators.mocked import is_mocked


def create_key():
    return boto3.client("kms").create_key()["KeyMetadata"]["KeyId"]


def list_keys():
    return [key["KeyId"] for key in boto3.client("kms").list_keys()["Keys"]]


@mock_kms
class Base(unittest.TestCase):
    """A decorated class; its subclasses are not decorated."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.keys = [create_key()]

    @classmethod
    def tearDownClass(cls):
        assert sorted(list_keys()) == sorted(cls.keys)
        super().tearDownClass()

    def test_one(self):
        assert sorted(list_keys()) == sorted(self.keys)
        create_key()

    def test_two(self):
        self.test_one()


class TestBase(Base):
    pass


class TestOwnClassSetUp(Base):
    @classmethod
    def setUpClass(cls):
        assert cls is TestOwnClassSetUp
        first = create_key()
        super().setUpClass()
        cls.keys.append(first)


class TestClassSetUpWithoutThatOfTheBase(Base):
    @classmethod
    def setUpClass(cls):
        cls.keys = [create_key(), create_key()]

    @classmethod
    def tearDownClass(cls):
        assert list_keys() == cls.keys


class TestOwnSetUp(Base):
    def setUp(self):
        self.keys = [*self.keys, create_key()]

    def tearDown(self):
        assert len(list_keys()) == 3


class TestCleanups(Base):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.addClassCleanup(lambda: list_keys() == cls.keys or pytest.fail("keys are missing"))

    def setUp(self):
        self.addCleanup(self.clean_up)

    def clean_up(self):
        assert len(list_keys()) == 2


@mock_kms
class SetUpOfAMixin:
    """A decorated class that is no TestCase."""

    def setUp(self):
        self.keys = [create_key()]

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.shared = create_key()


class TestDecoratedMixin(SetUpOfAMixin, unittest.TestCase):
    def test_one(self):
        assert list_keys() == [self.shared, *self.keys]
        create_key()

    test_two = test_one


@mock_kms(region="eu-west-1")
class TestOptions(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.region = current().options["region"]

    def test_they_hold_in_the_set_up_too(self):
        assert (self.region, current().options["region"]) == ("eu-west-1", "eu-west-1")


@mock_kms(region="eu-west-2")
class TestOptionsOfASubclass(TestOptions):
    def test_they_hold_in_the_set_up_too(self):
        assert (self.region, current().options["region"]) == ("eu-west-2", "eu-west-2")


@mock_kms
class TestAsynchronous(unittest.IsolatedAsyncioTestCase):
    def setUp(self):
        self.keys = [create_key()]

    async def asyncSetUp(self):
        await asyncio.sleep(0)
        self.keys.append(create_key())
        self.addAsyncCleanup(self.clean_up)

    async def clean_up(self):
        await asyncio.sleep(0)
        assert len(list_keys()) == 3

    async def test_one(self):
        assert list_keys() == self.keys
        await asyncio.sleep(0)
        create_key()

    test_two = test_one

    def test_three(self):
        create_key()


@mock_kms
class DecoratedTestCase(unittest.TestCase):
    pass


class TestAsynchronousSubclass(DecoratedTestCase, unittest.IsolatedAsyncioTestCase):
    async def test_it_is_awaited(self):
        await asyncio.sleep(0)
        self.keys = [create_key()]

    async def asyncTearDown(self):
        assert list_keys() == self.keys


class TestDecoratedMethods(unittest.TestCase):
    @mock_kms
    def test_a_method(self):
        assert is_mocked()

    @mock_kms
    @staticmethod
    def test_a_static_method():
        assert is_mocked()

    @staticmethod
    @mock_kms
    def test_a_static_method_that_is_decorated_first():
        assert is_mocked()

    @classmethod
    @mock_kms
    def test_a_class_method(cls):
        assert is_mocked()

    @mock_kms
    @unittest.skip("skipped below")
    def test_skipped_below(self):
        raise AssertionError

    @unittest.skip("skipped above")
    @mock_kms
    def test_skipped_above(self):
        raise AssertionError

    @unittest.expectedFailure
    @mock_kms
    def test_expected_failure_above(self):
        assert not is_mocked()

    @mock_kms
    @unittest.expectedFailure
    def test_expected_failure_below(self):
        assert not is_mocked()

    def check(self, value):
        assert (value, is_mocked()) == (1, True)

    test_partial = mock_kms(functools.partialmethod(check, 1))


class TestDecoratedCoroutines(unittest.IsolatedAsyncioTestCase):
    @mock_kms
    async def test_a_coroutine(self):
        await asyncio.sleep(0)
        assert is_mocked()


@mock_kms
class TestOutcomes(unittest.TestCase):
    @unittest.skip("skipped")
    def test_skipped(self):
        raise AssertionError

    @unittest.expectedFailure
    def test_expected_failure(self):
        assert not is_mocked()

    def test_parts(self):
        for number in range(3):
            with self.subTest(number=number):
                create_key()
        assert len(list_keys()) == 3

    def test_the_environment_can_be_changed_by_the_set_up(self):
        assert os.environ["OF_THE_SET_UP"] == "set"

    def setUp(self):
        os.environ["OF_THE_SET_UP"] = "set"
        self.addCleanup(os.environ.pop, "OF_THE_SET_UP")


@unittest.skip("the whole class")
@mock_kms
class TestSkipped(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        raise AssertionError

    def test_it(self):
        raise AssertionError


CLASSES = [each for name, each in globals().items() if name.startswith("Test")]


@pytest.mark.parametrize("cls", CLASSES)
def test_unittest_runs_it_as_pytest_does(cls):
    result = unittest.TestResult()

    unittest.defaultTestLoader.loadTestsFromTestCase(cls)(result)

    assert result.testsRun or result.skipped
    assert (result.errors, result.failures) == ([], [])
    assert not is_mocked()


# --- what pytest does with a TestCase -----------------------------------------------------------


@mock_kms
class TestWithMethodsOfPytest(unittest.TestCase):
    @classmethod
    def setup_class(cls):
        cls.shared = create_key()

    def setup_method(self, method):
        assert method.__name__.startswith("test_")
        self.keys = [create_key()]

    def setUp(self):
        self.keys.append(create_key())

    @pytest.fixture(autouse=True)
    def _fixture(self, tmp_path):
        self.path = tmp_path
        self.fixture_key = create_key()

    def test_one(self):
        expected = [self.shared, *self.keys, self.fixture_key]
        assert sorted(list_keys()) == sorted(expected)
        assert self.path.exists()
        create_key()

    test_two = test_one

    def teardown_method(self, method):  # noqa: ARG002
        assert len(list_keys()) == 5


# --- by hand ------------------------------------------------------------------------------------


def test_a_test_without_a_result_is_mocked():
    class Case(unittest.TestCase):
        def setUp(self):
            self.key = create_key()

        def test_it(self):
            assert list_keys() == [self.key]

    mock_kms(Case)("test_it").debug()

    assert not is_mocked()


def test_a_test_that_is_called_is_mocked():
    @mock_kms
    class Case(unittest.TestCase):
        def test_it(self):
            return is_mocked()

    assert Case("test_it").test_it()


@pytest.mark.parametrize("is_cleaned_up", [True, False])
@pytest.mark.parametrize("name", ["setUpClass", "tearDownClass", "setUp", "tearDown"])
def test_no_mock_is_left_after_a_failure(name, is_cleaned_up):
    cleaned_up = []

    @mock_kms
    class Case(unittest.TestCase):
        @classmethod
        def setUpClass(cls):
            if is_cleaned_up:
                cls.addClassCleanup(lambda: cleaned_up.append(is_mocked()))

        def test_it(self): ...

    class Sub(Case):
        pass

    original = getattr(Sub, name)

    def fail(owner):
        getattr(original, "__func__", original)(owner)
        raise ValueError("failed")

    method = classmethod(fail) if name.endswith("Class") else fail
    failing = type("Failing", (Sub,), {name: method})
    result = unittest.TestResult()
    unittest.defaultTestLoader.loadTestsFromTestCase(failing)(result)

    assert "ValueError: failed" in result.errors[0][1]
    assert cleaned_up == [True] * is_cleaned_up
    assert not is_mocked()


@pytest.mark.parametrize("name", ["setup_class", "setup_method", "setUpClass"])
def test_a_set_up_that_fails_leaves_no_mock(name):
    @mock_kms
    class Case(unittest.TestCase):
        @classmethod
        def setup_class(cls):
            raise ValueError(is_mocked())

        setUpClass = setup_class

        def setup_method(self):
            raise ValueError(is_mocked())

    owner = Case() if name == "setup_method" else Case

    with pytest.raises(ValueError, match="True"):
        getattr(owner, name)()
    assert not is_mocked()
