"""Observers of mocks: what they are notified of, by whatever a mock does."""

from __future__ import annotations

from time import perf_counter

import pytest

from kmsmock import mock_kms
from kmsmock.process.watchers import Watcher, watchers, watching
from tests.refusals import refused


class Recorder(Watcher):
    """Records the events of all mocks, with the number of keys at the time."""

    def __init__(self):
        self.events = []

    def began(self, kms):
        self.events.append(("began", len(kms.keys)))

    def called(self, backend, event, seconds):
        self.events.append(("called", event.operation))

    def handed_out(self, backend, event, plaintexts):
        self.events.append(("handed out", *plaintexts))

    def restoring(self, kms):
        self.events.append(("restoring", len(kms.keys)))

    def restored(self, kms):
        self.events.append(("restored", len(kms.keys)))

    def ended(self, kms):
        self.events.append(("ended", len(kms.keys)))


@pytest.fixture
def recorder():
    recorder = Recorder()
    with watching(recorder):
        yield recorder


def create_key(kms):
    return kms.client().create_key()["KeyMetadata"]["KeyId"]


# --- events ------------------------------------------------------------------------------------


def test_a_watcher_is_notified_of_the_start_the_calls_and_the_end_of_a_mock(recorder):
    with mock_kms(isolated=True) as kms:
        create_key(kms)

    assert recorder.events == [("began", 0), ("called", "CreateKey"), ("ended", 1)]


@pytest.mark.parametrize("wire", [False, True], ids=["before-call", "wire"])
def test_a_call_that_is_refused_is_a_call(recorder, wire):
    with mock_kms(wire=wire) as kms, refused("NotFoundException"):
        kms.client().describe_key(KeyId="alias/none")

    assert ("called", "DescribeKey") in recorder.events


def test_a_call_that_a_service_makes_is_a_call(recorder):
    with mock_kms(isolated=True) as kms:
        kms.client("ec2").create_volume(AvailabilityZone="us-east-1a", Size=1, Encrypted=True)

        assert [name for event, name in recorder.events if event == "called"] == [
            call.operation for call in kms.calls
        ]
        assert len(kms.calls) > 0


def test_plaintexts_of_an_answer_come_after_its_call_by_the_member_that_has_them(recorder):
    with mock_kms(isolated=True) as kms:
        key_id = create_key(kms)
        recorder.events.clear()
        kms.client().generate_data_key_pair(KeyId=key_id, KeyPairSpec="ECC_NIST_P256")

        assert recorder.events == [
            ("called", "GenerateDataKeyPair"),
            ("handed out", "PrivateKeyPlaintext"),
        ]


def test_plaintexts_are_given_as_the_client_gets_them_with_the_record_of_the_call(kms):
    class Plaintexts(Watcher):
        def handed_out(self, backend, event, plaintexts):
            received.append((backend, event, plaintexts))

    received = []
    with watching(Plaintexts()):
        random = kms.client().generate_random(NumberOfBytes=32)["Plaintext"]

    assert received == [(kms.backend, kms.calls[-1], {"Plaintext": random})]


def test_a_call_comes_with_its_duration_in_seconds(kms):
    class Timer(Watcher):
        def called(self, backend, event, seconds):
            durations.append(seconds)

    durations = []
    with watching(Timer()):
        start = perf_counter()
        create_key(kms)
        elapsed = perf_counter() - start

    (seconds,) = durations
    assert 0 < seconds < elapsed


def test_before_a_restore_the_state_is_the_old_one_and_after_it_the_restored_one(recorder):
    with mock_kms(isolated=True) as kms:
        checkpoint = kms.checkpoint()
        create_key(kms)
        recorder.events.clear()
        kms.restore(checkpoint)

        assert recorder.events == [("restoring", 1), ("restored", 0)]


def test_a_restore_that_is_refused_is_followed_by_the_unchanged_state(recorder):
    with mock_kms(isolated=True) as kms:
        create_key(kms)
        recorder.events.clear()
        with pytest.raises(TypeError, match="not a checkpoint"):
            kms.restore("no checkpoint")

        assert recorder.events == [("restoring", 1), ("restored", 1)]


def test_a_reset_is_an_end_and_a_beginning(recorder):
    with mock_kms(isolated=True) as kms:
        create_key(kms)
        recorder.events.clear()
        kms.reset()

        assert recorder.events == [("ended", 1), ("began", 0)]


