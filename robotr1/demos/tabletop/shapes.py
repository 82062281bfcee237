"""Round objects and prisms as meshes that are drawn; collisions use primitives or a mesh's convex hull."""

import numpy as np

from robotr1.demos.tabletop.engine import mujoco
from robotr1.linear import norm

VISUAL = {"contype": 0, "conaffinity": 0, "mass": 0.0, "group": 1}
HIDDEN = 3  # geom group of collision shapes, never drawn


def lathe(profile: list[tuple[float, float]], segments: int = 28) -> tuple[np.ndarray, np.ndarray]:
    """Revolve a closed outline of (radius, height) points about z; counter-clockwise outlines face outward.

    Returns:
        vertices [V,3] in metres and triangles [F,3].
    """
    radius, height = np.array(profile, float).T
    angle = 2 * np.pi * np.arange(segments) / segments
    vertices = np.stack(
        [np.outer(np.cos(angle), radius), np.outer(np.sin(angle), radius), np.tile(height, (segments, 1))],
        axis=-1,
    ).reshape(-1, 3)
    points = len(profile)
    faces = []
    for s in range(segments):
        here, there = s * points, (s + 1) % segments * points
        for p in range(points):
            q = (p + 1) % points
            if radius[p] > 0 or radius[q] > 0:
                if radius[p] > 0:
                    faces.append([here + p, there + p, here + q])
                if radius[q] > 0:
                    faces.append([there + p, there + q, here + q])
    return vertices, np.array(faces)


def tube(path: np.ndarray, thickness: float, segments: int = 8) -> tuple[np.ndarray, np.ndarray]:
    """Make a round tube along a path [N,3] in the plane y = 0 (a cup's or a pan's handle)."""
    path = np.asarray(path, float)
    tangent = np.gradient(path, axis=0)
    tangent /= norm(tangent)[:, None]
    side = np.array([0.0, 1.0, 0.0])
    normal = np.cross(side, tangent)
    angle = 2 * np.pi * np.arange(segments) / segments
    ring = np.cos(angle)[None, :, None] * normal[:, None, :] + np.sin(angle)[None, :, None] * side
    vertices = (path[:, None, :] + thickness * ring).reshape(-1, 3)
    faces = []
    for n in range(len(path) - 1):
        for s in range(segments):
            a, b = n * segments + s, n * segments + (s + 1) % segments
            faces += [[a, b, a + segments], [b, b + segments, a + segments]]
    return vertices, np.array(faces)


def add_mesh(spec: mujoco.MjSpec, body, name: str, surface: tuple[np.ndarray, np.ndarray], color, **options):
    """Add a surface to `body` as a visual geom; returns the geom."""
    vertices, faces = surface
    mesh = spec.add_mesh(name=name)
    mesh.uservert, mesh.userface = vertices.flatten(), faces.flatten()
    mesh.inertia = mujoco.mjtMeshInertia.mjMESH_INERTIA_SHELL
    return body.add_geom(
        name=name,
        type=mujoco.mjtGeom.mjGEOM_MESH,
        meshname=name,
        rgba=(*color[:3], 1.0),
        **(VISUAL | options),
    )


def prism(outline: np.ndarray, height: float) -> tuple[np.ndarray, np.ndarray]:
    """Make an upright prism over a counter-clockwise outline [N,2] with its foot at z = 0, flat-shaded."""
    outline = np.asarray(outline, float)
    low, high = (np.column_stack([outline, np.full(len(outline), z)]) for z in (0.0, height))
    caps = _triangulate(outline)
    ahead = np.roll(np.arange(len(outline)), -1)
    sides = [[low, low[ahead], high[ahead]], [low, high[ahead], high]]
    corners = [low[caps[:, ::-1]], high[caps], *(np.stack(side, axis=1) for side in sides)]
    vertices = np.concatenate(corners).reshape(-1, 3)
    return vertices, np.arange(len(vertices)).reshape(-1, 3)


def _triangulate(outline: np.ndarray) -> np.ndarray:
    """Triangulate a simple counter-clockwise polygon [N-2,3] by ear clipping."""

    def area(a: int, b: int, c: int) -> float:
        (ux, uy), (vx, vy) = outline[b] - outline[a], outline[c] - outline[a]
        return ux * vy - uy * vx

    def is_ear(a: int, b: int, c: int) -> bool:
        others = (p for p in left if p not in (a, b, c))
        return area(a, b, c) > 0 and not any(min(area(a, b, p), area(b, c, p), area(c, a, p)) >= 0 for p in others)

    left, triangles = list(range(len(outline))), []
    while len(left) > 3:
        corners = ((left[n - 1], left[n], left[(n + 1) % len(left)]) for n in range(len(left)))
        ear = next(corner for corner in corners if is_ear(*corner))
        triangles.append(ear)
        left.remove(ear[1])
    return np.array([*triangles, left])
