"""What people see of a job's output."""

from bot.adapters.shell import TAIL_BYTES, TAIL_LINES, tail


def test_the_tail_has_the_last_lines_only() -> None:
    shown = tail("\n".join(f"line {n}" for n in range(100)).encode())

    assert shown.splitlines() == [f"line {n}" for n in range(100 - TAIL_LINES, 100)]
    assert len(tail(("ü" * 5000).encode()).encode()) <= TAIL_BYTES


def test_the_tail_has_no_control_characters() -> None:
    shown = tail(
        "\x1b[31mred\x1b[0m \x1b]0;title\x07ok\u202eback\x00\x07\u200b\r\nnext\x9b\n".encode()
    )

    assert shown == "red okback\nnext"


def test_the_tail_has_no_secrets() -> None:
    shown = tail(b"password=hunter2-and-more\nxo\x1b[0mxb-1234567890-abcdefghij\n")

    assert "hunter2" not in shown
    assert "1234567890" not in shown


def test_a_secret_cut_by_the_cap_is_not_shown() -> None:
    secret = "password=" + "hunter2" * 20_000

    assert "hunter2" not in tail(b"filler\n" * 100 + secret.encode() + b"\nlast")