def test_a_reset_of_a_mock_that_is_paused_is_an_end_and_a_beginning(recorder):
    with mock_kms(isolated=True) as kms:
        recorder.events.clear()
        with kms.pause():
            kms.reset()

        assert recorder.events == [("ended", 0), ("began", 0)]


def test_a_reset_of_a_mock_that_is_stopped_is_no_event(recorder):
    with mock_kms(isolated=True) as kms:
        pass
    recorder.events.clear()

    kms.reset()

    assert recorder.events == []


# --- several mocks -----------------------------------------------------------------------------


def test_a_nested_bare_mock_has_the_events_of_the_one_that_it_joins(recorder):
    with mock_kms(isolated=True), mock_kms() as kms:
        create_key(kms)

    assert recorder.events == [("began", 0), ("called", "CreateKey"), ("ended", 1)]


def test_of_two_mocks_on_top_of_each_other_the_one_that_answers_is_told(recorder):
    class Backends(Watcher):
        def called(self, backend, event, seconds):
            backends.append(backend)

    backends = []
    with mock_kms(isolated=True) as outer, watching(Backends()):
        create_key(outer)
        with mock_kms(isolated=True) as inner:
            create_key(inner)
        create_key(outer)

    assert backends == [outer.backend, inner.backend, outer.backend]
    assert [event for event, _ in recorder.events if event != "called"] == [
        *("began", "began"),
        *("ended", "ended"),
    ]


def test_a_mock_that_is_joined_begins_once_and_ends_with_its_last_stop(recorder):
    with mock_kms(isolated=True):
        joined = mock_kms()
        joined.start()
    assert recorder.events == [("began", 0)]

    joined.stop()

    assert recorder.events == [("began", 0), ("ended", 0)]


# --- watchers ----------------------------------------------------------------------------------


def test_a_watcher_that_was_removed_is_notified_of_nothing(recorder):
    watchers.remove(recorder)
    with mock_kms(isolated=True) as kms:
        create_key(kms)

    assert recorder.events == []


class Broken(Watcher):
    """Raises at one of the events."""

    def called(self, backend, event, seconds):
        raise LookupError("called")

    def restoring(self, kms):
        raise LookupError("restoring")

    def ended(self, kms):
        raise LookupError("ended")


def test_what_a_watcher_raises_at_a_call_reaches_the_test_with_the_call_recorded(kms):
    with watching(Broken()), pytest.raises(LookupError, match="called"):
        kms.client().list_keys()

    assert kms.calls[-1].operation == "ListKeys"


def test_a_watcher_that_raises_keeps_no_other_from_being_notified(kms):
    recorder = Recorder()
    with watching(Broken()), watching(recorder), pytest.raises(LookupError, match="called"):
        kms.client().list_keys()

    assert recorder.events == [("called", "ListKeys")]


def test_a_mock_stops_although_a_watcher_raises():
    mocker = mock_kms(isolated=True)
    kms = mocker.start()
    with watching(Broken()), pytest.raises(LookupError, match="ended"):
        mocker.stop()

    assert not kms.is_active


def test_a_restore_that_a_watcher_keeps_from_happening_changes_nothing(kms):
    checkpoint = kms.checkpoint()
    create_key(kms)
    with watching(Broken()), pytest.raises(LookupError, match="restoring"):
        kms.restore(checkpoint)

    assert len(kms.keys) == 1


def test_a_run_without_report_budget_and_leak_check_has_no_listeners_for_calls(
    pytester: pytest.Pytester,
) -> None:
    pytester.makepyfile(
        """
        from kmsmock.process.watchers import watchers

        def test_it(kms):
            assert (watchers.called, watchers.handed_out) == ([], [])
        """
    )

    pytester.runpytest_subprocess().assert_outcomes(passed=1)


@pytest.mark.usefixtures("everything_loaded")
def test_a_run_leaves_no_listeners_behind(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import pytest

        @pytest.mark.kms(max_requests=1, leak_check=True)
        def test_it(kms):
            kms.client().list_keys()
        """
    )
    before = {event: list(listeners) for event, listeners in vars(watchers).items()}

    result = pytester.runpytest_inprocess("--kms-report")

    result.assert_outcomes(passed=1)
    assert vars(watchers) == before
