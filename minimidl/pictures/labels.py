"""Names beside points, where there is room: a small greedy placement, no random numbers."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import Any

Box = tuple[float, float, float, float]
"""Left, bottom, right, top, in points of the page (1/72 inch)."""

STEPS = (8, 14, 22, 32, 44, 58, 74)
"""Distances from the point that are tried, nearest first."""

LEADER = {"arrowstyle": "-", "linewidth": 0.6, "color": "#777777", "shrinkA": 0, "shrinkB": 3}

DIRECTIONS = ((1, 0), (-1, 0), (0, 1), (0, -1), (1, 1), (1, -1), (-1, 1), (-1, -1))


def place(
    points: Sequence[tuple[float, float]], sizes: Sequence[tuple[float, float]], room: Box,
    margin: float = 5.0,
) -> list[tuple[float, float]]:
    """Centres of labels that overlap neither each other nor the points, if that can be had.

    One label after the other takes the free place nearest to its point; where none is free, the
    first one inside the room.

    Args:
        points: ``(x, y)`` of what is labelled.
        sizes: ``(width, height)`` of the labels.
        room: what the labels may not leave.
        margin: half of the side of the square that a point takes.

    """
    taken: list[Box] = [(x - margin, y - margin, x + margin, y + margin) for x, y in points]
    centres = []
    for (x, y), (width, height) in zip(points, sizes, strict=True):
        places = [(x + right * (step + width / 2), y + up * (step + height / 2))
                  for step, (right, up) in product(STEPS, DIRECTIONS)]
        inside = [centre for centre in places if within(around(centre, width, height), room)]
        free = [centre for centre in inside
                if not any(overlap(around(centre, width, height), box) for box in taken)]
        centre = (free or inside or places)[0]
        taken.append(around(centre, width, height))
        centres.append(centre)
    return centres


def around(centre: tuple[float, float], width: float, height: float) -> Box:
    """The box of a label."""
    x, y = centre
    return x - width / 2, y - height / 2, x + width / 2, y + height / 2


def overlap(one: Box, other: Box) -> bool:
    """Whether two boxes share more than an edge."""
    return (one[0] < other[2] and other[0] < one[2]
            and one[1] < other[3] and other[1] < one[3])


def within(box: Box, room: Box) -> bool:
    """Whether a box is inside the room."""
    return (box[0] >= room[0] and box[1] >= room[1]
            and box[2] <= room[2] and box[3] <= room[3])


def label_points(
    ax: Any, points: Sequence[tuple[float, float]], texts: Sequence[str], size: float = 8.0
) -> None:
    """Write ``texts`` beside ``points`` (data coordinates); a thin line joins what is far apart.

    Limits, scales and the size of the figure must be final: places are found on the page.
    """
    scale = 72 / ax.figure.dpi
    spots = [tuple(scale * ax.transData.transform(point)) for point in points]
    frame = ax.get_window_extent()
    room = tuple(scale * edge for edge in (frame.x0, frame.y0, frame.x1, frame.y1))
    sizes = [(0.6 * size * len(text), 1.2 * size) for text in texts]
    for point, spot, text, extent, centre in zip(points, spots, texts, sizes,
                                                 place(spots, sizes, room), strict=True):
        offset = centre[0] - spot[0], centre[1] - spot[1]
        far = max(abs(offset[0]) - extent[0] / 2, abs(offset[1]) - extent[1] / 2) > STEPS[0]
        ax.annotate(text, point, offset, textcoords="offset points", ha="center", va="center",
                    fontsize=size, arrowprops=LEADER if far else None, zorder=4,
                    bbox={"facecolor": "white", "alpha": 0.75, "edgecolor": "none", "pad": 0.3})
