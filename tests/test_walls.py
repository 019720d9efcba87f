"""The walls between the rooms hold: a breach of each kind, planted in a copy of the tree, breaks the contract that names it."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
BREACHES = {
    "Imports run one way: server, surveys, analysis": ("surveys/public/waves.py", "from server.frame.texts import say"),
    "Inside server: the shell over the application, audiences that do not know each other, what they share": (
        "server/hr/overview.py",
        "from server.respondents import answer",
    ),
    "Inside surveys: lifecycle over the stores over public over pure modules": (
        "surveys/public/channel.py",
        "from surveys.lifecycle import closing",
    ),
    "Pages of staff and of reporters never read who is who": (
        "server/respondents/answer.py",
        "from surveys.people import roster",
    ),
    "People, answers and cases do not know each other": ("surveys/answers/urn.py", "from surveys.people import roster"),
    "Raw responses are for analysis, the opening of the urn and the life of a wave": (
        "server/results/exports.py",
        "from analysis.responses import RawResponses",
    ),
    "Inside analysis: the release over figures, attacker and choice of views": ("analysis/stray.py", ""),
    "The release is made by the life of a wave alone": ("server/hr/preview.py", "from analysis.release import release"),
    "The choice of views is the release's": ("server/frame/display.py", "from analysis.protect import suppression"),
    "The attacker is asked by the release, by experiences and by nobody else": (
        "server/results/findings.py",
        "from analysis.audit import structure",
    ),
    "The attacker never reaches what was chosen and how": (
        "analysis/audit/worlds.py",
        "from analysis.protect import suppression",
    ),
    "The audit of structure knows counts alone": (
        "analysis/audit/structure_wide.py",
        "from analysis.statistic import RawStatistic",
    ),
    "What may be published is decided without responses": (
        "analysis/findings.py",
        "from analysis.responses import RawResponses",
    ),
    "Analysis has no clock, no storage, no web": ("analysis/verify.py", "import datetime"),
    "People's tables are for the people store": ("server/hr/people.py", "from surveys.people import tables"),
    "Answers' tables are for the answers store": (
        "surveys/lifecycle/closing.py",
        "from surveys.answers.tables import Slot",
    ),
    "Public tables are for the public store": ("server/keyholders/comments.py", "from surveys.public import tables"),
    "Cases' tables are for the cases store": ("server/handlers/inbox.py", "from surveys.cases import tables"),
    "What writes for a reporter touches no store": ("surveys/cases/thread.py", "import surveys.stores"),
}


def test_each_contract_is_broken_by_a_breach_of_its_kind_and_by_nothing_else(tmp_path: Path) -> None:
    for name in ("analysis", "server", "surveys"):
        shutil.copytree(
            ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__", "static", "locale", "templates")
        )
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    assert verdicts(tmp_path) == dict.fromkeys(BREACHES, "KEPT")
    for place, line in BREACHES.values():
        file = tmp_path / place
        text = file.read_text("utf-8") if file.exists() else '"""A module that no layer names."""\n'
        file.write_text(re.sub(r'\A(""".*?""")', rf"\1\n\n{line}", text, count=1, flags=re.S), "utf-8")
    assert verdicts(tmp_path) == dict.fromkeys(BREACHES, "BROKEN")


def test_a_stray_folder_breaks_the_lists_of_layers(tmp_path: Path) -> None:
    """Could creep in: a folder that no layer names may import whatever it likes."""
    for name in ("analysis", "server", "surveys"):
        shutil.copytree(
            ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__", "static", "locale", "templates")
        )
        (tmp_path / name / "utils").mkdir()
        (tmp_path / name / "utils" / "__init__.py").write_text('"""A room that no layer names."""\n', "utf-8")
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    broken = {name for name, verdict in verdicts(tmp_path).items() if verdict == "BROKEN"}
    assert broken == {name for name in BREACHES if name.startswith("Inside ")} and len(broken) == 3


def verdicts(tree: Path) -> dict[str, str]:
    """What import-linter says of each contract of a tree."""
    lint = Path(sys.executable).with_name("lint-imports")
    made = subprocess.run(
        [lint, "--no-cache"],
        cwd=tree,
        env=os.environ | {"PYTHONPATH": str(tree), "COLUMNS": "250"},
        capture_output=True,
        text=True,
    )
    return dict(re.findall(r"^(.+) (KEPT|BROKEN)$", made.stdout, flags=re.M))
