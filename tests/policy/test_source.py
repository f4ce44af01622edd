"""What holds for every source file, whoever writes it."""

import ast
import re
import subprocess
from pathlib import Path

import pytest

import twotower
from twotower import errors

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "src" / "twotower"
FILES = sorted(PACKAGE.rglob("*.py"))
ROOMS = sorted(PACKAGE.rglob("__init__.py"))
PICKLES = {"pickle", "cPickle", "_pickle", "dill", "cloudpickle", "joblib", "shelve", "marshal"}
VAGUE = {"utils", "util", "common", "core", "helpers", "helper", "manager", "misc"}
LONGEST_FILE, LONGEST_FUNCTION = 400, 60
MACHINE_PATH = re.compile(rb"(?<![\w.-])/(?:work|root|home|opt|tmp|Users|mnt)/")
BINARY = {".png", ".woff2", ".ico", ".onnx", ".npy", ".parquet"}

each_file = pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(PACKAGE)))


def tree_of(file):
    return ast.parse(file.read_text(encoding="utf-8"))


def imported(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield node.module


@each_file
def test_nothing_pickles(file):
    tree = tree_of(file)
    assert not PICKLES & {name.split(".")[0] for name in imported(tree)}
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
        named = {keyword.arg: keyword.value for keyword in call.keywords}
        called = ast.unparse(call.func)
        if called in ("np.load", "np.save", "numpy.load", "numpy.save"):
            assert ast.unparse(named["allow_pickle"]) == "False", ast.unparse(call)
        assert called not in ("torch.load", "torch.save"), "safetensors carries tensors"


@each_file
def test_files_and_functions_stay_short(file):
    lines = file.read_text(encoding="utf-8").splitlines()
    assert len(lines) < LONGEST_FILE
    for node in ast.walk(tree_of(file)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            body = node.end_lineno - node.body[0].lineno + 1
            if ast.get_docstring(node):
                body -= node.body[0].end_lineno - node.body[0].lineno + 1
            assert body <= LONGEST_FUNCTION, node.name


@each_file
def test_file_names_are_nouns_of_the_field(file):
    assert file.stem not in VAGUE


@each_file
def test_only_the_command_line_reads_the_environment(file):
    if file.name in ("cli.py", "terminal.py"):
        return
    read = [
        ast.unparse(node)
        for node in ast.walk(tree_of(file))
        if isinstance(node, ast.Attribute) and ast.unparse(node) in ("os.environ", "os.getenv")
    ]
    assert read == []


@each_file
def test_what_a_file_exports_is_sorted(file):
    for node in tree_of(file).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            names = ast.literal_eval(node.value)
            assert list(names) == sorted(names)


@pytest.mark.parametrize("room", ROOMS, ids=lambda room: room.parent.name)
def test_a_rooms_map_names_all_of_its_files(room):
    """The docstring of a room lists its files or none of them."""
    listed = set(re.findall(r"^(\w+)\.py\s{2,}", ast.get_docstring(tree_of(room)), re.MULTILINE))
    if listed:
        there = {file.stem for file in room.parent.glob("*.py")} - {"__init__"}
        assert listed == there


def family(of=errors.TwoTowerError):
    yield of
    for child in of.__subclasses__():
        yield from family(child)


def test_every_error_stands_in_the_tree_of_errors_under_its_parent():
    drawn, above = {}, []
    for line in errors.__doc__.splitlines():
        if found := re.match(r"^( {4}[│ ├└─]*)([A-Z]\w+)\b", line):
            depth = len(found[1])
            above = [(d, name) for d, name in above if d < depth]
            drawn[found[2]] = above[-1][1] if above else None
            above.append((depth, found[2]))
    real = {one.__name__: one.__base__.__name__ for one in family()}
    real["TwoTowerError"] = None
    assert drawn == real


def test_every_error_is_of_the_one_file_and_says_when_it_is_raised():
    for one in family():
        assert one.__module__ == "twotower.errors", f"{one.__name__} lives elsewhere"
        assert one.__doc__


def test_the_version_of_the_package_has_a_place_in_the_changelog():
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert f"## [{twotower.__version__}]" in changelog


def test_no_file_names_a_path_of_a_machine():
    listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listed, cwd=ROOT, capture_output=True, check=True).stdout
    here = Path(__file__).relative_to(ROOT)
    found = {}
    for name in map(Path, names.decode().strip("\0").split("\0")):
        if name == here or name.suffix in BINARY or not (ROOT / name).is_file():
            continue
        for number, line in enumerate((ROOT / name).read_bytes().splitlines(), start=1):
            if MACHINE_PATH.search(line):
                found[f"{name}:{number}"] = line.strip()[:100]
    assert found == {}
