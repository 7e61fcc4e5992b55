"""Whatever stands in a policy file, the answer is findings and never another exception."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.policies.findings import Level, PolicyError
from bot.policies.loader import findings, load
from tests.policies.texts import COMPLETE, EXTENDING, ORG, write

#: Characters that YAML gives a meaning to, more often than others.
NOISE = st.text(
    st.one_of(st.sampled_from("-:{}[]&*!|>%@`\"'#,?~\n\t 0159.smhd\\x"), st.characters())
)


def raw(text: str) -> bytes:
    """Lone surrogates too, which are no UTF-8."""
    return text.encode(errors="surrogatepass")


VALUES = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(), st.sampled_from(["5m", "10%", "anyone", "x"])
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.sampled_from("abc"), inner, max_size=3)
    ),
    max_leaves=6,
)
COMMON = settings(
    deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def is_answered(folder: Path) -> bool:
    """Every finding says where and what to do, and loading says the same as looking."""
    found = findings(folder)
    for finding in found:
        assert finding.line >= 1
        assert finding.column >= 1
        assert finding.problem
        assert finding.fix
    errors = tuple(f for f in found if f.level is Level.ERROR)
    if not errors:
        return bool(load(folder).services)
    with pytest.raises(PolicyError) as raised:
        load(folder)
    return raised.value.findings == errors


@COMMON
@given(text=st.one_of(NOISE.map(raw), st.binary(max_size=200)))
def test_any_bytes_are_answered(tmp_path: Path, text: bytes) -> None:
    write(tmp_path, org=ORG)
    (tmp_path / "payments.yaml").write_bytes(text)

    assert is_answered(tmp_path)


@COMMON
@given(at=st.integers(0, len(COMPLETE)), length=st.integers(0, 12), noise=NOISE)
def test_a_policy_with_a_wound_anywhere_is_answered(
    tmp_path: Path, at: int, length: int, noise: str
) -> None:
    wounded = COMPLETE[:at] + noise + COMPLETE[at + length :]
    write(tmp_path, org=ORG)
    (tmp_path / "payments.yaml").write_bytes(raw(wounded))

    assert is_answered(tmp_path)


@COMMON
@given(line=st.integers(0, len(COMPLETE.splitlines()) - 1), value=VALUES)
def test_a_policy_with_any_value_in_any_place_is_answered(
    tmp_path: Path, line: int, value: object
) -> None:
    lines = COMPLETE.splitlines()
    head, colon, _ = lines[line].partition(":")
    lines[line] = f"{head}{colon} {value!r}".replace("'", '"').replace("None", "null")

    assert is_answered(write(tmp_path, org=ORG, payments="\n".join(lines)))


@COMMON
@given(at=st.integers(0, len(ORG)), length=st.integers(0, 12), noise=NOISE)
def test_an_organisation_with_a_wound_anywhere_is_answered(
    tmp_path: Path, at: int, length: int, noise: str
) -> None:
    write(tmp_path, checkout=EXTENDING)
    (tmp_path / "org.yaml").write_bytes(raw(ORG[:at] + noise + ORG[at + length :]))

    assert is_answered(tmp_path)
