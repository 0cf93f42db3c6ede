"""Whether a mock is active."""

from kmsmock import current


def is_mocked() -> bool:
    try:
        current()
    except RuntimeError:
        return False
    return True
