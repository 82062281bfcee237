"""DVC's hashes."""

from robotr1.report.reproduction.committed import dvc_hash


def test_the_hash_is_the_one_that_dvc_gives(tmp_path):
    (tmp_path / "d/b").mkdir(parents=True)
    for name, text in {"d/z.txt": "1\n", "d/b/a.txt": "2\n", "d/b.txt": "3\n"}.items():
        (tmp_path / name).write_text(text)
    assert dvc_hash(tmp_path / "d") == "2d84ca3afbe13e150c892e4d4d201551.dir"  # as `dvc add d` writes it
    assert dvc_hash(tmp_path / "d/z.txt") == "b026324c6904b2a9cb4b88d6d61c81d1"
    assert dvc_hash(tmp_path / "nothing") is None
