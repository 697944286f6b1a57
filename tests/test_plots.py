"""Charts: the numbers in the traces are those of the result, titles state the finding, hostile names stay text."""

import math
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import market_reaction as mr
from helpers import price_data, seeded_closes
from market_reaction import plots, theme, wording
from market_reaction.clock_strip import trading_hours
from market_reaction.other_news import OtherNews

KINDS = ("reactions", "car", "placebo", "clock")


@pytest.fixture(scope="module")
def london() -> mr.ReactionResult:
    return mr.react("2025-06-10-jt", source="bundled")


@pytest.fixture(scope="module")
def geneva() -> mr.ReactionResult:
    return mr.react("2025-05-12 07:00 UTC", markets=["CSI 300"], source="bundled")


def traces(figure, name):
    return [trace for trace in figure.data if trace.name == name]


@pytest.mark.parametrize(
    ("kind", "title"),
    [
        ("reactions", "Unusual: WTI spot +4.95% and Brent spot +4.21% (2 of 8, p ≤ 0.05)"),
        ("car", "CSI 300: +0.25% by session +5; zero lies inside the 95% band"),
        ("placebo", "CSI 300: placebo p 0.36 (floor 0.002), 181 of 500 days moved as much"),
        ("clock", "CSI 300 closed first on the news, 11 Jun 07:00 UTC, 8 h 10 min later"),
    ],
)
def test_titles_state_the_finding(london, kind, title) -> None:
    assert theme.plain_title(london.plot(kind=kind)) == title


def test_titles_of_ordinary_and_of_ambiguous_days(geneva) -> None:
    assert theme.plain_title(geneva.plot()) == "CSI 300 +0.15% was not unusual: placebo p 0.86"
    assert theme.plain_title(geneva.plot(kind="clock")).endswith("ambiguous: CSI 300")
    calm = mr.react("2025-06-10-jt", markets=["CSI 300", "VIX"], source="bundled")
    assert theme.plain_title(calm.plot()) == "None of 2 markets moved unusually; CSI 300 +0.75%, placebo p 0.36"


def test_subtitles_give_source_and_vintage(london) -> None:
    assert "Source: bundled; series end" in london.plot().layout.title.text
    for kind in ("car", "placebo"):
        text = london.plot(kind=kind).layout.title.text.replace('</span><br><span style="font-size:12px">', " ")
        assert f"sha256 {london.reactions[0].series.vintage.sha256[:8]}" in text


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("mode", theme.THEMES)
def test_every_chart_is_transparent_responsive_and_in_one_ink(london, kind, mode) -> None:
    layout = plots.reaction_figure(london, kind=kind, theme=mode).layout
    assert layout.template.layout.paper_bgcolor == layout.template.layout.plot_bgcolor == "rgba(0, 0, 0, 0)"
    assert layout.template.layout.font.color == theme.INK[mode]
    assert layout.autosize
    assert layout.width is None


def test_bars_are_the_placebo_statistics_and_only_unusual_ones_are_hatched(london) -> None:
    figure = london.plot(kind="reactions")
    plain, marked = traces(figure, "not unusual")[0], traces(figure, "unusual (p ≤ 0.05), up or down")[0]
    drawn = dict(zip(plain.y, plain.x, strict=True)) | dict(zip(marked.y, marked.x, strict=True))
    for place, row in enumerate(london.reactions):
        assert drawn[place] == row.headline.placebo.statistic
    assert [london.reactions[at].market for at in marked.y] == ["WTI spot", "Brent spot"]
    assert marked.marker.pattern.shape == "/"
    assert not plain.marker.pattern.shape


def test_a_bar_leaves_the_ordinary_range_exactly_when_its_p_is_small() -> None:
    for announcement in ("2025-06-10-jt", "2025-04-02 20:10 UTC", "2025-10-10 14:57 UTC"):
        result = mr.react(announcement, source="bundled")
        band = traces(result.plot(kind="reactions"), "ordinary range")[0]
        for place, row in enumerate(result.reactions):
            outside = abs(row.headline.placebo.statistic) > -band.base[place]
            assert outside == (row.headline.placebo.scaled.p_value <= 0.05)


def test_changes_and_p_values_stand_beside_the_bars(london) -> None:
    texts = [note.text for note in london.plot(kind="reactions").layout.annotations]
    assert {"+0.75%", "0.36", "−6 bp", "+0.31", "<b>+4.95%</b>", "<b>0.022</b>"} <= set(texts)


def test_ambiguous_rows_show_the_other_session(geneva) -> None:
    mark = traces(geneva.plot(kind="reactions"), "other possible session")[0]
    assert list(mark.x) == [geneva.reactions[0].candidates[0].placebo.statistic]


def test_no_chart_uses_green_for_up_or_red_for_down(london) -> None:
    rising, falling = london["CSI 300"], london["US 10y"]
    figure = mr.react("2025-06-10-jt", markets=["CSI 300", "US 10y"], source="bundled").plot()
    assert rising.headline.change > 0 > falling.headline.change
    plain = traces(figure, "not unusual")[0]
    assert len(plain.x) == 2
    assert plain.marker.color == theme.BLUE


