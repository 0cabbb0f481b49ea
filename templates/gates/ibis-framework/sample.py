"""Samples of sources of any size, for tools that need rows: bounded, seeded, and stratified.

The engine draws about twice the rows at random; of these, each stratum keeps its share of all rows, which the engine
counts exactly. Strata are the groups of the columns that the gate names, or days.
"""

from __future__ import annotations

from typing import Any

import ibis
import pandas as pd
from _days import by_day, check_days
from _engine import Opened, open_source
from common import Problem, main

STRATA = 1_000


def measure(config: dict[str, Any]) -> dict[str, Any]:
    """Write a sample of each source, and report the rows."""
    said, engine = [], ""
    for key, source in config["sources"].items():
        names = config["columns"] or source["columns"]
        opened = open_source(source, names)
        if opened.time:
            check_days(opened, by_day(opened, names))
        for name in names:
            if name in opened.breaks:
                raise Problem(opened.breaks[name])
        frame, total = drawn(opened, source, config["strata"])
        wanted = [name for name in names if name in frame.columns]
        (frame[wanted] if wanted else frame).to_parquet(source["to"], index=False)
        said.append(f"{key}: {len(frame):,} of {total:,} rows, seed {source['seed']}")
        engine = opened.engine
    return {"sample": "; ".join(said), "engine": engine}


def drawn(opened: Opened, source: dict[str, Any], strata: list[str]) -> tuple[pd.DataFrame, int]:
    """A sample, and the rows that it was drawn from."""
    rows, seed = opened.rows, source["seed"]
    by = [name for name in strata if name in rows.columns]
    total = int(rows.count().execute())
    fraction = 2.0 * source["rows"] / total
    if fraction < 1:
        rows = seeded(opened, fraction, seed)
    frame = rows.limit(4 * source["rows"]).to_pandas()
    if len(frame) <= source["rows"]:
        return frame, total
    mixed = frame.sample(frac=1.0, random_state=seed)
    if not by:
        return mixed.head(source["rows"]), total
    sizes = opened.rows.group_by(by).aggregate(n=opened.rows.count()).limit(STRATA + 1).to_pandas()
    if len(sizes) > STRATA:
        raise Problem(f"{', '.join(by)} have more than {STRATA:,} groups: too many strata for a sample")
    share = source["rows"] / total
    mixed = mixed.merge(sizes, on=by, how="left")
    rank = mixed.groupby(by, dropna=False).cumcount()
    kept = mixed[rank < (mixed["n"].fillna(1) * share).round().clip(lower=1)]
    return kept.drop(columns="n"), total


def seeded(opened: Opened, fraction: float, seed: int) -> Any:
    """About this fraction of the rows; DuckDB draws the same ones again only in one thread."""
    backend = opened.rows.get_backend()
    if backend.name == "duckdb":
        backend.raw_sql("SET threads = 1")
        return opened.rows.sample(fraction, method="row", seed=seed)
    return opened.rows.filter(ibis.random() < fraction)


if __name__ == "__main__":
    main("ibis-framework", measure)
