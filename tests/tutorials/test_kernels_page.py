"""The kernels page points at what exists, and its table is the one that its command prints."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "tutorials" / "kernels" / "README.md"
TEXT = PAGE.read_text(encoding="utf-8")


def test_links_lead_somewhere():
    targets = re.findall(r"\]\(([^)]+)\)", TEXT)
    assert len(targets) > 10
    assert [target for target in targets if not (PAGE.parent / target).exists()] == []


def test_what_it_tells_to_read_is_there():
    told = re.findall(r"Read\s+((?:`\w+`(?:\s+and\s+)?)+)\s+in\s+\[[^\]]+\]\(([^)]+)\)", TEXT)
    assert len(told) > 10
    for names, target in told:
        source = (PAGE.parent / target).read_text(encoding="utf-8")
        for name in re.findall(r"`(\w+)`", names):
            assert re.search(rf"^(?:def )?{name}\b", source, re.MULTILINE), f"{name} in {target}"


def test_the_table_names_the_tricks_of_the_bench():
    bench = "".join(path.read_text(encoding="utf-8")
                    for path in (ROOT / "minimidl" / "bench").glob("trick*.py"))
    shown = set(re.findall(r"^\| ([a-z][^|]+) \| [^|]+ \| [\d.e+]+ \| ", TEXT, re.MULTILINE))
    assert shown == set(re.findall(r'Pair\("([^"]+)"', bench))