def test_the_car_path_is_the_result_and_starts_from_zero(london) -> None:
    for market, factor in (("CSI 300", 1), ("US 10y", 100), ("VIX", 1)):
        figure = london.plot(kind="car", market=market)
        path = next(trace for trace in figure.data if trace.mode == "lines+markers")
        rows = london.study.to_frame().query("market == @market")
        assert list(path.x) == [-1, 0, 1, 2, 3, 4, 5]
        np.testing.assert_allclose(path.y, factor * np.append(0, rows["car"]))
        band = traces(figure, "95%, each session (pointwise)")[0]
        top = factor * (rows["car"] + stats.t.ppf(0.975, 119) * rows["car_std_error"])
        np.testing.assert_allclose(band.y[1:7], top)
        whole = traces(figure, "95%, whole path (simultaneous)")[0]
        assert (np.array(whole.y[1:7]) > top).all()
    assert london.plot(kind="car", market="US 10y").layout.yaxis.ticksuffix == " bp"


def test_car_paths_of_several_markets_and_events_have_a_panel_each(london) -> None:
    assert len(plots.car_paths(london.study.to_frame()).layout.annotations) == 8
    events = mr.load_events({"a": "2022-05-03 12:00 UTC", "b": "2022-09-06 12:00 UTC"})
    study = mr.event_study(price_data(seeded_closes(columns=2)), events)
    figure = study.plot()
    assert len([trace for trace in figure.data if trace.mode == "lines+markers"]) == 4
    assert "2 events, no bands" in figure.layout.title.text
    assert "series end 2023-06-13." in figure.layout.title.text  # the vintage, as of the frame given
    with pytest.raises(ValueError, match=r"market='x' is not in the study; it has m0, m1\."):
        study.plot(market="x")


@pytest.mark.parametrize(("outside", "end"), [(0, "end"), (1, "ends"), (2, "end")])
def test_the_finding_of_several_paths_counts_in_good_english(london, outside, end) -> None:
    frame = london.study.to_frame().assign(conf_low=-1.0, conf_high=1.0)
    names = list(dict.fromkeys(frame["market"]))[:2]
    frame = frame[frame["market"].isin(names)]
    frame.loc[frame["market"].isin(names[:outside]), "conf_low"] = 0.5
    assert theme.plain_title(plots.car_paths(frame)).startswith(f"{outside} of 2 paths {end} with")


def test_a_figure_stays_with_its_p() -> None:
    assert wording.on_lines("Unusual: US 10y (3 of 9, p ≤ 0.05)", 32) == ["Unusual: US 10y (3 of 9,", "p ≤ 0.05)"]


def test_the_placebo_chart_splits_the_pool_at_the_event(london) -> None:
    for row in london.reactions:
        placebo = row.headline.placebo
        figure = london.plot(kind="placebo", market=row.market)
        smaller, larger = figure.data
        assert sorted([*smaller.x, *larger.x]) == sorted(placebo.pool)
        assert (1 + len(larger.x)) / (1 + len(placebo.pool)) == pytest.approx(placebo.scaled.p_value)
        assert [shape.x0 for shape in figure.layout.shapes] == [placebo.statistic, -placebo.statistic]


def test_a_placebo_chart_without_a_p_says_why() -> None:
    result = mr.react("2025-06-10-jt", markets=["CSI 300"], source="bundled", history=50)
    assert theme.plain_title(result.plot(kind="placebo")).startswith("CSI 300: no placebo p, because 50 pseudo-")
    assert theme.plain_title(result.plot()) == "No market has enough comparable days before for a placebo p"


def test_the_clock_strip_marks_the_close_of_day_zero(london) -> None:
    figure = london.plot(kind="clock")
    mark = traces(figure, "close of day 0")[0]
    for place, row in enumerate(london.reactions):
        close = row.series.close_utc[row.where.position]
        assert pd.Timestamp(mark.x[place], tz="UTC") == close
        assert row.headline.session == row.series.sessions[row.where.position]
    line = next(shape for shape in figure.layout.shapes if shape.type == "line")
    assert pd.Timestamp(line.x0, tz="UTC") == london.event["announced_utc"]
    bounds = next(shape for shape in figure.layout.shapes if shape.type == "rect")
    assert pd.Timestamp(bounds.x0, tz="UTC") == london.event["utc_earliest"]


def test_trading_hours_leave_out_the_lunch_break_and_exist_for_exchanges_only(london) -> None:
    start, end = pd.Timestamp("2025-06-11", tz="UTC"), pd.Timestamp("2025-06-12", tz="UTC")
    hours = trading_hours(london["CSI 300"].series, start, end)
    assert [f"{low:%H:%M}-{high:%H:%M}" for low, high in hours] == ["01:30-03:30", "05:00-07:00"]
    assert trading_hours(london["US 10y"].series, start, end) == []
    assert trading_hours(london["USD/CNY"].series, start, end) == []


