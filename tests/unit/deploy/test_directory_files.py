"""Files of entries: which entity each holds, and what a line of it becomes."""

import orjson
import pytest

from deploy.batches import UnreadableFile
from deploy.directory_files import STDIN, Source, lines_of, sources


def entries(path, entity, content):
    """(line, entry) of a file of this content."""
    path.write_bytes(content)
    return [(line.number, orjson.loads(line.text)) for line in lines_of(Source(path, entity), ())]


def test_csv(tmp_path):
    """Booleans, whole numbers and members are what they are in JSON; empty cells are absent."""
    path = tmp_path / "any.csv"
    teams = '\ufeffteam_id,personal_data,name\r\na,TRUE,\r\nb,false,"B,\nb"\r\nc,maybe,C\r\n'
    assert entries(path, "teams", teams.encode()) == [
        (2, {"team_id": "a", "personal_data": True}),
        (4, {"team_id": "b", "personal_data": False, "name": "B,\nb"}),
        (5, {"team_id": "c", "personal_data": "maybe", "name": "C"}),
    ]
    products = b"product_id,kind,members,deleted\nc,collection,a; b;,\np,,,true\n"
    assert entries(path, "products", products) == [
        (2, {"product_id": "c", "kind": "collection", "members": ["a", "b"]}),
        (3, {"product_id": "p", "deleted": True}),
    ]
    seats = b"subscription_id,seats\n1,5\n2,-1\n3,five\n"
    assert [entry["seats"] for _, entry in entries(path, "subscriptions", seats)] == [
        5,
        "-1",
        "five",
    ]


def test_a_cell_too_many_is_kept(tmp_path):
    """Under no name, so that the service refuses the line and no other; one too few is absent."""
    content = b"team_id,name\na,A,more\nb\n"
    assert entries(tmp_path / "teams.csv", "teams", content) == [
        (2, {"team_id": "a", "name": "A", "": ["more"]}),
        (3, {"team_id": "b"}),
    ]


@pytest.mark.parametrize(
    ("content", "told"),
    [(b"team,name\n", "team"), (b"", "missing"), (b"team_id\n\xff\n", "UTF-8")],
)
def test_unreadable_csv(tmp_path, content, told):
    """A header or bytes that can't be read spoil the file."""
    with pytest.raises(UnreadableFile, match=told):
        entries(tmp_path / "teams.csv", "teams", content)


def test_ndjson_goes_as_it_is(tmp_path):
    """Without empty lines and a byte order mark; the service judges the rest."""
    path = tmp_path / "teams.ndjson"
    path.write_bytes(b'\xef\xbb\xbf{"team_id": "a"}\n\n{broken\n')
    lines = [(line.number, line.text) for line in lines_of(Source(path, "teams"), ())]
    assert lines == [(1, b'{"team_id": "a"}'), (3, b"{broken")]
    assert [line.text for line in lines_of(Source(STDIN, "teams"), [b"{}\n"])] == [b"{}"]


def test_a_directory_of_files(tmp_path):
    """By entity, in an order in which each finds what it names; other files are left alone."""
    for name in ("assignments.csv", "users.ndjson", "teams.csv", "README.md"):
        (tmp_path / name).touch()
    found = [(source.entity, source.path.name) for source in sources([tmp_path], None)]
    assert found == [
        ("teams", "teams.csv"),
        ("users", "users.ndjson"),
        ("assignments", "assignments.csv"),
    ]
    (tmp_path / "team.csv").touch()
    with pytest.raises(UnreadableFile, match=r"not named for an entity: team\.csv"):
        sources([tmp_path], None)


def test_the_entity_of_a_file(tmp_path):
    """The flag's, or the name's; without either the file is refused, as one that is not there."""
    path = tmp_path / "export.csv"
    path.touch()
    assert sources([path], "users") == [Source(path, "users")]
    for wrong in ([path], [STDIN], [tmp_path / "teams.csv"]):
        with pytest.raises(UnreadableFile):
            sources(wrong, None)
