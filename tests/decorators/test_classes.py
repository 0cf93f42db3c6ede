"""Decorated classes of pytest: the tests run with a mock, the set-up included."""

from __future__ import annotations

import abc
import asyncio
import dataclasses
import functools
import inspect
import pickle
from typing import Generic, TypeVar
from unittest import mock

import boto3
import pytest

from kmsmock import current, mock_kms
from tests.decorators.mocked import is_mocked


def create_key():
    return boto3.client("kms").create_key()["KeyMetadata"]["KeyId"]


def list_keys():
    return [key["KeyId"] for key in boto3.client("kms").list_keys()["Keys"]]


# --- set-up of a class and of its subclasses --------------------------------------------------


@mock_kms
class Base:
    """A decorated class; its subclasses are not decorated."""

    def setup_method(self):
        assert list_keys() == []
        self.keys = [create_key()]

    def teardown_method(self):
        assert len(list_keys()) == len(self.keys) + 1


class EachTestHasItsOwnKeys:
    """Tests that find the keys of their set-up, in whatever order they run."""

    @pytest.mark.parametrize("turn", [1, 2])
    def test_it_finds_the_keys_of_its_set_up_only(self, turn):  # noqa: ARG002
        assert list_keys() == self.keys
        create_key()


class TestBase(EachTestHasItsOwnKeys, Base):
    pass


class TestSubclass(Base, EachTestHasItsOwnKeys):
    def setup_method(self):
        super().setup_method()
        self.keys.append(create_key())

    def teardown_method(self):
        super().teardown_method()
        assert is_mocked()


class TestSubclassThatGetsTheMethod(Base, EachTestHasItsOwnKeys):
    def setup_method(self, method):
        super().setup_method()
        assert method.__name__ == "test_it_finds_the_keys_of_its_set_up_only"


class TestSubclassWithoutTheSetUpOfItsBase(Base, EachTestHasItsOwnKeys):
    def setup_method(self):
        self.keys = [create_key(), create_key()]


class TestSubclassOfASubclass(TestSubclass):
    def setup_method(self):
        self.keys = [create_key()]
        keys = self.keys
        with pytest.raises(AssertionError):  # that of the base class is called here as always
            super().setup_method()
        self.keys = keys

    def teardown_method(self):
        create_key()


@mock_kms
class BaseThatGetsTheMethod:
    def setup_method(self, method):
        self.name = method.__name__
        self.keys = [create_key()]


class TestSubclassThatPassesTheMethod(BaseThatGetsTheMethod, EachTestHasItsOwnKeys):
    def setup_method(self, method):
        super().setup_method(method)
        assert self.name == "test_it_finds_the_keys_of_its_set_up_only"


class TestSubclassThatPassesTheMethodByName(BaseThatGetsTheMethod, EachTestHasItsOwnKeys):
    def setup_method(self, method):
        super().setup_method(method=method)


@mock_kms
class BaseWithoutSetUp:
    def test_it_is_mocked(self):
        assert is_mocked()


class TestSubclassWithSetUp(BaseWithoutSetUp, EachTestHasItsOwnKeys):
    def setup_method(self):
        super().setup_method()
        self.keys = [create_key()]


class Mixin:
    def setup_method(self):
        self.keys = [create_key()]

    def teardown_method(self):
        assert len(list_keys()) >= 1


class TestMixinBefore(Mixin, BaseWithoutSetUp, EachTestHasItsOwnKeys):
    pass


class TestMixinAfter(BaseWithoutSetUp, Mixin, EachTestHasItsOwnKeys):
    pass


@mock_kms
class TestDecoratedMixin(Mixin, EachTestHasItsOwnKeys):
    pass


class CooperativeMixin:
    def setup_method(self):
        super().setup_method()
        self.keys.append(create_key())


class TestCooperativeMixin(CooperativeMixin, Base, EachTestHasItsOwnKeys):
    pass


@mock_kms
class TestWithTearDownOnly:
    def teardown_method(self):
        assert len(list_keys()) == 1

    def test_it_is_mocked(self):
        create_key()


@pytest.mark.parametrize("name", ["setup_class", "setup_method", "teardown_method"])
def test_a_set_up_or_tear_down_that_fails_leaves_no_mock(name):
    @mock_kms
    class Failing:
        def fail(self):
            raise ValueError(is_mocked())

    setattr(Failing, name, Failing.fail)

    class Subclass(Failing):
        def setup_method(self):
            super().setup_method()

    instance = Subclass()
    if name == "teardown_method":
        instance.setup_method()
    owner = Subclass if name == "setup_class" else instance

    with pytest.raises(ValueError, match=str(name != "setup_class")):
        getattr(owner, name)(*([owner] if name == "setup_class" else []))
    assert not is_mocked()


