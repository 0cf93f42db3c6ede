"""What all tests share."""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import pkgutil
from collections.abc import Callable, Iterator
from pathlib import Path

import boto3  # noqa: F401 - see everything_loaded
import pytest
from botocore.exceptions import ParamValidationError
from botocore.loaders import Loader
from botocore.model import OperationNotFoundError, ServiceModel

import kmsmock
from kmsmock import KMSMock, options
from kmsmock.process.repeated_warnings import forget_warnings
from kmsmock.process.watchers import Watcher, watching
from tests import configured_machine, inner_runs, quicker_botocore, thoroughness
from tests.configured_machine import Machine
from tests.records import check_record

# Tests assert ARNs, and so the Region, but nothing else that is configured on the machine. Workers
# of xdist get the environment of the process that starts them.
os.environ.setdefault("REGION_OF_THIS_MACHINE", os.environ.get("AWS_DEFAULT_REGION", ""))
os.environ["AWS_DEFAULT_REGION"] = "us-east-1"

pytest_plugins = ["pytester"]
quicker_botocore.install()
# Until the tests run, there is much that is made, and nothing that could be freed.
gc.disable()
inner_runs.install()
configured_machine.install()

_KNOWN = json.loads((Path(__file__).parent / "data" / "kms_model.json").read_text())
_MODEL = ServiceModel(Loader().load_service_model("kms", "service-2"))


def _members_of_installed_model() -> set[str]:
    shapes = (_MODEL.shape_for(name) for name in _MODEL.shape_names)
    return {
        member for shape in shapes if shape.type_name == "structure" for member in shape.members
    }


#: Members of the current API that the installed, older botocore does not know.
_MISSING = {
    member
    for operation in _KNOWN["operations"].values()
    for member in operation["input"] + operation["output"]
} | {member for members in _KNOWN["structures"].values() for member in members}
_MISSING -= _members_of_installed_model()
#: The services whose clients the tests use, as botocore names their classes.
_SERVICES = ("EC2", "KMS")
_WHAT = ("parameter", "member")
_IS_OLDER = bool(_MISSING or set(_KNOWN["operations"]) - set(_MODEL.operation_names))
# Each lack that a property meets comes alone, so that it is known as one.
thoroughness.register_profiles(report_multiple_bugs=not _IS_OLDER)


@pytest.fixture(scope="session")
def everything_loaded() -> None:
    """Load what cannot be loaded twice: pytester unloads what a run in this process has loaded."""
    for module in pkgutil.walk_packages(kmsmock.__path__, "kmsmock."):
        if not module.name.endswith("__main__"):
            try:
                importlib.import_module(module.name)
            except ModuleNotFoundError as error:
                if error.name not in ("uvicorn", "httptools"):  # of the extra `server`
                    raise
    with contextlib.suppress(ImportError):
        importlib.import_module("yaml")


@pytest.fixture
def run_alone(
    pytester: pytest.Pytester,
    everything_loaded: None,  # noqa: ARG001
) -> Callable[..., pytest.RunResult]:
    """Give a function that runs pytest on a test module, given its text, and pytest's options."""

    def run_alone(text: str, *options: str) -> pytest.RunResult:
        pytester.makepyfile(test_it=text)
        for module in ("moto", "time_machine"):
            if module in text:
                pytest.importorskip(module)
        return pytester.runpytest_inprocess(*options)

    return run_alone


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    """Give a machine on which nothing is configured for AWS, and a run without configuration."""
    before = options.configure({})
    with pytest.MonkeyPatch.context() as patch:
        yield Machine(patch, tmp_path)
    options.configure(before)


@pytest.fixture
def region_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Set the Region that is configured on this machine, for what is tested as users run it."""
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    if os.environ["REGION_OF_THIS_MACHINE"]:
        monkeypatch.setenv("AWS_DEFAULT_REGION", os.environ["REGION_OF_THIS_MACHINE"])


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> None:
    """Collect garbage while tests run, but do not look at what there is for the whole run."""
    inner_runs.forget_outer_options()
    gc.freeze()
    # Old versions of Hypothesis look for what refers to their Random; what is frozen is not found.
    session.config.addinivalue_line("filterwarnings", "ignore:It looks like .register_random.")
    gc.enable()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call() -> Iterator[None]:
    """Skip tests of what an older botocore lacks: it has no method, parameter or member for it."""
    try:
        return (yield)
    except _LACKS as error:
        if _IS_OLDER and _is_lack(error):
            pytest.skip(f"the installed botocore does not know this: {error}")
        raise


_LACKS = (
    *(AttributeError, KeyError, OperationNotFoundError, ParamValidationError),
    ValueError,
)


def _is_lack(error: Exception) -> bool:
    if isinstance(error, KeyError):
        return error.args[0] in _MISSING
    if isinstance(error, ValueError):  # of kms.explain
        return any(f"has no {what} {name!r}" in str(error) for name in _MISSING for what in _WHAT)
    has_no_method = any(
        f"'{service}' object has no attribute" in str(error) for service in _SERVICES
    )
    return has_no_method or isinstance(error, ParamValidationError | OperationNotFoundError)


#: Of a mock with very many records the newest are looked at.
_RECORDS_CHECKED = 2_000


class _EndedMocks(Watcher):
    """The mocks that a test has stopped or emptied."""

    def __init__(self) -> None:
        self.mocks: dict[KMSMock, None] = {}

    def ended(self, kms: KMSMock) -> None:
        self.mocks[kms] = None


@pytest.fixture(autouse=True)
def _records_meet_the_schema() -> Iterator[None]:
    """Check the CloudTrail record of every call of a test, once its mocks have been stopped."""
    forget_warnings()
    ended = _EndedMocks()
    with watching(ended):
        yield
    for kms in ended.mocks:
        for record in kms.trail[-_RECORDS_CHECKED:]:
            check_record(record)


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown() -> None:
    """Let the next test have the clients of the mocks that have ended."""
    quicker_botocore.take_back_clients()
