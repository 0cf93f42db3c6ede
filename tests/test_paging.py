"""Pages of lists, and the markers from which they go on."""

from __future__ import annotations

import pytest

from kmsmock import mock_kms
from kmsmock.aws.paging import InvalidMarkerError, Markers, paginate
from tests.refusals import refused

MARKERS = Markers(b"secret")
LETTERS = "abcde"


@pytest.fixture
def kms():
    with mock_kms(isolated=True) as kms:
        yield kms


def test_pages_together_are_the_whole_list():
    first, marker = paginate(MARKERS, "List", LETTERS, None, 2)
    second, marker = paginate(MARKERS, "List", LETTERS, marker, 2)
    third, end = paginate(MARKERS, "List", LETTERS, marker, 2)

    assert (first, second, third, end) == (["a", "b"], ["c", "d"], ["e"], None)


@pytest.mark.parametrize("limit", [5, None], ids=["of its size", "without limit"])
def test_a_full_page_without_more_items_has_no_marker(limit):
    assert paginate(MARKERS, "List", LETTERS, None, limit) == (list(LETTERS), None)


def test_an_item_deleted_between_pages_makes_the_next_page_skip_none():
    _, marker = paginate(MARKERS, "List", [1, 2, 3, 4], None, 2, position=int)

    assert paginate(MARKERS, "List", [2, 3, 4], marker, 2, position=int) == ([3, 4], None)


@pytest.mark.parametrize(
    "marker",
    ["", "none", "ü", MARKERS.sign("Other", "1"), Markers(b"of another mock").sign("List", "1")],
    ids=["empty", "invented", "not base64", "of another list", "of another mock"],
)
def test_a_marker_that_was_not_issued_for_the_list_is_refused(marker):
    with pytest.raises(InvalidMarkerError):
        paginate(MARKERS, "List", LETTERS, marker, 2)


def test_iam_and_kms_refuse_the_markers_of_other_operations(kms):
    iam, client = kms.client("iam"), kms.client()
    for name in ("one", "two"):
        iam.create_user(UserName=name)
        client.create_key()
    of_users = iam.list_users(MaxItems=1)["Marker"]
    of_keys = client.list_keys(Limit=1)["NextMarker"]

    with refused("ValidationError", "Invalid Marker."):
        iam.list_groups(Marker=of_users)
    with refused("InvalidMarkerException", ""):
        client.list_aliases(Marker=of_keys)
