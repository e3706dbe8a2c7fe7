"""The house rules that a test can hold: sizes, directions of imports, docstrings, SQL in files.

Next: tests.project.test_readme
"""

import ast
import re
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from tests.support.sources import PACKAGES, ROOT, sources

MAX_FUNCTION_LINES = 40
MAX_FILE_LINES = 300
MAX_NESTING = 3

# name -> why it may be longer.
LONG_FUNCTIONS = {
    "aggregators/app.py:create_worker": "wiring: one list of what is put together, in one place",
    "schemas/metrics.py:__init__": "declarations only: every metric of a process, one by one",
}
LONG_FILES: dict[str, str] = {}

# Who may import whom; a package may always import itself.
MAY_IMPORT = {
    "schemas": set(),
    "sinks": {"schemas"},
    "aggregators": {"schemas", "sinks"},
    "ingest": {"schemas", "sinks"},
    "query_service": {"schemas", "sinks"},
    "deploy": {"schemas", "sinks", "aggregators", "ingest", "query_service"},
}
# Of the sinks the gateway knows only how keys are read.
INGEST_MAY_IMPORT_OF_SINKS = {"sinks.keys", "sinks.key_ring", "sinks.clickhouse"}

REPLACING = (
    *("usage_events", "usage_daily", "usage_ledger", "dead_letters", "tenants", "keys"),
    *("log_epochs", "leases", "schema_migrations", "teams", "team_members", "users", "products"),
    *("subscriptions", "token_packs", "prices", "seat_changes", "change_requests", "audit"),
    *("usage_monthly", "settled_months", "erased", "erasures", "backups"),
)


def modules(*tops):
    """(path, syntax tree) of every Python file."""
    return [
        (path, ast.parse(path.read_text(encoding="utf-8")))
        for path in sources(*tops)
        if path.suffix == ".py"
    ]


def functions(tree):
    """Every function and method of a module."""
    return [n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)]


def nesting(node, depth=0):
    """The deepest nesting of blocks below a function; a nested function starts anew."""
    blocks = (ast.If, ast.For, ast.AsyncFor, ast.While, ast.With, ast.AsyncWith, ast.Try, ast.Match)
    deepest = depth
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            continue
        # `elif` is an If in the orelse of an If, but reads as the same level.
        is_elif = isinstance(node, ast.If) and child in node.orelse and len(node.orelse) == 1
        deeper = isinstance(child, blocks) and not (is_elif and isinstance(child, ast.If))
        deepest = max(deepest, nesting(child, depth + deeper))
    return deepest


def test_functions_are_short_and_flat():
    """No function is over 40 lines or nested deeper than three blocks, save the named ones."""
    wrong = []
    for path, tree in modules(*PACKAGES):
        for function in functions(tree):
            name = f"{path.relative_to(ROOT)}:{function.name}"
            lines = function.end_lineno - function.lineno + 1
            if lines > MAX_FUNCTION_LINES and name not in LONG_FUNCTIONS:
                wrong.append(f"{name}: {lines} lines")
            if nesting(function) > MAX_NESTING:
                wrong.append(f"{name}: nested {nesting(function)} deep")
    assert not wrong


def test_files_are_short():
    """No file is over 300 lines, save the named ones."""
    lengths = {
        str(path.relative_to(ROOT)): len(path.read_text(encoding="utf-8").splitlines())
        for path, _ in modules(*PACKAGES, "tests")
    }
    assert not {n: k for n, k in lengths.items() if k > MAX_FILE_LINES and n not in LONG_FILES}


def test_exceptions_are_needed():
    """An exception that is no longer needed is taken off the list."""
    for name in LONG_FUNCTIONS:
        path, function = name.split(":")
        tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
        found = [f for f in functions(tree) if f.name == function]
        assert any(f.end_lineno - f.lineno + 1 > MAX_FUNCTION_LINES for f in found), name
    for name in LONG_FILES:
        assert len((ROOT / name).read_text().splitlines()) > MAX_FILE_LINES, name


def imported(tree):
    """Names of the modules that a module imports."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def test_imports_point_one_way():
    """The directions of MAY_IMPORT, and no other."""
    wrong = []
    for path, tree in modules(*PACKAGES):
        own = path.relative_to(ROOT).parts[0]
        for name in imported(tree):
            top = name.split(".")[0]
            if top in PACKAGES and top != own and top not in MAY_IMPORT[own]:
                wrong.append(f"{path.relative_to(ROOT)} imports {name}")
    assert not wrong


def test_the_gateway_knows_only_keys_of_the_store():
    """The gateway answers while the store is away: of sinks it imports keys and the client."""
    for path, tree in modules("ingest"):
        used = {".".join(name.split(".")[:2]) for name in imported(tree)}
        of_sinks = {name for name in used if name.startswith("sinks.")}
        assert of_sinks <= INGEST_MAY_IMPORT_OF_SINKS, path


def test_no_other_distribution_owns_our_names():
    """Plain top-level packages: no installed distribution brings one of the same name."""
    owners = packages_distributions()
    assert {name: set(owners.get(name, [])) - {"usage-report"} for name in PACKAGES} == {
        name: set() for name in PACKAGES
    }


def test_the_client_shares_no_name_with_the_server():
    """Both may be installed: its one package is nobody else's, and its version is the server's."""
    server, client = (
        tomllib.loads((ROOT / place / "pyproject.toml").read_text()) for place in ("", "ingest/sdk")
    )
    (name,) = client["tool"]["setuptools"]["packages"]
    assert name not in PACKAGES
    assert set(packages_distributions().get(name, [])) <= {client["project"]["name"]}
    assert client["project"]["version"] == server["project"]["version"]
    assert client["project"]["dependencies"] == []


def test_the_client_needs_the_standard_library_alone():
    """Its three files import nothing else, and each other by their place."""
    for name in ("client", "post", "spool"):
        tree = ast.parse((ROOT / "ingest" / f"{name}.py").read_text(encoding="utf-8"))
        tops = {found.split(".")[0] for found in imported(tree)}
        assert tops <= sys.stdlib_module_names, name


def test_packages_are_listed_by_hand():
    """The file pyproject.toml names every package that there is."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    listed = set(project["tool"]["setuptools"]["packages"])
    found = {
        str(path.parent.relative_to(ROOT)).replace("/", ".")
        for path, _ in modules(*PACKAGES)
        if path.name == "__init__.py"
    }
    assert listed == found


