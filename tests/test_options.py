"""An option is one place: all that there is of it follows from the table."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import pytest

from kmsmock import mock_kms, options
from kmsmock.options import MockOptions, Option
from kmsmock.timing.delays import DELAYS

README = (Path(__file__).parents[1] / "README.md").read_text()


def in_readme(name: str, option: Option) -> str:
    default = option.default_in_words or f"`{option.default!r}`".replace("'", '"')
    return f"| `{name}` | {default} | {option.doc} |"


def test_the_table_of_the_readme_is_that_of_the_options() -> None:
    rows = README.split("### Options")[1].split("|---|---|---|\n")[1].split("\n\n")[0]

    assert rows.splitlines() == [in_readme(n, option) for n, option in options.table().items()]


@pytest.fixture
def made_up_option(monkeypatch: pytest.MonkeyPatch) -> None:
    """Add an option as a maintainer does: a member of the table."""

    def read(name: str, value: str) -> str:
        if not value.isalpha():
            raise TypeError(f"{name} must be letters, not {value!r}")
        return value

    option = Option("plain", "how `gilded` a mock is", read=read)
    monkeypatch.setitem(MockOptions.__annotations__, "gilding", Annotated[str, option])


@pytest.mark.usefixtures("made_up_option")
class TestAMadeUpOption:
    def test_is_a_keyword_with_its_default(self) -> None:
        with mock_kms(isolated=True) as kms:
            assert kms.options["gilding"] == "plain"
        with mock_kms(gilding="gold") as kms:
            assert kms.options["gilding"] == "gold"

    def test_makes_a_world_of_its_own(self) -> None:
        with mock_kms() as outer, mock_kms(gilding="gold") as inner:
            assert outer is not inner

    def test_is_read_as_it_says(self) -> None:
        with pytest.raises(TypeError, match="gilding must be letters, not '24'"):
            mock_kms(gilding="24")

    def test_is_named_where_another_is_misspelt(self) -> None:
        with pytest.raises(TypeError, match=r"it has account_id, .*gilding"):
            mock_kms(guilding="gold")

    def test_is_a_mark_and_an_ini_option(self, pytester: pytest.Pytester) -> None:
        pytester.makeini("[pytest]\nkms_gilding = silver\n")
        pytester.makepyfile(
            """
            import pytest

            def test_ini(kms):
                assert kms.options["gilding"] == "silver"

            @pytest.mark.kms(gilding="gold")
            def test_mark(kms):
                assert kms.options["gilding"] == "gold"

            @pytest.mark.kms(gilding="gold")
            def test_a_mark_that_comes_too_late(session_kms):
                pass
            """
        )

        result = pytester.runpytest_inprocess()

        result.assert_outcomes(passed=2, errors=1)
        result.stdout.fnmatch_lines(["*kms(gilding='gold') comes too late*Set kms_gilding in*"])

    def test_is_in_the_help_of_pytest(self, pytester: pytest.Pytester) -> None:
        result = pytester.runpytest_inprocess("--help")

        words = " ".join(result.stdout.str().split())
        assert "kms_gilding (string): how gilded a mock is (default: 'plain')" in words


def test_all_options_but_one_can_be_configured_and_are_explained_by_pytest(
    pytester: pytest.Pytester,
) -> None:
    result = pytester.runpytest_inprocess("--help")

    shown = {line.split()[0] for line in result.outlines if line.startswith("  kms_")}
    assert shown == {f"kms_{name}" for name in options.table().keys() - {"isolated"}}


def test_paths_in_marks_and_configuration_start_at_the_root_directory(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytester.makeini("[pytest]\nkms_prices = prices.json\n")
    pytester.path.joinpath("prices.json").write_text('{"KMS-Requests": "0.5"}')
    pytester.path.joinpath("other.json").write_text('{"KMS-Requests": "0.25"}')
    elsewhere = pytester.mkdir("elsewhere")
    elsewhere.joinpath("test_it.py").write_text(
        "import pytest\n"
        "def test_ini(kms, kms_key):\n"
        "    assert str(kms.calls[-1].price) == '0.5'\n"
        "@pytest.mark.kms(prices='other.json')\n"
        "def test_mark(kms, kms_key):\n"
        "    assert str(kms.calls[-1].price) == '0.25'\n"
    )
    monkeypatch.chdir(elsewhere)

    pytester.runpytest_inprocess("--rootdir", pytester.path).assert_outcomes(passed=2)


@pytest.mark.parametrize("choice", sorted(DELAYS))
def test_each_set_of_delays_can_be_chosen(choice: str) -> None:
    with mock_kms(delays=choice) as kms:
        assert kms.options["delays"] == choice


def test_delays_that_are_none_of_these_are_refused() -> None:
    with pytest.raises(TypeError, match="delays must be 'kms' or 'all' or 'none', not 'some'"):
        mock_kms(delays="some")
