"""README and docs/: every relative link leads to a file that git tracks."""

import re
import subprocess

import pytest

from robotr1 import paths

PAGES = [paths.ROOT / "README.md", paths.ROOT / "CONTRIBUTING.md", *sorted((paths.ROOT / "docs").glob("*.md"))]
LINK = re.compile(r"\]\((?!https?:|#)([^)#]+)")


@pytest.fixture(scope="module")
def tracked():
    listed = subprocess.run(["git", "ls-files"], cwd=paths.ROOT, capture_output=True, text=True, check=True)
    return set(listed.stdout.splitlines())


@pytest.mark.parametrize("page", PAGES, ids=paths.relative)
def test_links_lead_to_tracked_files(page, tracked):
    targets = [(page.parent / link).resolve() for link in LINK.findall(page.read_text(encoding="utf-8"))]
    broken = [paths.relative(target) for target in targets if paths.relative(target) not in tracked]
    assert not broken


def test_readme_links_every_page():
    text = (paths.ROOT / "README.md").read_text(encoding="utf-8")
    assert [page.name for page in PAGES[2:] if f"(docs/{page.name})" not in text] == []
