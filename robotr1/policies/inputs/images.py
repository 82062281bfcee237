"""Read images, blank them and shuffle them among questions."""

from functools import lru_cache

import numpy as np
from PIL import Image, UnidentifiedImageError

from robotr1 import paths
from robotr1.demos.images import UnusableImage, to_rgb


@lru_cache(maxsize=256)
def load_image(path: str) -> Image.Image:
    """Read an image (path relative to the repository root) as RGB. Raises ValueError with the file's name."""
    file = paths.ROOT / path
    try:
        with Image.open(file) as image:
            return Image.fromarray(to_rgb(image))
    except FileNotFoundError:
        raise ValueError(f"{file}: the image is missing; run the stage extract_demos again.") from None
    except UnusableImage as error:
        raise ValueError(f"{file}: {error}") from None
    except (UnidentifiedImageError, OSError, SyntaxError) as error:
        raise ValueError(f"{file}: not a readable image ({error}); run the stage extract_demos again.") from error


def is_readable(path: str) -> bool:
    """Whether there is an image at a path (relative to the repository root)."""
    try:
        load_image(path)
    except ValueError:
        return False
    return True


def blank_image(path: str) -> Image.Image:
    """A grey image of the same size, for the blank-image control."""
    return Image.new("RGB", load_image(path).size, (127, 127, 127))


def shuffle_images(images: list[str], seed: int) -> dict[str, str]:
    """Map every distinct image to another one: a permutation without fixed points (the identity for one image)."""
    distinct = np.array(sorted(set(map(str, images))), dtype=object)
    order = np.random.default_rng(seed).permutation(len(distinct))
    return dict(zip(distinct[order], distinct[np.roll(order, 1)], strict=True))
