"""`kms.quotas`: how near the calls of a test have come to the request quotas."""

from __future__ import annotations

from kmsmock.ledger.headroom import Headroom, read_factor
from kmsmock.ledger.request_rates import PeakRates
from kmsmock.misuse.public_object import PublicObject
from kmsmock.state.backend import Backend


class Quotas(PublicObject, own_checks=("factor",)):
    """The request quotas of one mock, whether its option ``quotas`` is on or not."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    def __repr__(self) -> str:
        return repr(self.headroom())

    def headroom(self, factor: float = 1) -> Headroom:
        """Compare the peak of each quota, in requests per second, with its value.

        The result is true if `factor` times this traffic would not be throttled, false also if that
        is not known, since calls are no longer recorded (option ``calls_kept``); print it for a
        table. The peaks are those of the recorded calls by the mock's clock, which stands still
        with a seed: then all calls are made in the same second until the test moves it. Values
        are those that are armed, those of the option, or AWS's defaults. factor: how many times as
        much traffic there would be. Raises TypeError and ValueError for a factor that is not a
        positive number.
        """
        times, backend = read_factor(factor), self._backend
        with backend.lock:
            rates = PeakRates(backend.quotas.get_rate)
            for event in backend.calls:
                rates.note(event)
            return Headroom(rates.peaks.values(), times, backend.calls.note)

    def assert_headroom(self, factor: float = 1) -> None:
        """Assert that `factor` times this traffic would not be throttled, by AWS's quotas.

        The arguments are those of `headroom`. Raises AssertionError with the quotas that would be
        exceeded; also if calls are no longer recorded, so that it is not known.
        """
        __tracebackhide__ = True
        headroom = self.headroom(factor)
        if not headroom:
            raise AssertionError("\n".join(headroom.describe_exceeded()))
