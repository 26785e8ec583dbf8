"""Glyphs: 28x28 digits drawn from matplotlib's own fonts. MNIST-sized work without a download.

Each digit of each font is drawn once, large, as an outline without hinting. A sample is such a
picture seen through a random affine map (turn, shear, size, stretch, shift), with random ink,
background and noise. Only the fonts inside matplotlib's package are used: they are the same
everywhere.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from minimidl.arrays import Array, Rng
from minimidl.data.dataset import Dataset
from minimidl.data.generated import Sizes, generator, in_parts
from minimidl.data.prepared import normalisation, normalised, pixel_names

SIZES: Sizes = (7000, 1000, 2000)
FONTS = ("DejaVuSans", "DejaVuSans-Bold", "DejaVuSans-Oblique", "DejaVuSansMono",
         "DejaVuSansMono-Bold", "DejaVuSerif", "DejaVuSerif-Bold", "DejaVuSerif-Italic",
         "STIXGeneral", "STIXGeneralBol", "STIXGeneralItalic", "cmr10", "cmb10", "cmss10", "cmtt10")
SIDE = 28
MASTER = 84
"""Side of the large drawings: three of their pixels make one of a sample's."""
MASTER_HEIGHT = 60
"""Height of a digit in a large drawing: the 20 pixels that MNIST uses, times three."""
CHUNK = 500
"""Samples resampled at once, so that the temporary arrays stay in the processor's cache."""


def glyphs(seed: int = 0, sizes: Sizes = SIZES, noise: float = 0.08) -> Dataset:
    """Draw the set; about a second for 10,000 samples.

    Args:
        seed: of fonts, maps, ink and noise.
        sizes: samples in the training, validation and test part.
        noise: standard deviation of the pixel noise, in units of full ink.

    Raises:
        InputError: a bad seed or size.

    """
    rng = generator(seed, sizes)
    n = sum(sizes)
    digit = rng.permutation(np.arange(n) % 10)
    font = rng.integers(len(FONTS), size=n)
    pixels = _dirtied(_resampled(font * 10 + digit, _maps(n, rng)), noise, rng)
    scale = normalisation(pixels[: sizes[0]])
    return in_parts(
        normalised(pixels, **scale), digit, sizes, extra={"font": font}, name="glyphs",
        class_names=tuple("0123456789"), feature_names=pixel_names((SIDE, SIDE)),
        image_shape=(SIDE, SIDE),
        about={"provenance": f"drawn by minimidl from matplotlib's fonts, seed {seed}",
               "licence": "MIT; the fonts: DejaVu, STIX and BaKoMa licences",
               "citation": "none needed", "fonts": FONTS, **scale},
    )


@lru_cache(maxsize=1)
def _masters() -> Array:
    """Every digit of every font, large: ``(15, 10, 84, 84)`` float32 in [0, 1], read-only."""
    from matplotlib.backends.backend_agg import RendererAgg

    renderer = RendererAgg(MASTER, MASTER, 72)
    drawn = np.stack([[_draw(renderer, font, digit) for digit in "0123456789"] for font in FONTS])
    masters: Array = _blurred(drawn.astype(np.float32) / 255)
    masters.setflags(write=False)
    return masters


def _draw(renderer: Any, font: str, text: str) -> Array:
    """One digit, centred, ``MASTER_HEIGHT`` high, as ``(84, 84)`` uint8 ink."""
    import matplotlib as mpl
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import TextPath
    from matplotlib.transforms import Affine2D

    file = Path(mpl.get_data_path()) / "fonts" / "ttf" / f"{font}.ttf"
    outline = TextPath((0, 0), text, size=100, prop=FontProperties(fname=str(file)))
    box = outline.get_extents()
    place = Affine2D().translate(-(box.x0 + box.x1) / 2, -(box.y0 + box.y1) / 2)
    place = place.scale(MASTER_HEIGHT / box.height).translate(MASTER / 2, MASTER / 2)
    return _ink(renderer, outline, place)


