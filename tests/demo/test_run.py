"""Starting the whole demo: what a second one on the same port is told."""

import socket
from pathlib import Path

import pytest

from bot.demo.run import Demo
from bot.domain.refusal import Refused


async def test_a_taken_port_is_said_with_the_way_on(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        demo = Demo(tmp_path, port)
        try:
            with pytest.raises(Refused) as refused:
                await demo.start()
        finally:
            await demo.stop()

    assert str(refused.value) == (
        f"Port {port} is taken. Stop the other demo, or use `pilothouse demo --port 0`."
    )
