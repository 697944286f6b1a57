"""Classes of events as sentences and as HTML: rounding and escaping happen here, no statistic is computed."""

from __future__ import annotations

import math
from collections.abc import Mapping
from html import escape
from typing import TYPE_CHECKING, Any

import pandas as pd

from market_reaction import tables, wording
from market_reaction.tables import cell, html_table

if TYPE_CHECKING:
    from market_reaction.event_classes.result import ClassStudies


def class_answer(result: ClassStudies) -> str:
    """Means of the first two classes in the first market, their difference, and where the classes differ."""
    return _answer(result, result.summary(), _differences(result))


def _differences(result: ClassStudies) -> pd.DataFrame | None:
    return result.difference() if len(result.classes) > 1 else None


def _answer(result: ClassStudies, summary: pd.DataFrame, differences: pd.DataFrame | None) -> str:
    market, rows = result.markets[0], summary.to_dict("index")
    means = " and ".join(_mean(name, rows[name, market]) for name in result.classes[:2])
    note = wording.direction_note(result.study.prices[market].instrument)
    over = wording.sessions_of(result.window())
    first = f"{market}{f' ({note})' if note else ''}, mean abnormal move {over}: {means}."
    if differences is None:
        return wording.clean(first)
    return wording.clean(f"{first} {_difference(differences, market)} {over_markets(differences)}".strip())


def _mean(name: str, row: Mapping[Any, Any]) -> str:
    """Mean of one class: ``−0.60% after escalation (26 separate events; 95% interval ...)``."""
    if not math.isfinite(row["estimate"]):
        return f"no mean after {name} ({row['note']})"
    unit, count = row["unit"], row["n_clusters"]
    said = f"{wording.amount(row['estimate'], unit)} after {name} ({count} separate event{'s' * (count != 1)}"
    return f"{said}; 95% interval {_between(row, unit)})" if math.isfinite(row["conf_low"]) else f"{said})"


def _difference(table: pd.DataFrame, market: str) -> str:
    """What the permutation test says of two classes in one market."""
    row = table.to_dict("index")[market]
    if not math.isfinite(row["permutation_p"]):
        return f"The classes {row['first']} and {row['second']} are not compared: {row['note']}."
    unit = row["unit"]
    p = f"p {wording.p_value(row['permutation_p'])} by permuted labels"
    found = f"the difference of {wording.amount(row['difference'], unit)} between the two"
    if row["permutation_p"] <= wording.UNUSUAL:
        return f"In this market alone, {found} is more than chance usually makes ({p})."
    return (
        f"In this market, {found} may be chance ({p}); Welch's t, which supposes normal means, would find a true one "
        f"of {_size(row['mde'], unit)} four times in five."
    )


def over_markets(table: pd.DataFrame) -> str:
    """In which markets two classes differ once all that were looked at are counted; empty for one market."""
    known = table[table["permutation_p"].notna()]
    alone = list(known.index[known["permutation_p"] <= wording.UNUSUAL])
    left = list(known.index[known["p_holm"] <= wording.UNUSUAL])
    if len(known) < 2:
        return ""
    if left:
        return f"With all {len(known)} markets counted (Holm), the difference stands in {wording.listed(left)}."
    if cannot := _cannot_stand(known):
        return cannot
    looked = f"; alone it would in {wording.listed(alone)}" if alone else ""
    return f"With all {len(known)} markets counted (Holm), the difference stands in none{looked}."


def _cannot_stand(known: pd.DataFrame) -> str:
    """Why no p can be small enough once all markets are counted; empty where one can."""
    count, least = len(known), known.nsmallest(1, "permutation_floor").iloc[0]
    best = float(count * least["permutation_floor"])
    if best <= wording.UNUSUAL:
        return ""
    return (
        f"With all {count} markets counted (Holm), the difference cannot stand in any, whatever the moves: with so few "
        f"events ({least['n_first']} and {least['n_second']}) no p by permuted labels is below "
        f"{wording.p_value(least['permutation_floor'])}, and with so many markets none is below "
        f"{wording.p_value(min(best, 1.0))}."
    )


