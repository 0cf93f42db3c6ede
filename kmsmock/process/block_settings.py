"""What the configuration of a run, a mark and a mock say about the block of requests to AWS.

Imported in every pytest run, so it imports nothing slow.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from kmsmock.process.contexts import contexts


class BlockSetting:
    """What one place says about the block.

    kms: whether requests to KMS are blocked (``block_real_kms``). aws: whether requests to AWS are
    blocked (``block_real_aws``). None if nothing is said about them.
    """

    #: Its place among those of the same run of pytest: the one with the greatest takes effect.
    _rank: ClassVar[int]

    def __init__(self, *, kms: bool | None, aws: bool | None) -> None:
        self.kms = kms
        self.aws = aws
        #: How many runs of pytest it is in, with that which it configures.
        self._depth = contexts[-1].depth

    @property
    def precedence(self) -> tuple[int, int]:
        """How it precedes others: the setting with the greatest precedence takes effect."""
        return self._depth, self._rank

    def get(self, *, for_kms: bool) -> bool | None:
        """Return whether requests are blocked, to KMS or to another service; None if unsaid.

        What is said about KMS takes precedence over what is said about AWS. To allow AWS is not to
        allow KMS.
        """
        if for_kms:
            return self.aws or None if self.kms is None else self.kms
        return self.aws


class RunSetting(BlockSetting):
    """What the configuration of a run of pytest says; until it is read, KMS is blocked."""

    _rank = 0

    def __init__(self) -> None:
        super().__init__(kms=True, aws=None)
        self._depth += 1
        #: Whether everything is allowed, whatever marks and mocks say (``--kms-allow-real``).
        self.allows_all = False
        #: What pytest is doing, for requests that no test makes.
        self.phase = "before pytest collected the tests"
        #: What has begun the run; it can be a test.
        self.around = contexts[-1]


class CallSetting(BlockSetting):
    """What the arguments of a mark, or of a mock, say.

    call: with the arguments, for messages.
    """

    #: How it is called.
    _name: ClassVar[str]

    def __init__(self, *, kms: bool | None, aws: bool | None, call: str) -> None:
        super().__init__(kms=kms, aws=aws)
        self.call = call

    @classmethod
    def read(cls, arguments: Mapping[str, Any]) -> CallSetting | None:
        """Return what arguments say; None if they say nothing."""
        names = ("block_real_kms", "block_real_aws")
        kms, aws = map(arguments.get, names)
        if kms is None and aws is None:
            return None
        said = [f"{name}={arguments[name]}" for name in names if arguments.get(name) is not None]
        return cls(kms=kms, aws=aws, call=f"`{cls._name}({', '.join(said)})`")


class MarkSetting(CallSetting):
    """What the marks of a test say."""

    _rank = 1
    _name = "@pytest.mark.kms"


class MockSetting(CallSetting):
    """What the arguments of a mock say. As for other options, they take precedence over marks."""

    _rank = 2
    _name = "mock_kms"