# --- options of base classes --------------------------------------------------------------------


@mock_kms(region="eu-west-1")
class InIreland:
    def setup_method(self):
        self.region = current().options["region"]


@mock_kms(region="eu-west-2")
class TestOptionsOfASubclass(InIreland):
    def test_they_hold_in_the_set_up_of_the_base_class_too(self):
        assert (self.region, current().options["region"]) == ("eu-west-2", "eu-west-2")


@mock_kms
class TestSubclassWithoutOptions(InIreland):
    def test_it_has_those_of_its_base(self):
        assert (self.region, current().options["region"]) == ("eu-west-1", "eu-west-1")


@mock_kms(region="eu-west-3")
class InParis:
    pass


class TestTwoDecoratedBases(InParis, InIreland):
    def test_the_options_of_the_first_hold(self):
        assert self.region == "eu-west-3"


@mock_kms(region="eu-west-1")
@mock_kms(region="eu-west-2")
class TestTwiceDecorated:
    def test_the_inner_options_hold(self):
        assert current().options["region"] == "eu-west-2"

    @mock_kms(region="eu-west-3")
    def test_those_of_a_decorated_method_hold_before(self):
        assert current().options["region"] == "eu-west-3"


# --- set-up of classes ---------------------------------------------------------------------------


class StateOfTheClass:
    """Tests that find the keys of the class-level set-up, in whatever order they run."""

    @pytest.mark.parametrize("turn", [1, 2])
    def test_it_finds_the_keys_of_the_class_only(self, turn):  # noqa: ARG002
        assert sorted(list_keys()) == sorted(type(self).keys)
        create_key()


@mock_kms
class TestSetUpOfAClass(StateOfTheClass):
    @classmethod
    def setup_class(cls):
        assert cls is TestSetUpOfAClass
        cls.keys = [create_key()]

    @classmethod
    def teardown_class(cls):
        assert list_keys() == cls.keys


@mock_kms
class BaseWithSetUpOfTheClass:
    @classmethod
    def setup_class(cls):
        cls.keys = [create_key()]


class TestInheritedSetUpOfAClass(BaseWithSetUpOfTheClass, StateOfTheClass):
    pass


class TestExtendedSetUpOfAClass(BaseWithSetUpOfTheClass, StateOfTheClass):
    @classmethod
    def setup_class(cls):
        first = create_key()
        super().setup_class()
        cls.keys.append(first)


class TestReplacedSetUpOfAClass(BaseWithSetUpOfTheClass, StateOfTheClass):
    @classmethod
    def setup_class(cls):
        cls.keys = [create_key(), create_key()]

    @classmethod
    def teardown_class(cls):
        assert list_keys() == cls.keys


class TestSetUpOfASubclass(BaseWithoutSetUp, StateOfTheClass):
    @classmethod
    def setup_class(cls):
        cls.keys = [create_key()]


class MixinWithSetUpOfTheClass:
    @classmethod
    def setup_class(cls):
        cls.keys = [create_key()]


class TestMixinWithSetUpOfTheClass(BaseWithoutSetUp, MixinWithSetUpOfTheClass, StateOfTheClass):
    pass


@mock_kms
class TestSetUpThatIsNoClassMethod(StateOfTheClass):
    def setup_class(self):
        self.keys = [create_key()]

    def teardown_class(self):
        assert list_keys() == self.keys


@mock_kms
class TestStaticSetUp(StateOfTheClass):
    keys: tuple = ()

    @staticmethod
    def setup_class():
        TestStaticSetUp.keys = [create_key()]


@mock_kms
class TestTearDownOfAClass:
    def test_it_has_a_mock(self):
        assert is_mocked()

    @classmethod
    def teardown_class(cls):
        assert is_mocked()


# --- fixtures -----------------------------------------------------------------------------------


@pytest.fixture
def key_of_the_module():
    return create_key()


@mock_kms
class TestFixtures:
    @pytest.fixture(autouse=True)
    def _first(self):
        self.keys = [create_key()]
        yield
        assert is_mocked()

    @pytest.fixture
    def key(self):
        self.keys.append(create_key())
        return self.keys[-1]

    @pytest.mark.parametrize("turn", [1, 2])
    def test_they_are_mocked(self, key, key_of_the_module, turn):  # noqa: ARG002
        assert sorted(list_keys()) == sorted([*self.keys, key_of_the_module])


