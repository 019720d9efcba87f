"""What code cites stands in the repository: every "PRIVACY 2.5" is a heading of docs/privacy.md, every path in docs is there."""

import ast
import re
import tomllib
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest
from grimp import build_graph

from analysis.pdr125.catalogue import load_catalogue
from analysis.steps import ROWS

ROOT = Path(__file__).parents[1]
DOCUMENTS = {"PRIVACY": "privacy.md", "STATISTICS": "statistics.md"}
CITED = re.compile(
    r"\b(PRIVACY|STATISTICS|DESIGN|CONCERNS|PDR125|STYLE|SCREENS)(?:,| section| §)? ([0-9]+(?:\.[0-9]+)*)((?:(?:,| and) [0-9]+(?:\.[0-9]+)*)*)"
)
SOURCES = [
    file
    for folder in ("analysis", "surveys", "server", "tests", "scripts", "deploy")
    for file in sorted((ROOT / folder).rglob("*"))
    if file.suffix in (".py", ".js", ".toml", ".html") and "vendor" not in file.parts and file != Path(__file__)
]

PROTOCOL = {
    "surveys": ("blind", "signed", "slips"),
    "surveys/cases": (
        *("acts", "composing", "fold", "incoming", "intake", "letters", "line", "noting", "opening", "pieces"),
        *("sealing", "standing", "thread", "wraps", "writing"),
    ),
    "surveys/lifecycle": ("drawing", "frozen", "witness"),
    "surveys/public": ("house", "keyring", "ring_store", "rings", "signing", "statements"),
}
EXPLAINED = [
    *sorted((ROOT / "analysis").rglob("*.py")),
    *sorted((ROOT / "surveys" / "answers").glob("*.py")),
    *(ROOT / folder / f"{name}.py" for folder, names in PROTOCOL.items() for name in names),
]
type Function = ast.FunctionDef | ast.AsyncFunctionDef


def headings(name: str) -> set[str]:
    text = (ROOT / "docs" / DOCUMENTS[name]).read_text("utf-8")
    return set(re.findall(r"^#+ ([0-9]+(?:\.[0-9]+)*) ", text, flags=re.M))


def citations(file: Path) -> set[tuple[str, str]]:
    found = set()
    for name, first, more in CITED.findall(file.read_text("utf-8")):
        found |= {(name, number) for number in [first, *re.findall(r"[0-9]+(?:\.[0-9]+)*", more)]}
    return found


def test_every_citation_is_a_heading_of_a_document_that_is_here() -> None:
    cited = {(name, number, str(file.relative_to(ROOT))) for file in SOURCES for name, number in citations(file)}
    assert {name for name, _, _ in cited} == set(DOCUMENTS)
    assert [one for one in sorted(cited) if one[1] not in headings(one[0])] == []


@pytest.mark.parametrize(
    "document", sorted((ROOT / "docs").rglob("*.md")), ids=lambda file: str(file.relative_to(ROOT / "docs"))
)
def test_every_file_that_a_page_of_the_documentation_names_is_here(document: Path) -> None:
    text = document.read_text("utf-8")
    named = set(re.findall(r"`((?:analysis|surveys|server|tests|docs|scripts|deploy)/[\w./-]+\.\w+)", text))
    linked = {target for target in re.findall(r"\]\(([^)#:]+)\)", text) if target}
    gone = sorted(name for name in named if not (ROOT / name).exists())
    assert gone == [] and [target for target in sorted(linked) if not (document.parent / target).exists()] == []


def test_the_table_of_steps_that_is_printed_is_the_one_that_is_used() -> None:
    lines = re.findall(
        r"^\| (\d+)(?:–\d+| and more) \|(.*)\|$", (ROOT / "docs" / "privacy.md").read_text("utf-8"), flags=re.M
    )
    printed = [(int(least), *(cell.strip() for cell in rest.split("|"))) for least, rest in lines]
    used = []
    for row in ROWS:
        ends = [f"{end:g} / {100 - end:g}" for end in (row.index_end, row.share_end)]
        share = [f"{row.share_step:g}", ends[1]] if row.share_step else ["–", "–"]
        used.append(
            (
                row.least,
                f"{row.index_step:g}",
                ends[0],
                *share,
                f"{row.classes}, in steps of {row.class_step:g}" if row.classes else "–",
            )
        )
    assert printed == used


def test_the_indicators_that_are_printed_are_those_of_the_catalogue() -> None:
    text = (ROOT / "docs" / "pdr125.md").read_text("utf-8")
    printed = re.findall(r"^\| (\d\.\d) \| (\w+) \| (\d+) \| (\S+) \| (\w+) \|$", text, flags=re.M)
    catalogue = load_catalogue()
    assert printed == [
        (i.id, i.kind, str(i.points), "–".join(str(b) for b in sorted({min(i.bands), max(i.bands)})), i.evidence_level)
        for area in catalogue.areas
        for i in area.indicators
    ]
    weights = re.findall(r"^\| (\d) \| .+ \| (\d+) % \| (.+) \|$", text, flags=re.M)
    assert weights == [
        (str(a.number), str(a.weight_percent), " / ".join(str(len(a.applicable(b))) for b in (1, 2, 3, 4)))
        for a in catalogue.areas
    ]