def class_html(result: ClassStudies) -> str:
    """HTML of the classes: the answer, means, differences, notes, what was left out, where the figures come from."""
    low, high = result.window()
    summary, differences = result.summary(), _differences(result)
    title = f"Reactions by {' and '.join(result.by)}, sessions [{low},{high}]"
    legend = (
        "Mean CAR over separate events: events whose windows overlap are one, and those whose window holds another "
        "class are left out (column Left out). t over these means, K - 1 degrees of freedom. Holm p counts all "
        "markets of a class. "
    )
    tests = (
        "Null: both classes have the same mean. p from permuting the labels over separate events, studentised; "
        "interval of Welch's t. Holm p counts all markets."
    )
    parts = [
        f"<h3>{escape(wording.clean(title))}</h3>",
        f'<p class="mr-answer">{cell(_answer(result, summary, differences))}</p>',
        _table(mean_lines(summary)),
        f'<p class="mr-quiet">{escape(legend)}</p>',
        "" if differences is None else _table(difference_lines(differences)),
        f'<p class="mr-quiet">{escape(tests)}</p>' if differences is not None else "",
        tables.folded(f"{len(result.notes)} notes", tables.bullets(result.notes)),
        tables.left_out_of_markets(result.excluded),
        tables.sources(result.study.vintage),
    ]
    return tables.wrapped(parts)


def printed_classes(result: ClassStudies) -> dict[str, pd.DataFrame]:
    """Means and differences as they are read."""
    low, high = result.window()
    differences = _differences(result)
    found = {f"Mean reactions, sessions [{low},{high}]": mean_lines(result.summary())}
    if differences is not None:
        found[f"Differences between classes, sessions [{low},{high}]"] = difference_lines(differences)
    return found


def _between(row: Mapping[Any, Any], unit: str) -> str:
    low, high = row["conf_low"], row["conf_high"]
    return f"{wording.move(low, unit)} to {wording.amount(high, unit)}" if math.isfinite(low) else wording.NOT_AVAILABLE


def _size(value: float, unit: str) -> str:
    """Size of a move with its unit always named."""
    return wording.size(value, unit) + (" points" if unit == "points" and math.isfinite(value) else "")


def mean_lines(summary: pd.DataFrame) -> pd.DataFrame:
    """Means as they are read, one row a class and market."""
    rows = []
    for row in summary.reset_index().to_dict("records"):
        unit = row["unit"]
        rows.append(
            [
                row["class"], row["market"], wording.amount(row["estimate"], unit), _between(row, unit),
                wording.p_value(row["p_value"]), wording.p_value(row["p_holm"]), _size(row["mde"], unit),
                str(row["n_events"]), str(row["n_clusters"]), str(row["n_shared"]),
            ]
        )  # fmt: skip
    headings = ["Class", "Market", "CAR", "95% interval", "t p", "Holm p", "Smallest detectable", "Events"]
    return pd.DataFrame(rows, columns=[*headings, "Separate", "Left out"], dtype=object)


def difference_lines(differences: pd.DataFrame) -> pd.DataFrame:
    """Differences between two classes as they are read, one row a market."""
    rows = []
    for row in differences.reset_index().to_dict("records"):
        unit = row["unit"]
        rows.append(
            [
                row["market"], wording.amount(row["difference"], unit), _between(row, unit),
                f"{wording.p_value(row['permutation_p'])} ({wording.p_value(row['permutation_floor'])})",
                wording.p_value(row["p_holm"]), wording.p_value(row["welch_p"]), _size(row["mde"], unit),
                f"{row['n_first']} and {row['n_second']}", row["note"],
            ]
        )  # fmt: skip
    one, two = differences[["first", "second"]].iloc[0]
    headings = ["Market", f"{one} minus {two}", "95% interval", "p (floor)", "Holm p", "Welch p"]
    lines = pd.DataFrame(rows, columns=[*headings, "Smallest detectable (Welch)", "Separate", "Note"], dtype=object)
    return lines if lines["Note"].ne("").any() else lines.drop(columns="Note")


def _table(lines: pd.DataFrame) -> str:
    """Lines as they are read, as a table of HTML."""
    rows = [[cell(text) for text in row] for row in lines.itertuples(index=False, name=None)]
    return html_table(list(lines.columns), rows)
