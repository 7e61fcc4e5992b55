"""YAML 1.2, read into a tree with places, and nothing constructed that a file asks for."""

import time

import pytest

from bot.policies.yaml_source import MAX_BYTES, Node, read
from tests.policies.texts import only


def tree(text: str) -> Node:
    source = read("p.yaml", text.encode())
    assert source.findings == []
    assert source.root is not None
    return source.root


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("22:00", "22:00"),
        ("no", "no"),
        ("on", "on"),
        ("true", True),
        ("False", False),
        ("~", None),
        ("", None),
        ("12", 12),
        ("-3", -3),
        ('"12"', "12"),
        ("0.1", "0.1"),
        ("1e999", "1e999"),
        (".nan", ".nan"),
        ("1.10", "1.10"),
        ("0x1F", "0x1F"),
        ("2024-01-01", "2024-01-01"),
        ("10%", "10%"),
        ("{version}", {"version": None}),
        ('"{version}"', "{version}"),
    ],
)
def test_a_word_means_what_yaml_1_2_says(written: str, meant: object) -> None:
    assert tree(f"a: {written}\n").plain() == {"a": meant}


def test_every_node_knows_its_line_column_and_path() -> None:
    root = tree("a: 1\nb:\n  - c: {d: two}\n")

    node = root.get("b", "0", "c", "d")

    assert node is not None
    assert (node.line, node.column, node.key_at) == (3, 12, (3, 9))
    assert node.path == ("b", "0", "c", "d")
    assert [n.value for n in root.each("b", "*", "*", "d")] == ["two"]


@pytest.mark.parametrize(
    ("text", "line", "column", "problem"),
    [
        ("a: &x 1\nb: *x\n", 1, 4, "anchors and aliases are not read"),
        ("a: 1\nb: *x\n", 2, 4, "anchors and aliases are not read"),
        ("a: &x {b: 1}\nc: {<<: *x}\n", 1, 4, "anchors and aliases are not read"),
        ("&x a: 1\n", 1, 1, "anchors and aliases are not read"),
        ("a: !!python/object/apply:os.system [ls]\n", 1, 4, "tags (`!…`) are not read"),
        ("a: !secret b\n", 1, 4, "tags (`!…`) are not read"),
        ("? [a, b]\n: 1\n", 1, 3, "a key must be a word"),
        ("a: 1\n---\nb: 1\n", 2, 1, "a second document begins"),
        ("a: 1\na: 2\n", 2, 1, "`a` stands here twice, first on line 1"),
        ("a: [1, 2\nb: 3\n", 2, 2, "the YAML cannot be read"),
        ("a:\n\t- b\n", 2, 1, "the YAML cannot be read"),
        ("a: b: c\n", 1, 5, "the YAML cannot be read"),
        ("a: \x07\n", 1, 1, "this is no YAML"),
        ('a: "\\U99999999"\n', 1, 1, "this is no YAML"),
        ('a: "\\uD844"\n', 1, 4, "half a character stands here"),
        ('"\\uD844": a\n', 1, 1, "half a character stands here"),
        ("[" * 40, 1, 26, "this is nested too deeply"),
    ],
)
def test_what_is_not_read_is_told_with_its_place(
    text: str, line: int, column: int, problem: str
) -> None:
    found = only(tuple(read("p.yaml", text.encode()).findings))

    assert found.problem.startswith(problem)
    assert (found.line, found.column) == (line, column)
    assert found.fix


def test_text_that_is_not_utf_8_is_told_with_its_line() -> None:
    found = only(tuple(read("p.yaml", b"a: 1\nb: \xff\n").findings))

    assert (found.line, found.problem) == (2, "this is not UTF-8")


def test_a_byte_order_mark_is_no_mistake() -> None:
    source = read("p.yaml", b"\xef\xbb\xbfa: 1\n")

    assert source.root is not None
    assert source.root.plain() == {"a": 1}


def test_a_file_larger_than_the_limit_is_not_even_parsed() -> None:
    found = only(tuple(read("p.yaml", b"[" * (MAX_BYTES + 1)).findings))

    assert "limit 256 kB" in found.problem


def test_a_billion_laughs_end_at_the_first_anchor() -> None:
    lines = ["a0: &a0 lol"] + [
        f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 40)
    ]
    begun = time.process_time()

    found = only(tuple(read("p.yaml", "\n".join(lines).encode()).findings))

    assert found.line == 1
    assert time.process_time() - begun < 2