def test_init_files_hold_a_docstring_alone():
    """An __init__.py says what the package is for, and nothing else."""
    for path, tree in modules(*PACKAGES, "tests"):
        if path.name == "__init__.py":
            assert len(tree.body) == 1, path
            assert ast.get_docstring(tree), path


def test_every_test_states_its_promise():
    """Each test has a docstring."""
    missing = [
        f"{path.relative_to(ROOT)}:{function.name}"
        for path, tree in modules("tests")
        for function in functions(tree)
        if function.name.startswith("test_") and not ast.get_docstring(function)
    ]
    assert not missing


def test_next_names_a_module():
    """A docstring's `Next:` leads to a module that exists."""
    wrong = []
    for path, tree in modules(*PACKAGES, "tests"):
        for name in re.findall(r"^Next: (.+)$", ast.get_docstring(tree) or "", re.MULTILINE):
            target = ROOT / name.strip().replace(".", "/")
            if not (target.with_suffix(".py").exists() or target.is_dir()):
                wrong.append(f"{path.relative_to(ROOT)}: {name}")
    assert not wrong


def test_clickhouse_is_asked_in_one_place():
    """Asked elsewhere, an answer that is not ClickHouse's would be a table without rows."""
    asked = re.compile(r"(?:client|server)\.query(?:_df|_np|_arrow)?\(")
    found = {str(p.relative_to(ROOT)) for p, _ in modules(*PACKAGES) if asked.search(p.read_text())}
    assert found == {"sinks/clickhouse.py"}


def test_clients_are_made_in_one_place():
    """A client of Kafka or ClickHouse that is made elsewhere would speak neither TLS nor SASL."""
    makers = {
        # Handed to schemas.kafka_clients.connect, and never called.
        **dict.fromkeys(("KafkaProducer", "KafkaConsumer", "KafkaAdminClient")),
        **dict.fromkeys(("AIOKafkaConsumer", "AIOKafkaProducer", "create_client")),
        "App": "aggregators/app.py",
        "get_client": "sinks/clickhouse.py",
    }
    wrong = [
        f"{path.relative_to(ROOT)}:{node.lineno}: {name}"
        for path, tree in modules(*PACKAGES)
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        for name in [getattr(node.func, "attr", getattr(node.func, "id", ""))]
        if name in makers and makers[name] != str(path.relative_to(ROOT))
    ]
    assert not wrong


def sql_files():
    """Every .sql file with its text without comments."""
    for path in sources(*PACKAGES):
        if path.suffix == ".sql":
            yield path, re.sub(r"--[^\n]*", "", path.read_text(encoding="utf-8"))


def test_replacing_tables_are_read_with_final():
    """A read of a replacing table says FINAL; an older version must never show."""
    bare = re.compile(rf"\b(?:FROM|JOIN)\s+({'|'.join(REPLACING)})\b(?!\s+(?:AS\s+\w+\s+)?FINAL)")
    wrong = [
        f"{path.relative_to(ROOT)}: {match[0]}"
        for path, text in sql_files()
        if path.parent.name != "migrations"
        for match in bare.finditer(text)
    ]
    assert not wrong


def test_sql_stands_in_files():
    """No statement of SQL stands in the code."""
    statement = re.compile(r"\b(SELECT|INSERT INTO|DELETE FROM|ALTER TABLE|CREATE TABLE)\b")
    wrong = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path, tree in modules(*PACKAGES)
        if not path.name.startswith("clickhouse")  # the server that reads SQL
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
        if statement.match(node.value.strip())
    ]
    assert not wrong


def test_every_sql_file_says_what_it_is_for():
    """A header: purpose, and parameters where there are any."""
    for path in sources(*PACKAGES):
        if path.suffix == ".sql" and path.parent.name != "migrations":
            text = path.read_text(encoding="utf-8")
            assert text.startswith("-- Purpose: "), path
            if re.search(r"\{\w+:", re.sub(r"--[^\n]*", "", text)):
                assert "-- Parameters: " in text, path


@pytest.mark.parametrize(
    "mark",
    ["TODO", "FIXME", "XXX", "NotImplementedError", "pytest.skip", "mark.skip", "xfail"],
)
def test_nothing_is_left_unfinished(mark):
    """No unfinished marks, and no test that does not run."""
    found = [
        str(path.relative_to(ROOT))
        for path in sources(*PACKAGES, "tests")
        if path.suffix in {".py", ".sql"} and path != Path(__file__)
        if mark in path.read_text(encoding="utf-8")
    ]
    assert not found
