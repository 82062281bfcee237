"""PNG files of every kind that Pillow opens, and images of two renderers."""

import io
import struct
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from robotr1.demos.images import image_difference, read_code, read_png, same_image, to_rgb
from robotr1.demos.layout import EpisodeError

RAMP = np.linspace(0, 255, 64).round().astype(np.uint8).reshape(8, 8)
COLORS = np.stack([RAMP, RAMP.T, 255 - RAMP], axis=-1)


def saved(tmp_path, image, **options):
    image.save(tmp_path / "0.png", **options)
    return tmp_path / "0.png"


def png(width, height, depth, color, rows, *chunks):
    """A PNG file from its header's fields, its raw rows and further chunks; Pillow writes fewer kinds than it opens."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, depth, color, 0, 0, 0)
    parts = [chunk(b"IHDR", header), *(chunk(*part) for part in chunks)]
    parts += [chunk(b"IDAT", zlib.compress(b"".join(b"\0" + row for row in rows))), chunk(b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA"])
def test_opaque_images_of_every_mode_are_read_as_pillow_converts_them(tmp_path, mode):
    image = Image.fromarray(COLORS).convert(mode)
    expected = np.array(image.convert("RGB"))
    np.testing.assert_array_equal(read_png(saved(tmp_path, image)), expected)
    assert expected.std() > 20


def test_sixteen_bit_grey_levels_are_scaled(tmp_path):
    levels = RAMP.astype(np.uint16) * 257
    image = read_png(saved(tmp_path, Image.fromarray(levels)))
    np.testing.assert_array_equal(image, np.repeat(RAMP[..., None], 3, axis=2))


@given(st.integers(0, 65535))
def test_sixteen_bit_levels_are_rounded(level):
    data = io.BytesIO(png(1, 1, 16, 0, [struct.pack(">H", level)]))
    assert to_rgb(Image.open(data)).ravel().tolist() == [round(level / 257)] * 3


@pytest.mark.parametrize(("color", "channels"), [(2, 3), (4, 2), (6, 4)])
def test_sixteen_bit_colours_keep_their_high_bytes(tmp_path, color, channels):
    pixels = np.full((8, 8, channels), 0xFFFF, dtype=">u2")
    pixels[..., 0] = RAMP.astype(np.uint16) << 8
    (tmp_path / "0.png").write_bytes(png(8, 8, 16, color, [row.tobytes() for row in pixels]))
    np.testing.assert_array_equal(read_png(tmp_path / "0.png")[..., 0], RAMP)


@pytest.mark.parametrize("bits", [1, 2, 4])
def test_few_bits_per_pixel_reach_black_and_white(tmp_path, bits):
    (tmp_path / "0.png").write_bytes(png(8 // bits, 1, bits, 0, [b"\xf0"]))
    white = 4 // bits
    assert read_png(tmp_path / "0.png")[0, :, 0].tolist() == [255] * white + [0] * white


def transparent():
    glass = np.dstack([COLORS, RAMP])
    palette = Image.fromarray(COLORS).convert("P")
    grey = png(1, 1, 16, 0, [b"\1\0"], (b"tRNS", b"\1\0"))
    keyed = png(1, 1, 8, 2, [b"\1\2\3"], (b"tRNS", b"\0\1\0\2\0\3"))
    return {
        "RGBA": (Image.fromarray(glass), {}),
        "LA": (Image.fromarray(glass).convert("LA"), {}),
        "P with a transparent colour": (palette, {"transparency": palette.getpixel((3, 3))}),
        "16-bit grey with a transparent level": (grey, {}),
        "RGB with a transparent colour": (keyed, {}),
    }


@pytest.mark.parametrize("kind", transparent())
def test_transparent_images_are_refused(tmp_path, kind):
    image, options = transparent()[kind]
    if isinstance(image, bytes):
        (tmp_path / "0.png").write_bytes(image)
    else:
        saved(tmp_path, image, **options)
    with pytest.raises(EpisodeError, match=r"0\.png: has .*transparent.*opaque"):
        read_png(tmp_path / "0.png")


def test_animations_are_refused(tmp_path):
    frames = [Image.fromarray(COLORS), Image.fromarray(255 - COLORS)]
    path = saved(tmp_path, frames[0], save_all=True, append_images=frames[1:])
    with pytest.raises(EpisodeError, match="animation of 2 frames"):
        read_png(path)


@pytest.mark.parametrize(
    "image",
    [Image.fromarray(RAMP), Image.fromarray(RAMP.astype(np.uint16)), Image.fromarray(COLORS).convert("P")],
    ids=["grey", "16-bit grey", "palette"],
)
def test_depths_and_masks_must_be_eight_bit_rgb(tmp_path, image):
    """Their bytes encode numbers: a converted image would give other depths without a word."""
    with pytest.raises(EpisodeError, match="must be 8-bit RGB"):
        read_code(saved(tmp_path, image))
    np.testing.assert_array_equal(read_code(saved(tmp_path, Image.fromarray(COLORS))), COLORS)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n", "a Git LFS pointer.*git lfs pull"),
        (b"/annex/objects/SHA256E-s1--0.png\n", "git annex get"),
        (b"\n<!DOCTYPE html><html>Sign in</html>", "a web page.*download it again"),
        (b"", "empty.*copy or download"),
        (bytes(4096), "filled with zeros"),
        (b"\xff\xd8\xff\xe0\0\x10JFIF", "a JPEG image"),
        (b"\x1f\x8b\x08\0", "compressed with gzip.*unpack"),
    ],
)
def test_other_files_are_called_what_they_are(tmp_path, data, message):
    (tmp_path / "0.png").write_bytes(data)
    with pytest.raises(EpisodeError, match=f"0.png: not a readable PNG: it is .*{message}"):
        read_png(tmp_path / "0.png")


@pytest.mark.parametrize(("mode", "kind"), [("F", "TIFF"), ("CMYK", "JPEG"), ("I", "TIFF"), ("RGB", "WEBP")])
def test_other_formats_under_the_name_of_a_png_are_refused(tmp_path, mode, kind):
    image = Image.fromarray(COLORS).convert("L" if mode in "FI" else "RGB").convert(mode)
    with pytest.raises(EpisodeError, match=rf"0\.png: not a readable PNG: it is a {kind[0]}.* image"):
        read_png(saved(tmp_path, image, format=kind))


def test_a_folder_in_place_of_an_image_is_refused(tmp_path):
    (tmp_path / "0.png").mkdir()
    with pytest.raises(EpisodeError, match=r"0\.png: Is a directory"):
        read_png(tmp_path / "0.png")


def test_two_renderers_draw_the_same_image():
    rng = np.random.default_rng(0)
    scene = rng.integers(20, 235, (64, 64, 3), dtype=np.uint8)
    other = scene + rng.integers(0, 2, scene.shape, dtype=np.uint8)
    other[0, :3] += 15  # an edge that falls on another pixel
    assert same_image(scene, scene) and same_image(scene, other)
    mean, share = image_difference(scene, other)
    assert 0.4 < mean < 0.6 and share == pytest.approx(3 / 64**2)


def test_images_of_other_scenes_are_not_the_same():
    rng = np.random.default_rng(0)
    scene = rng.integers(0, 255, (64, 64, 3), dtype=np.uint8)
    moved = scene.copy()
    moved[10:14, 10:14] = 255 - moved[10:14, 10:14]
    assert not same_image(scene, moved)
    assert not same_image(scene, scene[:32])
    assert not same_image(np.full_like(scene, 100), np.full_like(scene, 102)), "all pixels a little brighter"
    with pytest.raises(ValueError, match="different sizes"):
        image_difference(scene, scene[:32])
