"""Past announcements: no hindsight, a stated rule of nearness, known paths and intervals, and mistakes."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binomtest

import market_reaction as mr
from helpers import price_data, seeded_closes
from market_reaction import theme
from market_reaction.errors import AnnouncementTimeError, EventTableError, WindowError
from market_reaction.past_events import Analogues
from market_reaction.past_events.frames import share_interval


@pytest.fixture(scope="module")
def london() -> Analogues:
    return mr.analogues("2025-06-10-jt", markets=["CSI 300", "S&P 500", "USD/CNY"], source="bundled")


def table(days: list[str], **columns: list[str]) -> pd.DataFrame:
    names = [chr(ord("a") + at) for at in range(len(days))]
    frame = pd.DataFrame({"event_id": names, "announced_utc": [f"{day} 14:00 UTC" for day in days]} | columns)
    return mr.load_events(frame)


def of_table(events: pd.DataFrame, seed: int = 7, **options: object) -> Analogues:
    """The last event of a table among the others, on a random walk."""
    last = events.iloc[-1]
    like = {name: str(last[name]) for name in ("direction", "side", "instrument") if name in events}
    return mr.analogues(
        f"{last['announced_utc']:%Y-%m-%d %H:%M} UTC", events=events.iloc[:-1], like=like, by=list(like),
        prices=price_data(seeded_closes(seed, columns=2)), **options,
    )  # fmt: skip


MONTHS = [f"2021-{month:02d}-05" for month in range(1, 11)]


def test_the_announcement_and_its_likes_have_the_published_moves(london: Analogues) -> None:
    moves = london.reactions()["change"]
    assert round(100 * moves["2025-06-10-jt", "CSI 300"], 2) == 0.75
    assert round(100 * moves["2019-08-13-us", "S&P 500"], 2) == 1.51
    assert round(100 * moves["2019-02-24-us", "CSI 300"], 2) == 5.95


def test_the_nearest_share_most_and_the_score_says_so(london: Analogues) -> None:
    near = london.nearest
    assert near["score"].is_monotonic_decreasing and len(near) == 10
    assert near.loc["2018-05-19-jt", "shared"] == "direction, instrument, side"
    assert near.loc["2019-08-26-us", "shared"] == "direction, instrument"
    assert london.attributes == {"direction": "de-escalation", "instrument": "talks", "side": "joint"}


def test_every_past_window_ends_before_the_announcement(london: Analogues) -> None:
    today = london.today.pairs["2025-06-10-jt", "CSI 300"].position
    ends = [pair.position + 20 for (_, market), pair in london.past.pairs.items() if market == "CSI 300"]
    assert max(ends) < today
    geneva = london.excluded[london.excluded["event_id"].eq("2025-05-12-jt")]
    assert geneva["market"].tolist() == ["CSI 300", "S&P 500"]
    # Geneva came at the close of 12 May; 20 sessions after 13 May is 11 June, one too late.
    assert geneva["reason"].iloc[0] == "its window ends 1 session(s) too late, not before this one's"


def test_prices_after_the_announcement_change_nothing_of_the_past() -> None:
    closes = seeded_closes(7, columns=2)
    events = table(MONTHS, direction=["up", "down"] * 5)
    changed = closes.copy()
    changed.loc["2021-10-05":] *= np.linspace(1.5, 3.0, len(changed.loc["2021-10-05":]))[:, None]
    asked = {"events": events.iloc[:-1], "like": {"direction": "up"}, "by": ["direction"], "horizon": (0, 10)}
    one, other = (
        mr.analogues("2021-10-05 14:00 UTC", prices=price_data(frame), **asked) for frame in (closes, changed)
    )
    past = ["market", "tau", "median", "q25", "q75", "low", "high", "n_events", "n_clusters"]
    pd.testing.assert_frame_equal(one.distribution()[past], other.distribution()[past])
    assert not np.allclose(one.distribution()["announcement"], other.distribution()["announcement"])
    assert one.nearest.index.tolist() == other.nearest.index.tolist()


def test_the_opposite_direction_is_left_out_and_a_mixed_one_is_counted() -> None:
    ways = ["escalation", "de-escalation", "mixed", "escalation", "escalation"]
    events = table([*MONTHS[:4], MONTHS[8]], direction=ways, instrument=["tariff"] * 5)
    found = of_table(events, horizon=(0, 5))
    assert found.nearest.index.tolist() == ["d", "a", "c"]
    reason = found.excluded.loc[found.excluded["event_id"].eq("b"), "reason"].item()
    assert reason == "of the opposite direction, de-escalation"
    assert "2 of the 3 share its direction (escalation); 1 is mixed." in found.answer()
    both = mr.analogues(
        "2021-09-05 14:00 UTC", events=events.iloc[:-1], like={"instrument": "tariff"}, by=["instrument"],
        prices=price_data(seeded_closes(7, columns=2)), horizon=(0, 5),
    )  # fmt: skip
    assert set(both.nearest.index) == {"a", "b", "c", "d"}


def test_ties_go_to_evidence_then_to_recency() -> None:
    grades = ["documented_exact", "memory_day", "documented_exact", "documented_day", ""]
    events = table([*MONTHS[:4], MONTHS[8]], direction=["up"] * 5, evidence=grades)
    found = of_table(events, horizon=(0, 5))
    assert found.nearest.index.tolist() == ["c", "a", "d", "b"]
    few = of_table(events, horizon=(0, 5), n=2)
    assert few.nearest.index.tolist() == ["c", "a"]
    assert few.excluded.loc[few.excluded["event_id"].eq("b"), "reason"].item() == "not among the 2 nearest"
    assert any("2 more share as many attributes (1)" in note for note in few.notes)


def test_a_joined_instrument_shares_its_parts() -> None:
    events = table(
        [*MONTHS[:3], MONTHS[8]], instrument=["tariff + export control", "talks", "export control", "export control"]
    )
    assert set(of_table(events, horizon=(0, 5)).nearest.index) == {"a", "c"}


def test_spread_rank_and_share_by_hand() -> None:
    found = of_table(table(MONTHS, direction=["up"] * 10), horizon=(0, 5))
    cars = found.past.car((0, 5))["estimate"].xs("m0", level="market")
    today = found.today.car((0, 5))["estimate"].xs("m0", level="market").item()
    row = found.summary().loc["m0"]
    assert row["n_events"] == row["n_clusters"] == 9
    assert row["median"] == pytest.approx(np.median(cars))
    assert [row["q25"], row["q75"]] == pytest.approx(np.quantile(cars, [0.25, 0.75]))
    assert row["rank"] == 1 + (cars > today).sum() and row["of"] == 10
    assert row["n_same_sign"] == (np.sign(cars) == np.sign(today)).sum()
    assert row["usual"] == pytest.approx(found.today.car((0, 5))["std_error"].xs("m0", level="market").item())


def test_the_interval_of_a_share_is_wilsons() -> None:
    expected = binomtest(5, 6).proportion_ci(0.95, method="wilson")
    assert share_interval(5, 6) == pytest.approx((expected.low, expected.high))
    low, high = share_interval(0, 4)
    assert low == pytest.approx(0.0, abs=1e-12) and high == pytest.approx(0.4899, abs=1e-4)  # 3.8416 / (4 + 3.8416)


def test_overlapping_past_events_are_one() -> None:
    days = ["2021-01-05", "2021-01-08", "2021-03-05", "2021-06-05", "2021-09-06"]
    found = of_table(table(days, direction=["up"] * 5), horizon=(0, 10))
    cars = found.past.car((0, 10))["estimate"].xs("m1", level="market")
    row = found.summary().loc["m1"]
    assert (row["n_events"], row["n_clusters"]) == (4, 3)
    assert row["median"] == pytest.approx(np.median([(cars["a"] + cars["b"]) / 2, cars["c"], cars["d"]]))
    assert found.reactions().loc[("a", "m1"), "n_merged"] == 2
    assert "after the 4 earlier announcements most like it (3 separate, because some overlap)" in found.answer()


def test_an_announcement_beyond_the_data_has_past_paths_only(london: Analogues) -> None:
    row = london.summary().loc["S&P 500"]
    assert np.isnan(row["announcement"]) and np.isnan(row["rank"]) and row["share_of"] == "rose"
    assert any("S&P 500: the series ends 2022-12-28" in note for note in london.notes)
    assert london.summary(0).loc["CSI 300", "tau"] == 0


def test_the_answer_is_honest_about_few_cases(london: Analogues) -> None:
    text = london.answer()
    assert "(6 separate, because some overlap)" in text and "rank 3 of 7" in text and "5 of 6 went the same way" in text
    assert "each of the 7 ranks has the same chance" in text


def test_charts_name_the_band_for_what_it_is(london: Analogues) -> None:
    names = [trace.name for trace in london.plot().data if trace.showlegend]
    assert "middle half of past paths, not a confidence band" in names and "this announcement" in names
    ranks = london.plot(kind="ranks")
    assert "3 of 7" in [item.text for item in ranks.layout.annotations]
    assert "would be by chance" in theme.plain_title(ranks)
    past, own = ([x for x, y in zip(trace.x, trace.y, strict=True) if y == 2] for trace in ranks.data)  # CSI 300
    assert len(past) == 6 and 1 + sum(x > own[0] for x in past) == 3  # the order drawn is the rank stated
    with pytest.raises(ValueError, match="kind='pie' is not known"):
        london.plot(kind="pie")  # type: ignore[arg-type]


def test_hostile_titles_are_text() -> None:
    events = table([*MONTHS[:3], MONTHS[8]], direction=["<b>x</b>"] * 4, title=["<script>alert(1)</script>"] * 4)
    found = of_table(events, horizon=(0, 5))
    assert "<script>" not in found._repr_html_() and "<b>x</b>" not in found._repr_html_()
    assert "<b>x" not in found.plot().layout.title.text.replace("<b>m0", "")


def test_exports_have_every_table(london: Analogues) -> None:
    assert list(london.tables())[:2] == ["Standing", "Nearest announcements"]
    assert london.provenance().parameters["announcement"] == "2025-06-10-jt"
    frame = london.to_frame()
    assert set(frame["kind"]) == {"past", "announcement"} and frame.groupby(["event_id", "market"]).size().eq(21).all()


def test_a_date_with_an_unknown_clock_may_be_asked() -> None:
    like = {"direction": "de-escalation"}
    found = mr.analogues(date="2025-06-11", like=like, by=["direction"], markets=["VIX"], n=3, source="bundled")
    assert round(found.reactions().loc[("2025-06-11", "VIX"), "change"], 2) == 0.31  # 16.95 to 17.26


def test_mistakes_are_named() -> None:
    with pytest.raises(EventTableError, match=r"say what it is like: like=\{'direction': 'escalation'"):
        mr.analogues("2025-06-10 22:50 UTC")
    with pytest.raises(EventTableError, match=r"no earlier announcement has it. Did you mean 'talks'"):
        mr.analogues("2025-06-10 22:50 UTC", like={"instrument": "talk"})
    with pytest.raises(EventTableError, match=r"'sidde' is no column.*Did you mean 'side'"):
        mr.analogues("2025-06-10-jt", by=["sidde"])
    with pytest.raises(EventTableError, match="n=0 takes no announcement"):
        mr.analogues("2025-06-10-jt", n=0)
    with pytest.raises(AnnouncementTimeError, match="got neither"):
        mr.analogues()
    with pytest.raises(EventTableError, match="no announcement before '2018-01-02 12:00 UTC'"):
        mr.analogues("2018-01-02 12:00 UTC", like={"side": "US"})


def test_no_complete_window_before_it_is_an_error() -> None:
    events = table(["2021-08-25", "2021-09-06"], direction=["up"] * 2)
    with pytest.raises(WindowError, match=r"none of 1 announcements like .* complete before it in m0, m1"):
        of_table(events, horizon=(0, 20))


@pytest.mark.parametrize("horizon", [(2, 10), (-3, 5), (-5, -1)])
def test_paths_and_ranks_are_of_the_horizon_alone(horizon: tuple[int, int]) -> None:
    found = mr.analogues("2025-06-10-jt", markets=["CSI 300"], n=8, source="bundled", horizon=horizon)
    reactions = found.reactions().reset_index()
    past = reactions[reactions["cluster"].ge(0)].groupby("cluster")["car"].mean()
    own = reactions.loc[reactions["cluster"].eq(-1), "car"].item()
    row = found.summary().loc["CSI 300"]
    assert row["announcement"] == pytest.approx(own, rel=1e-12)
    assert row["median"] == pytest.approx(past.median(), rel=1e-12)
    assert row["rank"] == 1 + past.gt(own).sum()
    paths = found.to_frame()
    assert sorted(set(paths["tau"])) == list(range(horizon[0], horizon[1] + 1))
    assert f"over sessions [{horizon[0]},{horizon[1]}]" in found.answer()
    said = str(found.plot().to_dict()["layout"]).replace("<br>", " ")
    assert found.plot(kind="ranks").data and f"close before session {horizon[0]:+d}" in said
