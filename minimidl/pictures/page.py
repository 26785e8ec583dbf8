"""A report in one file: a table, a picture, and words; nothing to load from elsewhere."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

STYLE = """
body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#222}
table{border-collapse:collapse;font-variant-numeric:tabular-nums}
th,td{padding:.3rem .8rem;border-bottom:1px solid #ccc;text-align:right}
th:first-child,td:first-child{text-align:left}
img{width:100%} pre{background:#f5f5f5;padding:1rem;overflow:auto}
"""

TEXT = """<h1>Networks that choose their neurons</h1>
<p>Four networks with 256 hidden neurons learned to read 8 x 8 handwritten digits. Two of them
decide for every digit which hidden neurons to run: <b>midl</b> always runs the same number of them,
<b>dynamicgate</b> as many as it likes, with a budget on the average. The neurons that stay closed
are not multiplied by anything; their work is skipped, and the table counts it honestly: the gate's
own work is included.</p>"""

READING = """<p>In the lower maps each row is a digit and each column a hidden neuron. On the
left stand neurons that every digit opens, on the right those that none opens any more, between
them neurons that some digits open and others leave closed, grouped by the digit that stands out
most. Nobody told the network to divide the work so.</p>"""


def page(
    rows: Sequence[Mapping[str, Any]], columns: Sequence[str], legend: str, picture: Path,
    show: Callable[[Any], str],
) -> str:
    """HTML of the quickstart's report, with the PNG embedded.

    Args:
        rows: of the result file.
        columns: what the table shows.
        legend: what the columns mean, plain text.
        picture: a PNG file.
        show: how a cell is written, the same as in the printed table.

    """
    head = "".join(f"<th>{escape(column)}</th>" for column in columns)
    body = "".join(
        "<tr>" + "".join(f"<td>{escape(show(row.get(c)))}</td>" for c in columns) + "</tr>"
        for row in rows)
    image = base64.b64encode(picture.read_bytes()).decode("ascii")
    return ('<!doctype html><html lang="en"><meta charset="utf-8">'
            f"<title>minimidl quickstart</title><style>{STYLE}</style>{TEXT}"
            f"<table><tr>{head}</tr>{body}</table>"
            f"<pre>{escape(legend.strip())}</pre>"
            '<img alt="Training curves, accuracy against cost, and activity by digit" '
            f'src="data:image/png;base64,{image}">{READING}</html>\n')
