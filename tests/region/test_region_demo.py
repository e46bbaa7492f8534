"""`celadon demo --region` from end to end."""

import json

import pytest

from celadon.cli import demo_region, main
from celadon.cli.shapes import problems


def test_the_whole_way_on_a_small_country(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(demo_region, "FIRMS", 400)
    assert main(["demo", "--region", "--dir", str(tmp_path / "a"), "--json"]) == 0
    body = json.loads(capsys.readouterr().out)
    assert problems(body) == []
    assert body["enterprises"] == 400
    assert body["load"]["rejected"] == 0
    assert body["account"]["sum"] == pytest.approx(body["account"]["total"], rel=1e-9)
    assert sum(body["grades"].values()) == 400
    assert 0 < body["peers"]["suppressed"] < body["peers"]["groups"]
    assert body["screen"]["found"] >= 0.7 * body["screen"]["planted"]
    assert body["warn"]["quotas"] > 50


def test_told_in_chinese(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(demo_region, "FIRMS", 150)
    assert main(["demo", "--region", "--dir", str(tmp_path / "a"), "--lang", "zh"]) == 0
    text = capsys.readouterr().out
    for words in ("虚构国", "载入：名录", "评级", "对标", "筛查", "预警", "完成，用时"):
        assert words in text
