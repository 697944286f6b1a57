"""Good and bad news: means by hand, Welch's t from statsmodels, overlapping events, and tables without directions."""

import warnings

import numpy as np
import pandas as pd
import pytest
from statsmodels.stats import weightstats

import market_reaction as mr
from helpers import price_data, seeded_closes
from market_reaction.errors import UnknownInstrumentError, WindowError

DAY_ZERO = mr.EventWindows(event=(0, 0))
EVERY = 12  # sessions between events


def table(closes: pd.DataFrame, directions: list[str], every: int = EVERY) -> pd.DataFrame:
    """Events at noon in New York on every n-th session."""
    days = closes.index[150 : 150 + every * len(directions) : every]
    stamps = {f"e{i:02d}": f"{day:%Y-%m-%d} 12:00 America/New_York" for i, day in enumerate(days)}
    return mr.load_events(stamps).assign(direction=directions)


def studied(closes: pd.DataFrame, events: pd.DataFrame, **options: object) -> mr.EventStudyResult:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return mr.event_study(price_data(closes), events, windows=DAY_ZERO, **options)


@pytest.fixture(scope="module")
def closes() -> pd.DataFrame:
    return seeded_closes(seed=8)


def test_means_and_welch_are_those_of_statsmodels(closes: pd.DataFrame) -> None:
    directions = ["escalation", "de-escalation", "escalation", "mixed", "de-escalation"] * 4
    study = studied(closes, table(closes, directions))
    found = mr.good_and_bad_news(study, "m0", draws=200)
    cars = study.car((0, 0))["estimate"].droplevel("market")
    bad = cars[[f"e{i:02d}" for i, side in enumerate(directions) if side == "escalation"]]
    good = cars[[f"e{i:02d}" for i, side in enumerate(directions) if side == "de-escalation"]]
    summary = found.summary()
    assert summary.loc["escalation", "estimate"] == pytest.approx(bad.mean(), rel=1e-12)
    assert summary.loc["de-escalation", "estimate"] == pytest.approx(good.mean(), rel=1e-12)
    assert summary.loc["sum", "estimate"] == pytest.approx(bad.mean() + good.mean(), rel=1e-12)
    statistic, p_value, df = weightstats.ttest_ind(bad, -good, usevar="unequal")
    assert summary.loc["sum", ["statistic", "p_value", "df"]].to_list() == pytest.approx([statistic, p_value, df])
    bounds = weightstats.DescrStatsW(bad).tconfint_mean()
    assert summary.loc["escalation", ["conf_low", "conf_high"]].to_list() == pytest.approx(bounds)
    assert list(found.excluded["reason"].unique()) == ["its direction is neither escalation nor de-escalation"]
    assert len(found.excluded) == 4


def test_a_response_to_bad_news_alone_is_found(closes: pd.DataFrame) -> None:
    directions = ["escalation", "de-escalation"] * 12
    events = table(closes, directions)
    shocked = closes.copy()
    for at, side in enumerate(directions):
        if side == "escalation":
            shocked.loc[closes.index[150 + EVERY * at] :, "m0"] *= 0.95
    found = mr.good_and_bad_news(studied(shocked, events), "m0")
    assert found.permutation.p_value < 0.01
    assert found.excess.estimate == pytest.approx(np.log(0.95), abs=0.01)
    assert found.answer().startswith("m0, mean abnormal move over session 0: −")
    assert "after escalation (12 announcements, standard error" in found.answer()
    assert "The two are no mirror images" in found.answer()
    mirrored = shocked.copy()
    for at, side in enumerate(directions):
        if side == "de-escalation":
            mirrored.loc[closes.index[150 + EVERY * at] :, "m0"] /= 0.95
    assert "not distinguishable from mirror images" in mr.good_and_bad_news(studied(mirrored, events), "m0").answer()


def test_overlapping_events_count_once_and_a_cluster_of_both_directions_not_at_all(closes: pd.DataFrame) -> None:
    directions = ["escalation", "escalation", "de-escalation", "escalation", "de-escalation", "de-escalation"]
    events = table(closes, directions)
    noon = events["announced_utc"]
    for late, early in (("e01", "e00"), ("e04", "e03")):  # one session each: twice bad news, and bad with good
        for column in ("announced_utc", "utc_earliest", "utc_latest"):
            events.loc[late, column] = noon[early] + pd.Timedelta(minutes=30)
    found = mr.good_and_bad_news(studied(closes, events), "m0")
    assert found.cases["events"].to_list() == ["e00, e01", "e02", "e05"]
    assert found.excluded["reason"].to_dict() == dict.fromkeys(
        ["e03", "e04"], "its window overlaps that of an event of the other direction"
    )
    assert np.isnan(found.excess.p_value)
    assert "not tested: the permutation needs at least 4 values in each group; 1 and 2 given" in found.answer()
    assert "after escalation (2 announcements in one case)" in found.answer()
    assert "p n/a" not in found.plot().layout.title.text


