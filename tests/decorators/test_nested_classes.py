"""Test classes nested in decorated ones are decorated, too."""

from __future__ import annotations

import unittest

import boto3
import pytest

from kmsmock import current, mock_kms
from tests.decorators.mocked import is_mocked


def create_key():
    return boto3.client("kms").create_key()["KeyMetadata"]["KeyId"]


def count_keys():
    return len(boto3.client("kms").list_keys()["Keys"])


class TestElsewhere:
    def test_it_is_mocked_where_a_decorated_class_names_it(self):
        assert is_mocked() == ("." in type(self).__qualname__)


class Base:
    class TestInherited:
        def test_it_is_mocked_where_it_is_inherited(self):
            assert count_keys() == 0


@mock_kms
class TestNesting(Base):
    def test_the_outer_class_is_mocked(self):
        assert count_keys() == 0
        create_key()

    TestNamed = TestElsewhere

    class TestInner:
        @pytest.mark.parametrize("turn", [1, 2])
        def test_each_test_has_a_mock_of_its_own(self, turn):  # noqa: ARG002
            assert count_keys() == 0
            create_key()

        class TestInnermost:
            def setup_method(self):
                create_key()

            def teardown_method(self):
                assert count_keys() == 2

            def test_its_set_up_is_called_once(self):
                assert count_keys() == 1
                create_key()

    @mock_kms(region="eu-west-1")
    class TestDecorated:
        def test_it_keeps_its_own_options(self):
            assert current().options["region"] == "eu-west-1"
            assert count_keys() == 0

    class TestOptions:
        def test_they_are_those_of_the_class_around(self, request):
            is_decorated = "DecoratedSubclass" in request.node.nodeid
            assert current().options["region"] == ("eu-west-3" if is_decorated else None)

    class TestWithSharedFixture:
        @pytest.fixture(scope="class")
        @classmethod
        def key(cls):
            return create_key()

        @pytest.mark.parametrize("turn", [1, 2])
        def test_tests_find_what_it_has_made(self, key, turn):  # noqa: ARG002
            assert count_keys() == 1
            create_key()

    class TestCase(unittest.TestCase):
        def setUp(self):
            create_key()

        def test_it_is_mocked(self):
            assert count_keys() == 1
            create_key()

        test_again = test_it_is_mocked


class TestSubclassOfANestingClass(TestNesting):
    class TestOfItsOwn:
        def test_it_is_mocked(self):
            assert count_keys() == 0


@mock_kms(region="eu-west-3")
class TestDecoratedSubclassOfANestingClass(TestNesting):
    class TestOfItsOwn:
        def test_it_has_the_options_of_the_class_around(self):
            assert current().options["region"] == "eu-west-3"


class TestSubclassOfANestedClass(TestNesting.TestInner):
    def test_it_is_mocked(self):
        assert count_keys() == 0


@mock_kms(seed=1)
class TestNestingWithSetUpOfTheClass:
    @classmethod
    def setup_class(cls):
        create_key()

    def test_the_outer_class_has_it(self):
        assert count_keys() == 1
        create_key()

    class TestInner:
        @pytest.mark.parametrize("turn", [1, 2])
        def test_the_inner_class_has_it_as_it_was(self, turn):  # noqa: ARG002
            assert count_keys() == 1
            create_key()

    class TestInnerWithSetUp:
        @classmethod
        def setup_class(cls):
            create_key()

        @pytest.mark.parametrize("turn", [1, 2])
        def test_the_inner_class_has_both(self, turn):  # noqa: ARG002
            assert count_keys() == 2
            create_key()

    class TestInnerAfterwards:
        def test_it_does_not_have_that_of_the_class_before(self):
            assert count_keys() == 1


class SetUpOfTheClass:
    @classmethod
    def setup_class(cls):
        create_key()


@mock_kms
class TestNestingOnly(SetUpOfTheClass):
    class TestInner:
        def test_the_set_up_of_the_outer_class_is_mocked(self):
            assert count_keys() == 1


def test_a_class_that_names_itself_can_be_decorated():
    class TestItself:
        def test_it(self): ...

    TestItself.TestAgain = TestItself

    assert mock_kms(TestItself).TestAgain is TestItself


def test_classes_that_are_inherited_or_only_named_are_not_changed():
    assert not hasattr(Base.TestInherited, "setup_method")
    assert not hasattr(TestElsewhere, "setup_method")
    assert issubclass(TestNesting.TestNamed, TestElsewhere)
    assert TestSubclassOfANestingClass.TestInner is TestNesting.TestInner