def test_spot_fx_rests_from_friday_to_sunday_evening_in_new_york() -> None:
    days = pd.bdate_range("2025-01-01", "2025-07-01")
    prices = mr.PriceData.from_frame(pd.DataFrame({"USD/CNH": np.linspace(7.1, 7.3, len(days))}, index=days))
    hours = trading_hours(prices["USD/CNH"], pd.Timestamp("2025-06-13", tz="UTC"), pd.Timestamp("2025-06-17", tz="UTC"))
    assert [f"{low:%d %H:%M}-{high:%d %H:%M}" for low, high in hours] == ["13 00:00-13 21:00", "15 21:00-17 00:00"]


def test_numbers_of_other_news_do_not_overlap_and_have_a_key(london) -> None:
    figure = london.plot(kind="clock")
    ticks = traces(figure, "other news")[0]
    lanes: dict[float, list[pd.Timestamp]] = {}
    for x, y in zip(ticks.x, ticks.y, strict=True):
        lanes.setdefault(y, []).append(pd.Timestamp(x))
    gaps = [after - before for lane in lanes.values() for before, after in pairwise(lane)]
    assert all(gap > pd.Timedelta(hours=1.5) for gap in gaps)
    keys = " ".join(note.text for note in figure.layout.annotations)
    assert all(f"{number}  " in keys for number in ticks.text)
    assert "on 2025-06-10  Federal Circuit" in keys


def test_a_long_wait_for_day_zero_is_an_arrow() -> None:
    result = mr.react("2025-01-27 10:00 UTC", markets=["CSI 300", "VIX"], source="bundled")
    figure = result.plot(kind="clock")
    assert any(note.text == "day 0 closes 2025-02-05 07:00 →" for note in figure.layout.annotations)
    assert len(traces(figure, "close of day 0")[0].x) == 1


def test_an_unknown_clock_has_no_line() -> None:
    figure = mr.react(date="2025-06-11", markets=["CSI 300"], source="bundled").plot(kind="clock")
    assert theme.plain_title(figure).startswith("Clock unknown")
    assert not [shape for shape in figure.layout.shapes if shape.type == "line"]


def test_hostile_names_are_literal_in_charts(london) -> None:
    news = OtherNews("x", "<script>a</script>", pd.Timestamp("2025-06-11 01:00", tz="UTC"), "after", "minute", "high")
    rows = tuple(replace(row, other_news=(news,)) for row in london.reactions)
    assert "<script" not in replace(london, reactions=rows).plot(kind="clock").to_json().replace("\\u003c", "<")
    closes = seeded_closes().set_axis(['<a href="http://x">y</a>'], axis=1)
    study = mr.event_study(price_data(closes), mr.load_events({"<b>": "2022-06-01 12:00 UTC"}))
    assert "<a " not in study.plot().to_json().replace("\\u003c", "<")
    assert theme.plain_title(study.plot()).startswith('<a href="http://x">y</a>: ')


def test_unknown_choices_are_refused_with_the_list(london) -> None:
    with pytest.raises(ValueError, match="kind='pie' is not known; choose one of reactions, car, placebo, clock"):
        london.plot(kind="pie")
    with pytest.raises(ValueError, match="theme='blue' is not known; choose one of auto, light, dark"):
        plots.reaction_figure(london, theme="blue")


def test_bars_reach_no_further_than_the_axis(london) -> None:
    figure = london.plot()
    low, high = figure.layout.xaxis.range
    values = [row.headline.placebo.statistic for row in london.reactions]
    assert low < min(values) <= max(values) < high
    assert math.isclose(low, -high)


def test_news_of_which_only_the_day_is_known_is_an_interval_over_that_day(london) -> None:
    figure = london.plot(kind="clock")
    line, ticks = traces(figure, "news at some time of that day")[0], traces(figure, "other news")[0]
    start, *_, end = [pd.Timestamp(x, tz="UTC") for x in line.x if x is not None]
    axis = [pd.Timestamp(x, tz="UTC") for x in figure.layout.xaxis.range]
    assert start == max(pd.Timestamp("2025-06-10 04:00", tz="UTC"), axis[0])  # 10 June in New York
    assert end == pd.Timestamp("2025-06-11 04:00", tz="UTC")
    number = [pd.Timestamp(x, tz="UTC") for x, y in zip(ticks.x, ticks.y, strict=True) if y == line.y[0]]
    assert start + (end - start) / 2 in number
    assert any("some time between 2025-06-10" in text for text in ticks.hovertext)


def test_a_future_is_drawn_with_its_hour_of_rest() -> None:
    days = pd.bdate_range("2025-01-01", "2025-07-01")
    prices = mr.PriceData.from_frame(pd.DataFrame({"Gold": np.linspace(3300, 3400, len(days))}, index=days))
    hours = trading_hours(prices["Gold"], pd.Timestamp("2025-06-10", tz="UTC"), pd.Timestamp("2025-06-12", tz="UTC"))
    assert [f"{low:%d %H:%M}-{high:%d %H:%M}" for low, high in hours] == [
        "10 00:00-10 21:00",
        "10 22:00-11 21:00",
        "11 22:00-12 00:00",
    ]
