"""The block of requests to AWS that nothing answers: what sets it, and what it raises.

Imported in every pytest run, so it imports nothing slow.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from kmsmock.process.active_mocks import ActiveMock, is_asked
from kmsmock.process.contexts import contexts


class BlockSetting:
    """What one place says about the block: the configuration of a run, a mark, or a mock.

    kms: whether requests to KMS are blocked (``block_real_kms``). aws: whether requests to AWS are
    blocked (``block_real_aws``). None if nothing is said about them.
    """

    def __init__(self, *, kms: bool | None, aws: bool | None) -> None:
        self.kms = kms
        self.aws = aws

    def get(self, *, for_kms: bool) -> bool | None:
        """Return whether requests are blocked, to KMS or to another service; None if unsaid.

        What is said about KMS takes precedence over what is said about AWS. To allow AWS is not to
        allow KMS.
        """
        if for_kms:
            return self.aws or None if self.kms is None else self.kms
        return self.aws

    @property
    def applies(self) -> bool:
        """Whether it is in effect at present."""
        return True


class RunSetting(BlockSetting):
    """What the configuration of a run of pytest says; until it is read, KMS is blocked."""

    def __init__(self) -> None:
        super().__init__(kms=True, aws=None)
        #: Whether everything is allowed, whatever marks and mocks say (``--kms-allow-real``).
        self.allows_all = False
        #: What pytest is doing, for requests that no test makes.
        self.phase = "before pytest collected the tests"
        #: What has begun the run; it can be a test.
        self.around = contexts[-1]


class CallSetting(BlockSetting):
    """What the arguments of a mark, or of a mock, say.

    call: the mark or mock with its arguments, for messages. mock: None for a mark.
    """

    def __init__(
        self, *, kms: bool | None, aws: bool | None, call: str, mock: ActiveMock | None
    ) -> None:
        super().__init__(kms=kms, aws=aws)
        self.call = call
        self.mock = mock

    @classmethod
    def read(
        cls, options: Mapping[str, Any], name: str, mock: ActiveMock | None = None
    ) -> CallSetting | None:
        """Return what options say; None if they say nothing. name: of the mark or mock."""
        said = {each: options[each] for each in _OPTIONS if options.get(each) is not None}
        if not said:
            return None
        arguments = ", ".join(f"{each}={value}" for each, value in said.items())
        kms, aws = map(said.get, _OPTIONS)
        return cls(kms=kms, aws=aws, call=f"`{name}({arguments})`", mock=mock)

    @property
    def applies(self) -> bool:
        """Whether the running context has asked for the mock, which may be paused."""
        return self.mock is None or is_asked(self.mock)


_OPTIONS = ("block_real_kms", "block_real_aws")
#: The settings of the process: of runs of pytest, the innermost last, each with those of its
#: running test's marks and of mocks after it. The last one that says something takes effect.
_settings: list[BlockSetting] = []


def add_block_setting(setting: BlockSetting | None) -> None:
    """Add a setting of the innermost run. As for other options, mocks precede marks."""
    if setting is None:
        return
    index = len(_settings)
    if isinstance(setting, CallSetting) and setting.mock is None:
        runs = [i for i, each in enumerate(_settings) if isinstance(each, RunSetting)]
        index = runs[-1] + 1 if runs else 0
    _settings.insert(index, setting)


def remove_block_setting(setting: BlockSetting | None) -> None:
    """Remove a setting that was added."""
    if setting is not None:
        _settings.remove(setting)


def get_run_setting() -> RunSetting | None:
    """Return the setting of the innermost run of pytest, also if it has ended; None without one."""
    return next((each for each in reversed(_settings) if isinstance(each, RunSetting)), None)


def find_block(*, for_kms: bool) -> BlockSetting | None:
    """Return the setting that blocks requests to KMS, or to other services; None if none does."""
    run = get_run_setting()
    if run is not None and run.allows_all:
        return None
    for setting in reversed(_settings):
        is_blocked = setting.get(for_kms=for_kms)
        if is_blocked is not None and setting.applies:
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
