"""The block of requests to AWS that nothing answers: whether it is set, and what it raises.

Imported in every pytest run, so it imports nothing slow.
"""

from __future__ import annotations

from operator import attrgetter
from typing import ClassVar

from kmsmock.process.active_mocks import list_asked
from kmsmock.process.block_settings import BlockSetting, CallSetting, RunSetting
from kmsmock.process.contexts import contexts

#: What runs of pytest and the marks of running tests say. Mocks have what they say themselves.
_settings: list[BlockSetting] = []


def add_block_setting(setting: BlockSetting) -> None:
    """Add what a run or a mark says."""
    _settings.append(setting)


def remove_block_setting(setting: BlockSetting) -> None:
    """Remove what a run or a mark says."""
    _settings.remove(setting)


def get_run_setting() -> RunSetting | None:
    """Return what the innermost run of pytest says, also if it has ended; None without one."""
    return next((each for each in reversed(_settings) if isinstance(each, RunSetting)), None)


def find_block(*, for_kms: bool) -> BlockSetting | None:
    """Return the setting that blocks requests to KMS, or to other services; None if none does."""
    run = get_run_setting()
    if run is not None and run.allows_all:
        return None
    of_mocks = (mock.block for mock in list_asked())
    settings = [*_settings, *(each for each in of_mocks if each is not None)]
    for setting in sorted(settings, key=attrgetter("precedence"), reverse=True):
        is_blocked = setting.get(for_kms=for_kms)
        if is_blocked is not None:
            return setting if is_blocked else None
    return None


class RealAWSBlocked(RuntimeError):
    """A client was about to send AWS a request that nothing answers.

    host: the host name in the request's URL. advice: how to answer the request.
    """

    #: The option that blocks.
    _option: ClassVar[str] = "block_real_aws"
    #: What it blocks, for messages.
    _target: ClassVar[str] = "AWS"
    #: Whether it is about requests to KMS.
    _is_about_kms: ClassVar[bool] = False

    def __init__(self, host: str, advice: str = "", text: str | None = None) -> None:
        # The text is about the moment at which it is raised, also in a copy for another process.
        text = self._describe(host, advice) if text is None else text
        super().__init__(host, advice, text)
        self.host = host

    def __str__(self) -> str:
        return str(self.args[2])

    @classmethod
    def _describe(cls, host: str, advice: str) -> str:
        setting = find_block(for_kms=cls._is_about_kms)
        return (
            f"{_describe_running_code()} was about to call the real {cls._target} at {host}, and "
            "nothing answers this request. "
            f"{advice or cls._advise()} {cls._say_how_to_allow(setting)}"
        )

    @classmethod
    def _advise(cls) -> str:
        return "To answer it from memory, use moto's `mock_aws`."

    @classmethod
    def _say_how_to_allow(cls, setting: BlockSetting | None) -> str:
        allow_run = "for one run, `pytest --kms-allow-real`"
        if isinstance(setting, CallSetting):
            or_allow = "" if get_run_setting() is None else f" To allow it {allow_run}."
            return f"It is blocked by {setting.call}.{or_allow}"
        ways = [
            allow_run,
            f"for a project, `kms_{cls._option} = false` in the pytest configuration",
        ]
        if _is_test_running():
            ways.append(f"for one test, `@pytest.mark.kms({cls._option}=False)`")
        numbered = "; ".join(f"({number}) {way}" for number, way in enumerate(ways, 1))
        return f"To allow it: {numbered}."


class RealKMSBlocked(RealAWSBlocked):
    """A client was about to send the real AWS KMS a request that no mock answers.

    host: the host name in the request's URL.
    """

    _option = "block_real_kms"
    _target = "AWS KMS"
    _is_about_kms = True

    @classmethod
    def _advise(cls) -> str:
        if _is_test_running():
            return "To answer it from memory, use the `kms` fixture or `@mock_kms`."
        return "To answer it from memory, make it inside of `with mock_kms():`."


def _is_test_running() -> bool:
    """Return whether a test of the innermost run makes the request."""
    run = get_run_setting()
    context = contexts[-1]
    return context.test is not None and (run is None or context is not run.around)


def _describe_running_code() -> str:
    if _is_test_running():
        return "this test"
    run = get_run_setting()
    return "this program" if run is None else f"code outside of tests ({run.phase})"
