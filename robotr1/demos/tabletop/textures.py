"""Wood, hexagons and tiles made with numpy: the same bytes on every machine, so the table always looks the same."""

import numpy as np


def smooth_noise(rng: np.random.Generator, height: int, width: int, rows: int, columns: int) -> np.ndarray:
    """Interpolate noise [height, width] within 0..1 from `rows` x `columns` random numbers."""
    grid = rng.random((rows, columns))
    down, across = np.linspace(0, rows - 1, height), np.linspace(0, columns - 1, width)
    grid = np.stack([np.interp(across, np.arange(columns), row) for row in grid])
    return np.stack([np.interp(down, np.arange(rows), column) for column in grid.T], axis=1)


def to_bytes(image: np.ndarray) -> np.ndarray:
    """Convert colours within 0..1 to uint8."""
    return np.round(np.clip(image, 0, 1) * 255).astype(np.uint8)


def wood(length: float, width: float, plane: tuple[float, float, float, float], pixels: int = 640) -> np.ndarray:
    """Make a table top of planks, uint8 [W,L,3]: rows run along y, columns along x, `pixels` per metre.

    `plane` is the workspace (lowest x, highest x, lowest y, highest y, in metres from the table's corner): it is a
    little lighter and has a thin frame.
    """
    rng = np.random.default_rng(750)
    rows, columns = round(width * pixels), round(length * pixels)
    y, x = np.mgrid[:rows, :columns] / pixels
    plank = np.minimum((y / width * 9).astype(int), 8)
    shift = rng.random(9)[plank] * 0.9
    board = ((x + shift) / 0.9).astype(int)
    tone = rng.uniform(-0.075, 0.075, (9, 8))[plank, board]
    grain = 0.5 * smooth_noise(rng, rows, columns, 260, 10) + 0.5 * smooth_noise(rng, rows, columns, 90, 5)
    rings = 0.5 + 0.5 * np.sin(2 * np.pi * (7 * smooth_noise(rng, rows, columns, 26, 7) + 9 * plank))
    speckle = rng.random((rows, columns))
    blotch = smooth_noise(rng, rows, columns, 9, 13)
    light = 0.74 + tone + 0.16 * (grain - 0.5) + 0.07 * (rings - 0.5) + 0.05 * (speckle - 0.5) + 0.10 * (blotch - 0.5)
    offset, joint = np.abs(y / width * 9 % 1 - 0.5), np.abs((x + shift) / 0.9 % 1 - 0.5)
    light *= np.where((offset > 0.485) | (joint > 0.4975), 0.80, 1.0)
    inside = (x > plane[0]) & (x < plane[1]) & (y > plane[2]) & (y < plane[3])
    edge = 0.006
    deep = (x > plane[0] + edge) & (x < plane[1] - edge) & (y > plane[2] + edge) & (y < plane[3] - edge)
    light *= np.where(inside, np.where(deep, 1.06, 0.78), 1.0)
    warmth = (blotch - 0.5) * 0.04
    return to_bytes(np.stack([light, light * (0.76 + warmth), light * (0.40 + 2 * warmth)], axis=-1))


def hexagons(columns: int = 30, rows: int = 16, cell: int = 28) -> np.ndarray:
    """Make a wall of dark teal hexagons with darker joints, uint8 [H,W,3]."""
    rng = np.random.default_rng(7)
    height, width = round(rows * cell * 0.866), columns * cell
    y, x = np.mgrid[:height, :width] / cell
    candidates = []
    for parity in (0, 1):  # two rectangular lattices make the hexagonal one
        row = np.round((y / 0.866 - parity) / 2) * 2 + parity
        column = np.round(x - 0.5 * parity) + 0.5 * parity
        candidates.append((np.hypot(x - column, y - row * 0.866), row, column))
    nearer = candidates[0][0] <= candidates[1][0]
    row, column = (np.where(nearer, candidates[0][i], candidates[1][i]) for i in (1, 2))
    dx, dy = np.abs(x - column), np.abs(y - row * 0.866)
    to_edge = 0.5 - np.maximum(dx, 0.5 * dx + 0.866 * dy)
    tone = rng.uniform(0.75, 1.2, (2 * rows + 4, 2 * columns + 4))[row.astype(int), (2 * column).astype(int)]
    light = tone * np.where(to_edge < 0.05, 0.55, 1.0) * (1.0 - 0.45 * y / y.max())
    return to_bytes(light[..., None] * np.array([0.03, 0.27, 0.28]))


def tiles(count: int = 12, cell: int = 40) -> np.ndarray:
    """Make a floor of light grey tiles with thin joints, uint8 [H,W,3]."""
    rng = np.random.default_rng(3)
    light = np.kron(rng.uniform(0.72, 0.82, (count, count)), np.ones((cell, cell)))
    light += 0.02 * (rng.random(light.shape) - 0.5)
    light[::cell] *= 0.9
    light[:, ::cell] *= 0.9
    return to_bytes(light[..., None] * np.array([1.0, 0.99, 0.97]))
