"""Fetch the Franka Panda's meshes by a pinned hash, decimate them and write them to `data/panda/`.

The meshes come from the wheel of `dm-robotics-panda` (Apache-2.0, after Franka Emika's franka_ros) and are not kept in
the repository. `python -m robotr1.demos.tabletop.panda` writes the folder, byte-identical on each run, with the
wheel's LICENSE and NOTICE beside the meshes.
"""

import hashlib
import io
import json
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from xml.etree import ElementTree

import numpy as np

from robotr1.paths import PANDA, atomic_folder

REQUIREMENT = "dm-robotics-panda==0.4.8"
WHEEL = "dm_robotics_panda-0.4.8-py3-none-any.whl"
SHA256 = "320688490d25079f8c576610e025946fddb30415946e751950023e3d83eb6003"
ASSETS = "dm_robotics/panda/assets/panda/"
LICENSE = "dm_robotics_panda-0.4.8.dist-info/licenses/LICENSE"
LINKS = [f"link{i}" for i in range(8)] + ["hand", "finger"]
KEPT_SHARE = 0.12  # of the faces: 134k -> 16k
WHITE = ("link1", "link2")  # the wheel's panda.xml paints these two plain white
SMALLEST_PART = 40  # faces; a smaller part is not decimated


class PandaError(RuntimeError):
    """The Panda's meshes could not be fetched or are not those of this study."""


def download_wheel(folder: Path) -> Path:
    """Download the wheel with pip (no dependencies) into `folder`.

    Raises:
        PandaError: pip failed, for example offline.
    """
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
    command += ["--no-deps", "--only-binary=:all:", "--dest", str(folder), REQUIREMENT]
    result = subprocess.run(command, capture_output=True, text=True)
    wheel = folder / WHEEL
    if result.returncode or not wheel.exists():
        reason = (result.stderr.strip().splitlines() or ["pip gave no reason"])[-1]
        raise PandaError(
            f"could not download {REQUIREMENT}: {reason}\n"
            "Fix: connect to a Python package index, or download the wheel elsewhere and run "
            f"`python -m robotr1.demos.tabletop.panda path/to/{WHEEL}`"
        )
    return wheel


def read_wheel(wheel: Path) -> zipfile.ZipFile:
    """Check the wheel's SHA-256 and open it.

    Raises:
        PandaError: the file is missing or has another hash.
    """
    if not wheel.is_file():
        raise PandaError(f"{wheel}: no such file. Fix: give the path of {WHEEL}, or no path to download it")
    content = wheel.read_bytes()
    found = hashlib.sha256(content).hexdigest()
    if found != SHA256:
        raise PandaError(
            f"{wheel}: sha256 is {found}, expected {SHA256}. Fix: delete the file, check the package index that "
            f"pip uses (`pip config list`), and fetch {REQUIREMENT} again"
        )
    return zipfile.ZipFile(io.BytesIO(content))