def _ink(renderer: Any, outline: Any, place: Any) -> Array:
    """Fill an outline on a clean sheet and return the opacity, ``(84, 84)`` uint8."""
    renderer.clear()
    pen = renderer.new_gc()
    pen.set_linewidth(0)
    renderer.draw_path(pen, outline, place, (0.0, 0.0, 0.0))
    return np.asarray(renderer.buffer_rgba())[..., 3].copy()


def _blurred(x: Array) -> Array:
    """Mean over 3x3 large pixels, the size of one small pixel: without it thin strokes flicker."""
    for axis in (-2, -1):
        x = (np.roll(x, 1, axis) + x + np.roll(x, -1, axis)) / np.float32(3)
    return x


def _maps(n: int, rng: Rng) -> Array:
    """Random affine maps from sample to large drawing, ``(n, 2, 3)`` float32, centred coordinates.

    Turn up to 14 degrees, shear up to 0.2, size 0.8 to 1.15, stretch 0.85 to 1.15, shift up to
    2.5 sample pixels.
    """
    turn, shear, shift_x, shift_y = rng.uniform(-1, 1, (4, n)) * [[0.25], [0.2], [2.5], [2.5]]
    size, stretch = rng.uniform([[0.8], [0.85]], [[1.15], [1.15]], (2, n))
    cos, sin = np.cos(turn), np.sin(turn)
    zoom_x, zoom_y = 1 / (size * stretch), 1 / size
    linear = np.stack([cos * zoom_x, (shear * cos - sin) * zoom_x,
                       sin * zoom_y, (shear * sin + cos) * zoom_y], axis=1).reshape(n, 2, 2)
    shift = linear @ np.stack([shift_x, shift_y], axis=1)[:, :, None]  # (n, 2, 1)
    both = np.concatenate([linear, -shift], axis=2) * (MASTER / SIDE)
    return both.astype(np.float32)


def _resampled(which: Array, maps: Array) -> Array:
    """Look at drawing ``which[i]`` through ``maps[i]``: ``(n, 784)`` float32 in [0, 1]."""
    drawings = _masters().reshape(-1)
    out = np.empty((len(which), SIDE * SIDE), np.float32)
    for start in range(0, len(which), CHUNK):
        here = slice(start, start + CHUNK)
        out[here] = _bilinear(drawings, which[here], maps[here] @ _grid())
    return out


def _grid() -> Array:
    """Homogeneous centred coordinates (x, y, 1) of the sample's pixels, ``(3, 784)`` float32."""
    y, x = np.divmod(np.arange(SIDE * SIDE), SIDE)
    centre = (SIDE - 1) / 2
    return np.stack([x - centre, y - centre, np.ones_like(x)]).astype(np.float32)


def _bilinear(drawings: Array, which: Array, at: Array) -> Array:
    """Interpolate drawings (flat) at centred coordinates ``at``, ``(chunk, 2, 784)``."""
    # Beyond the sheet the clipped coordinate reads its rim, which is blank.
    at = np.clip(at + np.float32((MASTER - 1) / 2), 0, MASTER - 1.5)
    corner = at.astype(np.int32)
    x, y = np.moveaxis(at - corner, 1, 0)  # (chunk, 784) each
    first = which[:, None] * MASTER**2 + corner[:, 1] * MASTER + corner[:, 0]
    upper = drawings[first] * (1 - x) + drawings[first + 1] * x
    lower = drawings[first + MASTER] * (1 - x) + drawings[first + MASTER + 1] * x
    return upper * (1 - y) + lower * y


def _dirtied(clean: Array, noise: float, rng: Rng) -> Array:
    """Random ink (0.6 to 1), grey background (0 to 0.2) and normal noise, kept within [0, 1]."""
    n = len(clean)
    ink = rng.uniform(0.6, 1.0, (n, 1)).astype(np.float32)
    ground = rng.uniform(0.0, 0.2, (n, 1)).astype(np.float32)
    grain = np.float32(noise) * rng.standard_normal(clean.shape, dtype=np.float32)
    return np.clip(ground + (ink - ground) * clean + grain, 0, 1)