@mock_kms
class TestSharedFixtures:
    @pytest.fixture(scope="class")
    @classmethod
    def key(cls):
        yield create_key()
        assert is_mocked()

    @pytest.mark.parametrize("turn", [1, 2])
    def test_tests_find_what_they_have_made(self, key, turn):  # noqa: ARG002
        assert list_keys() == [key]
        create_key()


class TestSharedFixturesOfASubclass(BaseWithoutSetUp):
    @pytest.fixture(scope="class", autouse=True)
    @classmethod
    def _key(cls, request):
        request.cls.key = create_key()

    @pytest.mark.parametrize("turn", [1, 2])
    def test_tests_find_what_they_have_made(self, turn):  # noqa: ARG002
        assert list_keys() == [self.key]
        create_key()


@mock_kms
class TestFixturesWithNamesOfSetUps:
    @pytest.fixture(autouse=True)
    def setup_method(self, tmp_path):
        self.path, self.key = tmp_path, create_key()

    @pytest.fixture(scope="class", autouse=True)
    @classmethod
    def setup_class(cls, request):
        request.cls.shared = create_key()

    @pytest.mark.parametrize("turn", [1, 2])
    def test_they_are_fixtures(self, turn):  # noqa: ARG002
        assert self.path.exists()
        assert list_keys() == [self.shared, self.key]
        create_key()

    def test_they_can_be_requested(self, setup_method):
        assert setup_method is None


class TestDecoratedFixtures:
    @pytest.fixture
    @mock_kms
    def key(self):
        yield create_key()
        assert is_mocked()

    def test_the_mock_lasts_as_long_as_the_fixture(self, key):
        assert list_keys() == [key]


# --- kinds of classes ---------------------------------------------------------------------------

T = TypeVar("T")


@mock_kms
class GenericBase(Generic[T]):
    def setup_method(self):
        self.keys = [create_key()]


class TestGeneric(GenericBase[int], EachTestHasItsOwnKeys):
    pass


@mock_kms
class AbstractBase(abc.ABC):
    @abc.abstractmethod
    def setup_method(self): ...


class TestAbstract(AbstractBase, EachTestHasItsOwnKeys):
    def setup_method(self):
        self.keys = [create_key()]


class Registry(type):
    """A metaclass."""

    classes: tuple = ()

    def __new__(cls, name, bases, namespace, **keywords):
        made = super().__new__(cls, name, bases, namespace, **keywords)
        cls.classes += (name,)
        return made


@mock_kms
class BaseWithMetaclass(metaclass=Registry):
    label = None

    def __init_subclass__(cls, *, label, **keywords):
        super().__init_subclass__(**keywords)
        cls.label = label


class TestMetaclass(BaseWithMetaclass, EachTestHasItsOwnKeys, label="named"):
    def setup_method(self):
        self.keys = [create_key()]

    def test_the_class_was_made_as_always(self):
        assert self.label == "named"
        assert Registry.classes == ("BaseWithMetaclass", "TestMetaclass")


@mock_kms
class TestSlots:
    __slots__ = ("keys",)
    setup_method = Mixin.setup_method

    def test_it_has_no_other_attributes(self):
        assert list_keys() == self.keys
        with pytest.raises(AttributeError):
            self.other = 1


def test_a_dataclass_can_be_made_before_and_after():
    @dataclasses.dataclass
    class Plain:
        keys: int = 0

        def test_it(self):
            return self.keys, is_mocked()

    for decorated in (
        mock_kms(dataclasses.dataclass(slots=True)(Plain)),
        dataclasses.dataclass(slots=True)(mock_kms(Plain)),
    ):
        thing = decorated(5)
        thing.setup_method(None)
        assert is_mocked()
        thing.teardown_method(None)
        assert not is_mocked()
        assert thing.test_it() == (5, True)


def test_a_copy_of_a_class_with_its_attributes_works():
    # As parameterized_class makes them.
    @mock_kms
    class Original:
        def setup_method(self):
            self.count = getattr(self, "count", 0) + 1

    copied = type("Copied", (Original,), dict(vars(Original)))()

    copied.setup_method()
    assert (copied.count, is_mocked()) == (1, True)
    copied.teardown_method()


def test_another_decorator_can_wrap_all_methods_of_a_decorated_class():
    # As freezegun and moto do.
    @mock_kms
    class Decorated(Mixin):
        def test_it(self):
            return list_keys() == self.keys

    for name, member in list(vars(Decorated).items()):
        if inspect.isfunction(member):
            setattr(Decorated, name, wrap(member))

    instance = Decorated()
    instance.setup_method(None)
    assert instance.test_it()
    instance.teardown_method(None)
    assert not is_mocked()


