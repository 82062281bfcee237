"""Round things: surfaces of revolution as meshes for the eye; collisions use primitives."""

import numpy as np

from robotr1.demos.tabletop.engine import mujoco

VISUAL = {"contype": 0, "conaffinity": 0, "mass": 0.0, "group": 1}
HIDDEN = 3  # geom group of collision shapes, never drawn


def lathe(profile: list[tuple[float, float]], segments: int = 28) -> tuple[np.ndarray, np.ndarray]:
    """Turn a closed outline of (radius, height) points about z; counter-clockwise outlines face outward.

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
    """A round tube along a path [N,3] that lies in the plane y = 0 (a cup's or a pan's handle)."""
    path = np.asarray(path, float)
    tangent = np.gradient(path, axis=0)
    tangent /= np.linalg.norm(tangent, axis=1, keepdims=True)
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