def read_obj(text: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Read vertices [V,3], triangles [F,3] and a texture coordinate per triangle [F,2] (its corners' mean)."""
    vertices, coordinates, faces, face_coordinates = [], [], [], []
    for line in text.splitlines():
        kind, *values = line.split() or [""]
        if kind == "v":
            vertices.append([float(value) for value in values[:3]])
        elif kind == "vt":
            coordinates.append([float(value) for value in values[:2]])
        elif kind == "f":
            corners = [[int(index) - 1 for index in value.split("/")[:2]] for value in values]
            for second, third in zip(corners[1:], corners[2:]):
                triangle = [corners[0], second, third]
                faces.append([corner[0] for corner in triangle])
                face_coordinates.append(np.mean([coordinates[corner[1]] for corner in triangle], axis=0))
    return np.array(vertices), np.array(faces), np.array(face_coordinates)


def split_by_color(faces: np.ndarray, coordinates: np.ndarray, palette: np.ndarray) -> dict:
    """Group triangles by the colour of their palette pixel: {(r, g, b): faces [F,3]}."""
    height, width = palette.shape[:2]
    columns = np.clip((coordinates[:, 0] % 1 * width).astype(int), 0, width - 1)
    rows = np.clip(((1 - coordinates[:, 1] % 1) * height).astype(int), 0, height - 1)
    colors = palette[rows, columns]
    return {tuple(map(int, c)): faces[(colors == c).all(axis=1)] for c in np.unique(colors, axis=0)}


def decimate(vertices: np.ndarray, faces: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Keep about `KEPT_SHARE` of the triangles and drop unused vertices."""
    import fast_simplification

    used, faces = np.unique(faces, return_inverse=True)
    vertices, faces = vertices[used], faces.reshape(-1, 3)
    target = max(SMALLEST_PART, round(KEPT_SHARE * len(faces)))
    if target < len(faces):
        points, triangles = vertices.astype(np.float32), faces.astype(np.int32)
        vertices, faces = fast_simplification.simplify(points, triangles, target_count=target)
    return vertices, faces


def write_obj(path: Path, vertices: np.ndarray, faces: np.ndarray) -> None:
    """Write a mesh; vertices are rounded to 10 micrometres."""
    lines = ["v {:.5f} {:.5f} {:.5f}".format(*(vertex + 0.0)) for vertex in np.round(vertices, 5)]
    lines += ["f {} {} {}".format(*(face + 1)) for face in faces]
    path.write_text("\n".join(lines) + "\n", encoding="ascii", newline="\n")


def read_bodies(panda_xml: str, hand_xml: str) -> list[dict]:
    """Read link0 ... link8, hand and fingers: position, quaternion (wxyz), joint and inertia of each body."""
    bodies = []

    def numbers(element, attribute, default):
        text = element.get(attribute) if element is not None else None
        return [float(value) for value in text.split()] if text else default

    def visit(element, parent):
        name = element.get("name").removeprefix("panda_")
        joint, inertial = element.find("joint"), element.find("inertial")
        body = {"name": name, "parent": parent}
        body["position"] = numbers(element, "pos", [0.0, 0.0, 0.0])
        body["quaternion"] = numbers(element, "quat", [1.0, 0.0, 0.0, 0.0])
        if joint is not None:
            body["joint"] = {
                "name": joint.get("name").removeprefix("panda_"),
                "type": joint.get("type", "hinge"),
                "axis": numbers(joint, "axis", None),
                "range": numbers(joint, "range", None),
            }
        if inertial is not None:
            body["mass"] = float(inertial.get("mass"))
            body["center_of_mass"] = numbers(inertial, "pos", None)
            full = numbers(inertial, "fullinertia", None)
            body["inertia"] = full or numbers(inertial, "diaginertia", None) + [0.0, 0.0, 0.0]
        bodies.append(body)
        for child in element.findall("body"):
            visit(child, name)

    visit(ElementTree.fromstring(panda_xml).find("worldbody/body"), None)
    visit(ElementTree.fromstring(hand_xml).find("worldbody/body"), "link8")
    return bodies


def extract(wheel: zipfile.ZipFile, folder: Path) -> None:
    """Write `panda.json`, the decimated parts (`<link>_<color>.obj`), LICENSE and NOTICE into `folder`."""
    from PIL import Image

    palette = np.array(Image.open(io.BytesIO(wheel.read(ASSETS + "panda.png"))).convert("RGB"))
    parts = []
    for link in LINKS:
        vertices, faces, coordinates = read_obj(wheel.read(f"{ASSETS}{link}.obj").decode())
        painted_faces = split_by_color(faces, coordinates, palette) if link not in WHITE else {(255, 255, 255): faces}
        for color, painted in sorted(painted_faces.items()):
            name = f"{link}_{bytes(color).hex()}.obj"
            write_obj(folder / name, *decimate(vertices, painted))
            parts.append({"link": link, "mesh": name, "color": [round(value / 255, 4) for value in color]})
    bodies = read_bodies(*(wheel.read(ASSETS + name).decode() for name in ("panda.xml", "panda_hand.xml")))
    text = json.dumps({"bodies": bodies, "parts": parts, "source": REQUIREMENT}, indent=2, sort_keys=True)
    (folder / "panda.json").write_text(text + "\n", encoding="utf-8", newline="\n")
    (folder / "LICENSE").write_bytes(wheel.read(LICENSE))
    (folder / "NOTICE").write_bytes(wheel.read(ASSETS + "NOTICE"))


def fetch_panda(wheel: Path | None = None, folder: Path = PANDA) -> Path:
    """Write `folder` from a wheel on disk, or download the wheel first.

    Raises:
        PandaError: the download failed, or the wheel's hash is not the pinned one.
    """
    with tempfile.TemporaryDirectory() as temporary, atomic_folder(folder) as target:
        archive = read_wheel(Path(wheel) if wheel else download_wheel(Path(temporary)))
        extract(archive, Path(target))
    return folder


if __name__ == "__main__":
    try:
        print(f"wrote {fetch_panda(Path(sys.argv[1]) if len(sys.argv) > 1 else None)}")
    except PandaError as error:
        sys.exit(f"error: {error}")
