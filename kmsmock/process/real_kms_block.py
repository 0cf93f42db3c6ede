"""The block of requests to the real AWS KMS from clients without an active mock."""

from __future__ import annotations

_blocked = False


class RealKMSBlocked(RuntimeError):
    """A client without an active mock was about to call the real AWS KMS.

    host: the host name in the request's URL.
    """

    def __init__(self, host: str) -> None:
        super().__init__(host)
        self.host = host

    def __str__(self) -> str:
        return (
            f"this test was about to call the real AWS KMS at {self.host}, since no mock is "
            "active. To answer it from memory, use the `kms` fixture or `@mock_kms`. To allow it: "
            "(1) for one run, `pytest --kms-allow-real`; (2) for a project, "
            "`kms_block_real_kms = false` in the pytest configuration; (3) for one test, "
            "`@pytest.mark.kms(block_real_kms=False)`."
        )


def block_real_kms(block: bool) -> bool:  # noqa: FBT001 - the function's only argument
    """Block requests to the real KMS, or allow them; return the previous setting."""
    global _blocked
    before, _blocked = _blocked, block
    return before


def is_real_kms_blocked() -> bool:
    """Return whether requests to the real KMS are blocked."""
    return _blocked