def test_the_drawing_of_the_house_is_what_the_contracts_say() -> None:
    """And the contracts are held against the imports, by `make check`."""
    text = (ROOT / "docs" / "architecture.md").read_text("utf-8")
    drawn: dict[str, list[str]] = {}
    for layer, row in re.findall(r"^(\w*) +(\w.*)$", text.split("```")[1], flags=re.M):
        drawn.setdefault(layer or [*drawn][-1], []).append(row.replace("│", "|"))
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]["contracts"]
    rooms = [one for one in contracts if one["type"] == "layers" and "containers" in one]
    assert all(one["exhaustive"] for one in rooms)  # no room stands outside the drawing
    assert drawn == {one["containers"][0]: one["layers"] for one in rooms}


def test_the_server_has_few_rooms_and_few_arrows_between_them() -> None:
    graph = build_graph("server", include_external_packages=False)
    arrows = {
        (module.split(".")[1], other.split(".")[1])
        for module in graph.modules - {"server"}
        for other in graph.find_modules_directly_imported_by(module) - {"server"}
    }
    between = {arrow for arrow in arrows if arrow[0] != arrow[1]}
    assert len({room for arrow in between for room in arrow}) <= 22 and len(between) <= 80


def test_no_files_import_each_other_in_a_circle() -> None:
    graph = build_graph("server", "surveys", "analysis", include_external_packages=False)
    below = {module: graph.find_modules_directly_imported_by(module) for module in graph.modules}
    try:
        TopologicalSorter(below).prepare()
    except CycleError as found:
        raise AssertionError(found.args[1]) from found


def test_every_folder_of_code_has_one_line_in_the_architecture_and_no_other_has() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text("utf-8")
    listed = re.findall(r"^\| `([\w/]+)` \|", text, flags=re.M)
    there = {
        str(file.parent.relative_to(ROOT))
        for layer in ("analysis", "server", "surveys")
        for file in (ROOT / layer).rglob("__init__.py")
    }
    assert sorted(listed) == sorted(folder for folder in there if not folder.endswith("migrations"))


def test_every_decision_has_one_form_and_a_line_in_the_index() -> None:
    index = (ROOT / "docs" / "decisions" / "README.md").read_text("utf-8")
    listed = re.findall(r"^\| \[(\d{4})\]\((\1-[\w-]+\.md)\) \| (.+) \|$", index, flags=re.M)
    there = []
    for file in sorted((ROOT / "docs" / "decisions").glob("0*.md")):
        number, title = file.read_text("utf-8").partition("\n")[0].removeprefix("# ").split(" ", 1)
        there.append((number, file.name, title))
    assert listed == there and [number for number, _, _ in there] == [f"{n:04d}" for n in range(1, len(there) + 1)]


def public_functions(scope: ast.Module | ast.ClassDef, path: str = "") -> Iterator[tuple[str, Function, list[str]]]:
    """Each with its name and the names of its arguments, without that of the object or the class."""
    for node in scope.body:
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            yield from public_functions(node, f"{path}{node.name}.")
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) or node.name.startswith("_"):
            continue
        of, kinds = node.args, [one.id for one in node.decorator_list if isinstance(one, ast.Name)]
        given = [one.arg for one in (*of.posonlyargs, *of.args)][1 if path and "staticmethod" not in kinds else 0 :]
        given += [one.arg for one in (*of.kwonlyargs, of.vararg, of.kwarg) if one is not None]
        yield path + node.name, node, given


def explained(docstring: str) -> list[str] | None:
    """The arguments that the section names: lines at its edge begin with names, what is said of them may go on under it."""
    section = re.search(r"^Parameters\n-+\n(.*?)(?=\n\n\w+\n---|\Z)", docstring, flags=re.M | re.S)
    if section is None:
        return None
    edge = [line for line in section[1].splitlines() if line and not line.startswith(" ")]
    return [name.lstrip("*") for line in edge for name in line.partition(" : ")[0].split(", ")]


@pytest.mark.parametrize("file", EXPLAINED, ids=lambda file: str(file.relative_to(ROOT)))
def test_every_argument_of_the_statistics_and_of_the_protocol_is_explained_and_no_other_is(file: Path) -> None:
    wrong = {}
    for name, function, given in public_functions(ast.parse(file.read_text("utf-8"))):
        said = explained(ast.get_docstring(function) or "")
        if len(given) >= 3 if said is None else sorted(said) != sorted(given):
            wrong[name] = f"has {', '.join(given)}; explains {', '.join(said or ['nothing'])}"
    assert wrong == {}
