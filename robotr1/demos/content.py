"""Recognise what a file holds instead of an image or a pickle, so that the message names the right reason and fix."""

UNPACK = "Fix: unpack it first."
COPY = "Fix: copy or download it again."
BEGINNINGS = {
    b"version https://git-lfs": "a Git LFS pointer, not the file. Fix: run `git lfs pull` where it was cloned.",
    b"<!doctype html": f"a web page, such as an error or a login page. {COPY}",
    b"<html": f"a web page, such as an error or a login page. {COPY}",
    b"<?xml": f"an XML document, such as a storage server's error. {COPY}",
    b"\x1f\x8b": f"compressed with gzip. {UNPACK}",
    b"BZh": f"compressed with bzip2. {UNPACK}",
    b"\xfd7zXZ": f"compressed with xz. {UNPACK}",
    b"\x28\xb5\x2f\xfd": f"compressed with zstd. {UNPACK}",
    b"PK\x03\x04": f"a zip archive. {UNPACK}",
    b"\xff\xd8\xff": "a JPEG image. Fix: record PNG images; JPEG changes the pixels.",
    b"\x89PNG": "a PNG image. Fix: copy the whole episode folder again.",
    b"GIF8": "a GIF image. Fix: record PNG images.",
    b"RIFF": "a WebP image or another RIFF file. Fix: record PNG images.",
    b"II*\x00": "a TIFF image. Fix: record PNG images.",
    b"MM\x00*": "a TIFF image. Fix: record PNG images.",
    b"\x93NUMPY": "a NumPy array. Fix: record the episode in RLBench's format.",
    b"\x89HDF": "an HDF5 file. Fix: record the episode in RLBench's format.",
    b"\x80": "a pickle. Fix: copy the whole episode folder again.",
}


def other_content(data: bytes) -> str | None:
    """Describe `data`, which could not be read, and the fix in one phrase; None if it is not recognised."""
    if not data:
        return f"empty. {COPY}"
    if not data.strip(b"\0"):
        return f"filled with zeros. {COPY}"
    start = data[:512].lstrip()
    if b"annex/objects/" in start:
        return "a git-annex pointer, not the file. Fix: run `git annex get` where it was cloned."
    for beginning, description in BEGINNINGS.items():
        if data.startswith(beginning) or start.lower().startswith(beginning):
            return description
    return None
