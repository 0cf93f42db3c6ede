"""Keeping requests of unmocked clients away from the real AWS KMS."""

from __future__ import annotations

_blocked = False


class RealKMSBlocked(RuntimeError):
    """A client without an active mock was about to call the real AWS KMS.

    host: where the request would have gone.
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


def block_real_kms(block: bool) -> bool:  # noqa: FBT001 - a switch
    """Block requests to the real KMS, or let them pass; gives what held before."""
    global _blocked
    before, _blocked = _blocked, block
    return before


def real_kms_is_blocked() -> bool:
    """Tell whether requests to the real KMS are blocked."""
    return _blocked