def wrap(function):
    @functools.wraps(function)
    def call(*args, **kwargs):
        return function(*args, **kwargs)

    return call


def test_a_decorated_class_is_the_class_itself():
    assert pickle.loads(pickle.dumps(Base)) is Base
    assert Base.__doc__ == "A decorated class; its subclasses are not decorated."
    assert Base.setup_method.__wrapped__.__qualname__ == "Base.setup_method"


# --- what is no class of tests, and no test -----------------------------------------------------


HANDLER = mock.Mock()


@mock_kms
class Various:
    test_data = (1, 2)
    test_nothing = None
    test_type = dict
    test_handler = HANDLER

    @property
    def test_property(self):
        return is_mocked()

    @functools.cached_property
    def test_cached(self):
        return is_mocked()

    def test_method(self, value=1):
        return value, is_mocked()

    def helper(self):
        return is_mocked()

    @staticmethod
    def test_static(value=1):
        return value, is_mocked()

    @classmethod
    def test_class(cls, value=1):
        return value, is_mocked()

    async def test_async(self, value=1):
        return value, is_mocked()

    def test_generator(self, value=1):
        yield value, is_mocked()

    async def test_async_generator(self, value=1):
        yield value, is_mocked()

    def general(self, value):
        return value, is_mocked()

    test_partialmethod = functools.partialmethod(general, 1)
    test_partial = functools.partial(test_static.__func__, 1)


@pytest.mark.filterwarnings("ignore:functools.partial will be a method descriptor:FutureWarning")
@pytest.mark.parametrize(
    "name",
    ["test_method", "test_static", "test_class", "test_partialmethod", "test_partial"],
)
def test_a_test_that_is_called_by_hand_is_mocked(name):
    assert getattr(Various(), name)() == (1, True)


def test_coroutines_and_generators_that_are_called_by_hand_are_mocked_until_they_end():
    async def collect():
        return [value async for value in Various().test_async_generator()]

    assert asyncio.run(Various().test_async()) == (1, True)
    assert list(Various().test_generator()) == [(1, True)]
    assert asyncio.run(collect()) == [(1, True)]


def test_what_is_no_function_and_what_is_named_otherwise_stays_as_it_is():
    assert (Various.test_data, Various.test_nothing, Various.test_type) == ((1, 2), None, dict)
    assert isinstance(vars(Various)["test_property"], property)
    assert isinstance(vars(Various)["test_cached"], functools.cached_property)
    assert Various.test_handler is HANDLER
    assert not Various().test_property
    assert not Various().test_cached
    assert not Various().helper()


@mock_kms
class TestKindsOfTests:
    @staticmethod
    def test_a_static_method(tmp_path):
        assert tmp_path.exists()
        assert is_mocked()

    @classmethod
    def test_a_class_method(cls, tmp_path):
        assert tmp_path.exists()
        assert is_mocked()

    @mock.patch(f"{__name__}.list_keys")
    def test_a_patched_method(self, patched, tmp_path):
        assert tmp_path.exists()
        assert list_keys is patched
        assert is_mocked()


class TestDecoratedMethods:
    @mock_kms
    @staticmethod
    def test_a_static_method(tmp_path):
        assert (tmp_path.exists(), is_mocked()) == (True, True)

    @staticmethod
    @mock_kms
    def test_a_static_method_that_is_decorated_first(tmp_path):
        assert (tmp_path.exists(), is_mocked()) == (True, True)

    @mock_kms
    @classmethod
    def test_a_class_method(cls, tmp_path):
        assert (tmp_path.exists(), is_mocked()) == (True, True)

    @classmethod
    @mock_kms
    def test_a_class_method_that_is_decorated_first(cls, tmp_path):
        assert (tmp_path.exists(), is_mocked()) == (True, True)

    @mock.patch(f"{__name__}.list_keys")
    @mock_kms
    def test_a_patch_above(self, patched, tmp_path):
        assert (tmp_path.exists(), is_mocked(), list_keys is patched) == (True, True, True)

    @mock_kms
    @mock.patch(f"{__name__}.list_keys")
    def test_a_patch_below(self, patched, tmp_path):
        assert (tmp_path.exists(), is_mocked(), list_keys is patched) == (True, True, True)

    @pytest.mark.parametrize("value", [1])
    @mock_kms
    @pytest.mark.parametrize("other", [2])
    def test_parameters(self, value, other):
        assert (value, other, is_mocked()) == (1, 2, True)
