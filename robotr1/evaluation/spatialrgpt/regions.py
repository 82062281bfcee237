"""Draw the items' regions into their images: policies here see images and no boxes."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from robotr1 import paths
from robotr1.evaluation.episodes import image_folder
from robotr1.evaluation.spatialrgpt.items import SpatialItem

COLORS = ("red", "blue", "yellow", "magenta")


def draw_regions(image: Image.Image, boxes: Sequence[Sequence[float]]) -> Image.Image:
    """A copy of the image with every box drawn and numbered, so that the image shows what "Region [0]" is."""
    marked = image.convert("RGB")
    pen = ImageDraw.Draw(marked)
    for number, box in enumerate(boxes):
        color = COLORS[number % len(COLORS)]
        x1, x2 = sorted(float(np.clip(x, 0, marked.width - 1)) for x in (box[0], box[2]))
        y1, y2 = sorted(float(np.clip(y, 0, marked.height - 1)) for y in (box[1], box[3]))
        pen.rectangle((x1, y1, x2, y2), outline=color, width=2)
        pen.text((x1 + 3, y1 + 2), f"[{number}]", fill=color)
    return marked


@contextmanager
def with_regions(items: Sequence[SpatialItem], images: Path = paths.ROOT) -> Iterator[list[SpatialItem]]:
    """Yield the items with temporary images that show their regions; a missing or broken image becomes a missing one.

    `images` is the folder that image names start from.
    """
    with image_folder() as folder:
        shown = []
        for number, item in enumerate(items):
            source, picture = images / item.image, folder / f"{number}.png"
            with suppress(OSError, SyntaxError, ValueError), Image.open(source) as image:  # of missing or broken files
                draw_regions(image, item.boxes).save(picture)
            shown.append(replace(item, image=paths.relative(picture)))
        yield shown
