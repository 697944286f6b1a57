"""Studies and placebo pools block by block, checked against the study of single markets and against loops."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import market_reaction as mr
from market_reaction import scale
from market_reaction.errors import EventTableError, ScaleError, WindowError
from market_reaction.inference.dependence import clustered_t
from market_reaction.inference.parametric import cross_section_t, event_level_t
from market_reaction.inference.scales import ewma_volatility
from market_reaction.scale.dataset import PanelDataset

SHARES = ["Apple", "ExxonMobil", "AMD"]
DATES = ["2018-03-22-us", "2018-04-03-us", "2018-04-04-cn", "2019-05-05-us", "2019-08-01-us", "2019-08-05-us"]


@pytest.fixture(scope="module")
def bundled(tmp_path_factory: pytest.TempPathFactory) -> PanelDataset:
    return scale.bundled_panel(tmp_path_factory.mktemp("bundled"))


@pytest.fixture(scope="module")
def panel(tmp_path_factory: pytest.TempPathFactory) -> PanelDataset:
    return scale.random_panel(tmp_path_factory.mktemp("generated"), 50, 700, block=12, missing=0.05)


def days(panel: PanelDataset, *places: int) -> pd.DataFrame:
    return pd.DataFrame({"event_id": [f"day {at}" for at in places], "session": panel.sessions[list(places)]})


@pytest.mark.parametrize("model", ["constant_mean", "market", "market_adjusted"])
def test_rows_are_those_of_the_study_of_single_markets(bundled: PanelDataset, tmp_path: Path, model: str) -> None:
    events = mr.load_events().loc[DATES]
    windows = ((0, 1), (-1, 5))
    rows = scale.run(bundled, events, tmp_path, model=model, windows=windows).to_frame(assets=SHARES)
    prices = mr.load_prices([*SHARES, "S&P 500"], events=events, source="bundled")
    with pytest.warns(match="straddle|share sessions"):
        study = mr.event_study(
            prices, events, markets=SHARES, normal_model=model, windows=mr.EventWindows(event=windows)
        )
    for window in windows:
        expected = study.car(window).swaplevel().sort_index()
        found = rows.set_index(["asset", "event_id"]).sort_index()
        name = f"{window[0]},{window[1]}"
        index = expected.index
        np.testing.assert_allclose(found.loc[index, f"car[{name}]"], expected["estimate"], rtol=1e-10, atol=1e-14)
        np.testing.assert_allclose(found.loc[index, f"car_std_error[{name}]"], expected["std_error"], rtol=1e-10)
    sessions = study.sessions["session"].xs("Apple", level="market")
    apple = rows[rows["asset"] == "Apple"].set_index("event_id")["session"]
    assert (pd.to_datetime(apple).loc[sessions.index] == sessions).all()


def test_partitions_are_named_in_the_manifest(panel: PanelDataset, tmp_path: Path) -> None:
    found = scale.run(panel, days(panel, 300, 400), tmp_path, model="market")
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    assert manifest["status"] == "complete" and manifest["kernel"] in ("gather", "sums")
    assert [part["rows"] for part in manifest["partitions"]] == [24, 24, 24, 24, 4]
    assert manifest["options"]["factors"] == ["generated market"] and manifest["panel"]["sha256"] == panel.checksum
    assert found.to_frame()["asset"].nunique() == 50
    assert repr(found).startswith("<StudyRows: 2 events, 50 securities, 100 rows in 5 partitions, market, kernel ")


def test_events_of_single_securities(panel: PanelDataset, tmp_path: Path) -> None:
    """Listed pairs have the numbers of the full product, and blocks without an event have no rows."""
    every = scale.run(panel, days(panel, 300, 400), tmp_path / "all", kernel="sums").to_frame()
    names = list(panel.assets.index)
    chosen = pd.DataFrame(
        {"event_id": ["a", "b", "a"], "asset": [names[0], names[49], names[3]],
         "session": panel.sessions[[300, 400, 400]]}
    )  # fmt: skip
    listed = scale.run(panel, chosen, tmp_path / "listed", kernel="sums")
    assert [part["rows"] for part in listed.manifest["partitions"]] == [2, 0, 0, 0, 1]
    for row in listed.to_frame().to_dict("records"):
        same = every[(every["asset"] == row["asset"]) & (every["day"] == row["day"])].iloc[0]
        assert row["car[0,5]"] == same["car[0,5]"] and row["residual_std"] == same["residual_std"]
    assert listed.per_event()["n"].to_dict() == {"a": 2, "b": 1}


def test_sessions_left_out_of_estimation(panel: PanelDataset, tmp_path: Path) -> None:
    events = days(panel, 400)
    frame = scale.run(panel, events, tmp_path, skip=days(panel, 350), windows=[(0, 1)]).to_frame()
    plain = scale.run(panel, events, tmp_path / "plain", windows=[(0, 1)]).to_frame()
    fewer = plain["n_used"] - frame["n_used"]
    assert fewer.max() == 2 and (fewer >= 0).all()


@pytest.mark.parametrize("harm", ["delete", "truncate", "side", "draft"])
def test_a_rerun_does_only_what_is_missing_or_damaged(panel: PanelDataset, tmp_path: Path, harm: str) -> None:
    events = days(panel, 300, 320)
    before = scale.run(panel, events, tmp_path).to_frame()
    parts = sorted((tmp_path / "parts").glob("*.parquet"))
    stamps = [part.stat().st_mtime_ns for part in parts]
    if harm == "delete":
        parts[2].unlink()
    elif harm == "truncate":
        parts[2].write_bytes(parts[2].read_bytes()[:-100])
    elif harm == "side":
        parts[2].with_suffix(".json").write_text("{}")
    else:
        (tmp_path / "parts" / ".part-00002.parquet-x.tmp").write_bytes(b"half")
    after = scale.run(panel, events, tmp_path).to_frame()
    assert after.equals(before)
    changed = [part.stat().st_mtime_ns != stamp for part, stamp in zip(parts, stamps, strict=True)]
    assert changed == [False, False, harm != "draft", False, False]
    assert not list((tmp_path / "parts").glob(".*"))


def test_a_run_that_was_cut_short_goes_on(panel: PanelDataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from market_reaction.scale import cluster, work

    original = work.run_block

    def dies(out: str, wanted: str, number: int, threads: int | None) -> object:
        if number == 3:
            raise KeyboardInterrupt
        return original(out, wanted, number, threads)

    monkeypatch.setattr(work, "run_block", dies)
    with pytest.raises(KeyboardInterrupt):
        scale.run(panel, days(panel, 300), tmp_path)
    with pytest.raises(ScaleError, match=r"not complete: 3 of 5 blocks are done. Run the same job again"):
        scale.open_results(tmp_path)
    monkeypatch.setattr(work, "run_block", original)
    done = []
    monkeypatch.setattr(cluster, "progress", lambda items, *_: done.extend(items) or items)
    assert len(scale.run(panel, days(panel, 300), tmp_path).to_frame()) == 50
    assert done == [3, 4]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"windows": [(0, 3)]}, r"options windows: \[\[0, 1\], \[0, 5\]\] there, \[\[0, 3\]\] asked for"),
        ({"model": "market"}, 'options model: "constant_mean" there, "market" asked for'),
        ({"kernel": "gather"}, 'kernel: "sums" there, "gather" asked for'),
        ({"events": 301}, "events sha256: "),
    ],
)
def test_other_options_are_refused_and_named(panel: PanelDataset, tmp_path: Path, change: dict, message: str) -> None:
    scale.run(panel, days(panel, 300), tmp_path, kernel="sums")
    events = days(panel, change.pop("events", 300))
    with pytest.raises(ScaleError, match=message):
        scale.run(panel, events, tmp_path, **({"kernel": "sums"} | change))


def test_another_panel_or_version_is_refused(
    panel: PanelDataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = scale.random_panel(tmp_path / "other", 50, 700, seed=2, block=12)
    scale.run(panel, days(panel, 300), tmp_path / "out")
    with pytest.raises(ScaleError, match=r"panel sha256: \w{8}\.\.\. there, \w{8}\.\.\. asked for"):
        scale.run(other, days(panel, 300), tmp_path / "out")
    monkeypatch.setattr(np, "__version__", "0.1")
    with pytest.raises(ScaleError, match=r'versions numpy: .* there, "0\.1" asked for'):
        scale.run(panel, days(panel, 300), tmp_path / "out")


def test_events_that_cannot_be_placed_are_all_listed(panel: PanelDataset, tmp_path: Path) -> None:
    saturday = panel.sessions[300] + pd.Timedelta(days=(5 - panel.sessions[300].day_of_week) % 7)
    events = pd.DataFrame(
        {
            "event_id": ["early", "late", "closed", "typo", "good"],
            "session": [panel.sessions[5], panel.sessions[-2], saturday, panel.sessions[300], panel.sessions[300]],
            "asset": ["generated 00001", "generated 00001", "generated 00001", "generated 0001", "generated 00002"],
        }
    )
    with pytest.raises(EventTableError) as caught:
        scale.run(panel, events, tmp_path)
    text = str(caught.value)
    assert "4 events cannot be placed:" in text and "on_bad_event='exclude'" in text
    assert "'early' of 'generated 00001': needs 130 sessions before" in text and "the panel has 5." in text
    assert "'late' of 'generated 00001': needs 5 sessions after" in text
    assert f"{saturday:%Y-%m-%d} is no session of the panel; the next one is" in text
    assert "the panel has no security 'generated 0001'. Did you mean" in text
    found = scale.run(panel, events, tmp_path, on_bad_event="exclude")
    assert found.excluded["event_id"].tolist() == ["early", "late", "closed", "typo"] and len(found.to_frame()) == 1
    with pytest.raises(WindowError, match="so that none is left"):
        scale.run(panel, events.head(2), tmp_path / "none", on_bad_event="exclude")
    with pytest.raises(EventTableError, match="1 events are given twice, first 'good' of 'generated 00002'"):
        scale.run(panel, events.tail(1).loc[[4, 4]], tmp_path / "twice")
    with pytest.raises(EventTableError, match="the events lack session; they have event_id"):
        scale.run(panel, events[["event_id"]], tmp_path / "lack")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"model": "markt"}, "model='markt' is not known; Did you mean 'market'"),
        ({"model": "market", "factors": ["S&P"]}, r"factors=\['S&P'\] was given; the panel has generated market"),
        ({"kernel": "fast"}, "kernel='fast' is not known"),
        ({"client": 5}, "client is of type int"),
    ],
)
def test_options_that_are_not_known(panel: PanelDataset, tmp_path: Path, options: dict, message: str) -> None:
    with pytest.raises(ScaleError, match=message):
        scale.run(panel, days(panel, 300), tmp_path, **options)


def test_averages_from_one_pass_are_those_of_the_rows(panel: PanelDataset, tmp_path: Path) -> None:
    """Events 300 and 301 overlap, 400 has a twin: three date clusters of five events."""
    events = pd.concat([days(panel, 300, 301, 400, 500), days(panel, 400).assign(event_id="twin")])
    found = scale.run(panel, events, tmp_path, model="market")
    frame = found.to_frame()
    by_event = frame.groupby("event_id", sort=False, observed=True)["car[0,1]"]
    mine = found.per_event()
    np.testing.assert_allclose(mine["mean_car"], by_event.mean()[mine.index], rtol=1e-12)
    np.testing.assert_allclose(mine["std"], by_event.std()[mine.index], rtol=1e-10)
    np.testing.assert_allclose(
        mine["share_positive"], by_event.agg(lambda car: (car > 0).sum() / car.count())[mine.index]
    )
    assert mine["n_without"].tolist() == by_event.agg(lambda car: int(car.isna().sum()))[mine.index].tolist()
    by_security = frame.groupby("asset", observed=True)["car[0,1]"].mean()
    np.testing.assert_allclose(found.per_security()["mean_car"], by_security[found.per_security().index], rtol=1e-12)
    tests = found.tests()
    cars, day = frame["car[0,1]"].to_numpy(), frame["day"].to_numpy()
    clusters = np.where(day < 350, 0, day)
    expected = clustered_t(cars, clusters)
    assert tests.at["clustered_t", "statistic"] == pytest.approx(expected.statistic, rel=1e-10)
    assert tests.at["clustered_t", "p_value"] == pytest.approx(expected.p_value, rel=1e-10)
    assert tests.at["clustered_t", "n"] == 3
    assert tests.at["cross_section_t", "p_value"] == pytest.approx(cross_section_t(cars).p_value, rel=1e-9)
    daily = frame.groupby("day")["car[0,1]"].mean()
    expected = event_level_t([daily[[300, 301]].mean(), daily[400], daily[500]])
    assert tests.at["event_level_t", "p_value"] == pytest.approx(expected.p_value, rel=1e-9)
    assert "not valid here" in tests.at["cross_section_t", "valid"]
    path = found.path(events=["day 400", "day 500"])
    running = (
        frame[frame["day"].isin([400, 500])].groupby("day")[[f"ar[{tau}]" for tau in range(6)]].mean().cumsum(axis=1)
    )
    np.testing.assert_allclose(path["caar"], running.mean().to_numpy(), rtol=1e-10)
    assert path["n_clusters"].tolist() == [2] * 6
    with pytest.raises(ScaleError, match=r"window=\(0, 2\) was not studied; it has \(0, 1\), \(0, 5\)"):
        found.per_event((0, 2))
    with pytest.raises(ScaleError, match="event 'nobody' was not studied"):
        found.tests(events=["nobody"])


def test_tests_of_some_events_count_no_other_of_the_same_day(panel: PanelDataset, tmp_path: Path) -> None:
    events = pd.concat([days(panel, 300, 400, 500), days(panel, 400).assign(event_id="twin")])
    found = scale.run(panel, events, tmp_path / "all")
    some = ["day 300", "day 400"]
    alone = scale.run(panel, days(panel, 300, 400), tmp_path / "alone")
    pd.testing.assert_frame_equal(found.tests(events=some), alone.tests(), rtol=1e-12)
    cars = found.to_frame(["car[0,1]"], events=some)["car[0,1]"].to_numpy()
    tests = found.tests(events=some)
    assert tests.at["cross_section_t", "n"] == np.isfinite(cars).sum()
    assert tests.at["clustered_t", "estimate"] == pytest.approx(np.nanmean(cars), rel=1e-12)
    every = found.tests(events=[*found.events.index])
    pd.testing.assert_frame_equal(every, found.tests(), rtol=1e-12)


def test_placebo_pools_by_a_loop(panel: PanelDataset, tmp_path: Path) -> None:
    """The pool is the same statistic on earlier days, latest first, without the excluded one."""
    every = days(panel, *range(130, 690))
    rows = scale.run(panel, every, tmp_path / "all", model="market", windows=[(0, 0), (0, 1)], paths=False)
    day_zero = rows.per_event((0, 0))["mean_car"].to_numpy()
    two_days = rows.per_event((0, 1))["mean_car"].to_numpy()
    statistic = (two_days / ewma_volatility(day_zero))[: 600 - 130 + 1]
    barred = (580 - 130, 579 - 130)  # the windows of both hold the excluded session
    order = [at for at in range(600 - 11 - 130, -1, -1) if at not in barred and np.isfinite(statistic[at])][:200]
    p_value = (1 + np.count_nonzero(np.abs(statistic[order]) >= abs(statistic[-1]))) / 201
    found = scale.run_placebo(
        panel, days(panel, 600), tmp_path / "pool", model="market", windows=[(0, 1)], count=200,
        exclude=days(panel, 580),
    )  # fmt: skip
    row = found.to_frame().iloc[0]
    assert row["n_placebo"] == 200 and row["placebo_p"] == pytest.approx(p_value)
    assert row["mean_car"] == pytest.approx(two_days[600 - 130], rel=1e-10)
    pool = found.pool("day 600").means
    np.testing.assert_allclose(pool, two_days[order], rtol=1e-9)
    squares = rows.to_frame(["event", "car[0,1]", "car_std_error[0,1]"])
    scar = squares["car[0,1]"] / squares["car_std_error[0,1]"]
    spread = np.sqrt((scar**2).groupby(squares["event"]).mean())
    assert row["spread"] == pytest.approx(spread[600 - 130], rel=1e-9)


def test_pools_of_events_of_single_securities(panel: PanelDataset, tmp_path: Path) -> None:
    """An event listed for every security is the event all of them share."""
    names = list(panel.assets.index)
    listed = pd.DataFrame({"event_id": "one", "asset": names, "session": panel.sessions[600]})
    options = {"model": "market", "count": 150, "kernel": "sums"}
    alone = scale.run_placebo(panel, listed, tmp_path / "listed", **options)
    shared = scale.run_placebo(panel, days(panel, 600), tmp_path / "shared", **options)
    one, other = alone.to_frame().iloc[0], shared.to_frame().iloc[0]
    for name in ("n", "mean_car", "placebo_p", "n_placebo", "spread", "spread_p", "mde"):
        assert one[name] == pytest.approx(other[name], rel=1e-9), name
    with pytest.raises(ScaleError, match="only holds for events that all securities share"):
        scale.run_placebo(panel, listed, tmp_path / "x", exclude=days(panel, 500))


def test_pools_do_not_grow_with_the_number_of_securities(panel: PanelDataset, tmp_path: Path) -> None:
    found = scale.run_placebo(panel, days(panel, 500, 600), tmp_path, count=150)
    rows = [part["rows"] for part in found.manifest["partitions"]]
    assert len(set(rows)) == 1 and rows[0] <= len(panel.sessions)
    small = scale.run_placebo(panel, days(panel, 250), tmp_path / "small", count=150).to_frame().iloc[0]
    assert np.isnan(small["placebo_p"]) and "at least 100 are needed" in small["note"] and np.isinf(small["mde"])


def test_results_are_opened_for_what_they_are(panel: PanelDataset, tmp_path: Path) -> None:
    scale.run(panel, days(panel, 300), tmp_path / "rows")
    scale.run_placebo(panel, days(panel, 300), tmp_path / "pools", count=20)
    with pytest.raises(ScaleError, match=r"holds a placebo; open it with scale.open_placebo"):
        scale.open_results(tmp_path / "pools")
    with pytest.raises(ScaleError, match=r"holds a study; open it with scale.open_results"):
        scale.open_placebo(tmp_path / "rows")
    with pytest.raises(ScaleError, match="is no folder of results"):
        scale.open_results(tmp_path)
