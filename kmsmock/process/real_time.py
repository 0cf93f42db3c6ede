"""Real time, also while freezegun or time-machine moves the time of the process.

Imported before a test can freeze the time: freezegun replaces functions where it finds them as
members of modules, and not in classes.
"""

from __future__ import annotations

import time


class RealTime:
    """The real time."""

    #: Returns seconds since some start, as a float.
    seconds = staticmethod(time.perf_counter)
    #: The epoch seconds of that start.
    start = time.time() - time.perf_counter()
