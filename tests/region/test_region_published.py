"""Several publications of the same numbers: a later grouping reveals nothing that an earlier one left out."""

import json

import pytest

from celadon.cli import main
from celadon.cli.shapes import problems
from celadon.core.findings import FindingError
from celadon.region.facade import open_region
from tests.region.test_region_peers import make
from tests.store.store_tools import only

SHANDONG, JIANGSU = "370100", "320100"


def firms(counts):
    """(industry, place) → how many enterprises of equal size."""
    return [
        (f"F{industry}-{place}-{number}", industry, place, 10 + number, 10)
        for (industry, place), count in counts.items()
        for number in range(count)
    ]


def shown(found):
    return {item.group[0]: item.enterprises for item in found.groups if not item.suppressed}


@pytest.fixture
def stairs(tmp_path):
    """Ten enterprises of 3411 in Shandong, one of it in Jiangsu, ten of 3412 in Jiangsu: by industry 11 and 10, by place 10
    and 11, all safe; but 3411 less Shandong is one enterprise."""
    make(tmp_path, firms({("3411", SHANDONG): 10, ("3411", JIANGSU): 1, ("3412", JIANGSU): 10}))
    return tmp_path


def test_either_grouping_alone_is_safe(stairs):
    with open_region(stairs) as region:
        assert shown(region.peers("2024-01", by="industry")) == {"3411": 11, "3412": 10}
        assert shown(region.peers("2024-01", by="region")) == {SHANDONG: 10, JIANGSU: 11}


@pytest.mark.parametrize(("first", "second"), [("industry", "region"), ("region", "industry")])
def test_the_second_grouping_reveals_nothing(stairs, first, second):
    """What is out may stay and the new groups are left out, or the new ones are refused: never both tables."""
    with open_region(stairs) as region:
        out = region.peers("2024-01", by=first, publish=True)
        assert len(shown(out)) == 2
        try:
            found = shown(region.peers("2024-01", by=second))
        except FindingError as error:
            finding = only(error)
            assert finding.code == "peers.would-reveal"
            assert finding.values["earlier"] == first
        else:
            assert found == {}
        # the same table again, and other numbers, are no news
        assert shown(region.peers("2024-01", by=first, publish=True)) == shown(out)


def test_two_groupings_shown_together_reveal_nothing(stairs):
    """As the public page of a region shows them: 3411 less Shandong is one enterprise, so not both totals are told."""
    with open_region(stairs) as region:
        industry = shown(region.peers("2024-01", by="industry", beside=["region"], publish=True))
        place = shown(region.peers("2024-01", by="region", beside=["industry"], publish=True))
    assert not ("3411" in industry and SHANDONG in place)
    assert not ("3412" in industry and JIANGSU in place)


def test_a_mean_tells_nothing_of_who_has_no_denominator(tmp_path):
    """total − mean × over is what the enterprises without an output value sum to: 77.7 MWh of one of them, or five of them."""
    eight = [(f"A{n}", "3411", "370100", 10 + n, 10) for n in range(8)]
    make(tmp_path, [*eight, ("X", "3411", "370100", 77.7, "")])
    with open_region(tmp_path) as region:
        [group] = region.peers("2024-01", publish=True).groups
        assert (group.enterprises, group.over, group.mean) == (9, 80, None)
        assert group.total == pytest.approx((108 + 77.7) * 0.1229)
        # the register knows that the mean is not out: the same again is told, not refused
        assert region.peers("2024-01").groups[0].mean is None
    several = tmp_path / "several"
    several.mkdir()
    make(several, [*eight, *((f"X{n}", "3411", "370100", 70 + n, "") for n in range(5))])
    with open_region(several) as region:
        [group] = region.peers("2024-01").groups
    assert (group.enterprises, group.mean) == (13, pytest.approx(108 * 0.1229 / 80))


def test_what_is_out_cannot_be_taken_back(stairs, capsys):
    """A register that says both tables are out, as a report from outside would: nothing more is told."""
    words = ["peers", str(stairs), "--period", "2024-01", "--json", "--lang", "en"]
    assert main([*words, "--by", "industry", "--publish"]) == 0
    body = json.loads(capsys.readouterr().out)
    assert problems(body) == []
    with open_region(stairs) as region:
        from celadon.region.published import Publication, record

        place = Publication.of(
            "comprehensive_energy", "output_value", "cn_gbt_2589_2020", region.period("2024-01"), ("region",),
            [(SHANDONG,), (JIANGSU,)],
        )  # fmt: skip
        record(region.con, region.store, place)
    assert main([*words, "--by", "province"]) == 1
    [finding] = json.loads(capsys.readouterr().out)["findings"]
    assert finding["code"] == "peers.would-reveal"
    assert finding["says"]["en"].startswith(
        "2024-01 was published by industry; region; beside it, groups by province would let "
    )


def test_where_nothing_follows_both_are_shown(tmp_path):
    """Every crossing has six enterprises or more."""
    make(tmp_path, firms({(code, place): 6 for code in ("3411", "3412") for place in (SHANDONG, JIANGSU)}))
    with open_region(tmp_path) as region:
        region.peers("2024-01", by="industry", publish=True)
        assert shown(region.peers("2024-01", by="region", publish=True)) == {SHANDONG: 12, JIANGSU: 12}
        # 3411 and 3412 are of one division, whose total was published with them
        assert shown(region.peers("2024-01", by="division")) == {"34": 24}


def test_periods_that_overlap_are_refused(stairs):
    with open_region(stairs) as region:
        region.peers("2024-01", by="industry", publish=True)
        with pytest.raises(FindingError) as raised:
            region.peers("2024-Q1", by="industry")
        finding = only(raised.value)
    assert finding.code == "peers.periods-overlap"
    assert finding.says("en") == (
        "comprehensive_energy was published for 2024-01; the difference to 2024-01-01..2024-03-31 would be a publication of its own."
    )