def test_yuan_on_the_catalogue() -> None:
    chosen = mr.filter_events(precision="minute", surprise="surprise")
    prices = mr.load_prices(["USD/CNY"], events=chosen.events, source="bundled")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        study = mr.event_study(prices, chosen.events, windows=mr.EventWindows(event=(0, 1)))
    found = mr.good_and_bad_news(study, "USD/CNY")
    means = found.summary()["estimate"]
    assert means["escalation"] > 0 > means["de-escalation"]  # the yuan weakens on escalation and recovers
    assert found.notes == ("up = yuan weaker",)
    assert found.provenance().vintage.loc["USD/CNY (ECB)", "source"] == "bundled"
    assert set(found.tables()) == {"Means", "Clusters", "Left out"}
    assert "Smallest detectable" in found._repr_html_()
    figure = found.plot(theme="light")
    assert "after escalation" in figure.layout.title.text
    assert "up = yuan weaker" in figure.layout.xaxis.title.text


def test_latex_prints_what_stands_in_the_html(closes: pd.DataFrame) -> None:
    events = table(closes, ["escalation", "de-escalation"] * 12)
    found = mr.good_and_bad_news(studied(closes, events), "m0")
    ((caption, lines),) = found.printed().items()
    assert caption == "m0 after good and bad news, mean CAR[0,0]"
    assert list(lines) == [
        "News", "Mean CAR[0,0]", "Std. error", "95% interval", "p (t)", "Smallest detectable", "Clusters", "Events",
    ]  # fmt: skip
    row = found.summary().loc["escalation"]
    assert lines["Mean CAR[0,0]"].iloc[0] == f"{100 * row['estimate']:+.2f}%".replace("-", "−")
    assert lines["Std. error"].iloc[0] == f"{100 * row['std_error']:.2f}%"
    assert lines["News"].tolist() == ["escalation", "de-escalation", "sum"]
    html, text = found._repr_html_(), found.to_latex()
    assert all(value in html for value in lines.to_numpy().ravel())
    assert r"{Smallest\\detectable}" in text
    assert not any(raw in text for raw in ("std\\_error", "conf\\_low", "n\\_clusters", "& df"))


def test_other_words_for_the_directions_are_named_with_those_needed(closes: pd.DataFrame) -> None:
    other = studied(closes, table(closes, ["up", "down"] * 6))
    words = (
        "holds 'up', 'down'; good and bad news need events of both 'escalation' and 'de-escalation', and there is no "
    )
    with pytest.raises(WindowError, match=words + r"'escalation' and no 'de-escalation'\. Rename the labels"):
        mr.good_and_bad_news(other, "m0")
    half = studied(closes, table(closes, ["escalation", "relief"] * 6))
    with pytest.raises(WindowError, match=r"holds 'escalation', 'relief'; .* there is no 'de-escalation'\. Rename"):
        mr.good_and_bad_news(half, "m0")


def test_hostile_ids_stay_text(closes: pd.DataFrame) -> None:
    events = table(closes, ["escalation", "de-escalation"] * 3)
    events.index = [f"<script>{i}</script>" for i in range(len(events))]
    page = mr.good_and_bad_news(studied(closes, events.rename_axis("event_id")), "m0")._repr_html_()
    assert "<script>" not in page
    assert "&lt;script&gt;0" in page


def test_mistakes(closes: pd.DataFrame) -> None:
    study = studied(closes, table(closes, ["escalation"] * 4))
    with pytest.raises(WindowError, match=r"holds 'escalation'; .* there is no 'de-escalation'\."):
        mr.good_and_bad_news(study, "m0")
    late = table(closes, ["escalation"] * 3 + ["de-escalation"])
    late.loc[late.index[3], "announced_utc"] = pd.Timestamp("2030-01-08 14:00", tz="UTC")
    with pytest.raises(WindowError, match="no de-escalation of the study is measured in 'm0'"):
        mr.good_and_bad_news(studied(closes, late, on_bad_event="exclude"), "m0")
    with pytest.raises(UnknownInstrumentError, match="'VIX' is not"):
        mr.good_and_bad_news(study, "VIX")
    with pytest.raises(WindowError, match="need a column direction"):
        mr.good_and_bad_news(studied(closes, table(closes, ["mixed"] * 4).drop(columns="direction")), "m0")
    with pytest.raises(WindowError, match="level=2"):
        mr.good_and_bad_news(studied(closes, table(closes, ["escalation", "de-escalation"] * 2)), "m0", level=2)
