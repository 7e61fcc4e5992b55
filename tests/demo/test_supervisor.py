"""The bot as the demo's child: started, killed, started again, and never left behind."""

# ruff: noqa: ASYNC240 - small files of the test

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from bot.demo.supervisor import BotProcess, NotReady, tethered
from tests.demo.world_kit import is_alive, until
from tests.loopback import held_port, number_of

pytestmark = pytest.mark.kill

#: Answers 503 twice, then 200; notes that it was started, and what it was given.
BOT = """
import os, sys
from http.server import BaseHTTPRequestHandler, HTTPServer
asked = 0
class Answer(BaseHTTPRequestHandler):
    def do_GET(self):
        global asked
        asked += 1
        self.send_response(200 if self.path == "/readyz" and asked > 2 else 503)
        self.end_headers()
print("up", sorted(os.environ), flush=True)
HTTPServer(("127.0.0.1", int(sys.argv[1])), Answer).serve_forever()
"""
ENVIRONMENT = {"PATH": os.environ["PATH"], "PYTHONPATH": str(Path(__file__).parents[2])}

Make = Callable[..., BotProcess]


@pytest.fixture
def port() -> Iterator[int]:
    with held_port() as holder:
        yield number_of(holder)


@pytest.fixture
async def make(tmp_path: Path, port: int) -> AsyncIterator[Make]:
    made: list[BotProcess] = []

    def one(code: str = BOT, patience: float = 30) -> BotProcess:
        bot = BotProcess(
            ENVIRONMENT,
            tmp_path / "logs" / "bot.log",
            f"http://127.0.0.1:{port}/readyz",
            spawn=tethered(sys.executable, "-c", code, str(port)),
            patience=timedelta(seconds=patience),
        )
        made.append(bot)
        return bot

    yield one
    for bot in made:
        await bot.kill()


async def test_a_started_bot_is_ready_and_is_the_process_that_is_named(make: Make) -> None:
    bot = make()
    assert (bot.is_running, bot.pid) == (False, None)

    await bot.start()

    assert bot.is_running
    assert bot.pid is not None
    assert b"http.server" in Path(f"/proc/{bot.pid}/cmdline").read_bytes()


async def test_starting_what_runs_starts_no_second_one(make: Make) -> None:
    bot = make()
    await asyncio.gather(bot.start(), bot.start())
    pid = bot.pid

    await bot.start()

    assert bot.pid == pid
    assert bot.last_words().count("up") == 1


async def test_a_killed_bot_is_gone_at_once_and_can_be_started_again(make: Make) -> None:
    bot = make()
    await bot.start()
    pid = bot.pid
    assert pid is not None

    await asyncio.gather(bot.kill(), bot.kill())

    assert (bot.is_running, bot.pid) == (False, None)
    assert not is_alive(pid)
    await bot.start()
    assert bot.pid not in (None, pid)


async def test_a_bot_that_ends_says_its_last_words_without_secrets(make: Make) -> None:
    bot = make("raise SystemExit('PILOTHOUSE_DATABASE_URL is no address: password=hunter2')")

    with pytest.raises(NotReady, match="is no address") as ended:
        await bot.start()

    assert "hunter2" not in str(ended.value)


async def test_a_bot_that_is_never_ready_is_not_waited_for_for_ever(make: Make) -> None:
    bot = make("import time; time.sleep(600)", patience=1)

    with pytest.raises(NotReady, match="not ready"):
        await bot.start()


async def test_a_bot_that_does_not_want_to_stop_is_killed(make: Make) -> None:
    bot = make("import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + BOT)
    await bot.start()

    await bot.stop(timedelta(seconds=0.3))
    await bot.stop()

    assert not bot.is_running


async def test_a_bot_gets_its_own_environment_and_nothing_else(make: Make) -> None:
    bot = make()

    await bot.start()

    assert "HOME" not in bot.last_words()


async def test_without_an_address_the_bot_is_given_one_that_it_keeps(tmp_path: Path) -> None:
    code = "import os, sys; sys.argv[1:] = [os.environ['PILOTHOUSE_LISTEN'].split(':')[1]]\n" + BOT
    environment = ENVIRONMENT | {"PILOTHOUSE_LISTEN": "127.0.0.1:0"}
    bot = BotProcess(environment, tmp_path / "log", spawn=tethered(sys.executable, "-c", code))

    await bot.start()
    await bot.kill()
    await bot.start()

    assert bot.is_running
    await bot.kill()


#: Starts a bot that never gets ready, and waits for it until it is killed.
OWNER = """
import asyncio, sys
from pathlib import Path
from bot.demo.supervisor import BotProcess, tethered
code = "import os, time; print(os.getpid(), flush=True); time.sleep(600)"
spawn = tethered(sys.executable, "-c", code)
bot = BotProcess({}, Path(sys.argv[1]), "http://127.0.0.1:1/", spawn=spawn)
asyncio.run(bot.start())
"""


async def test_a_bot_dies_with_the_demo_that_was_killed(tmp_path: Path) -> None:
    log = tmp_path / "log"
    owner = await asyncio.create_subprocess_exec(sys.executable, "-c", OWNER, str(log))
    await until(lambda: log.exists() and log.read_text().endswith("\n"))
    pid = int(log.read_text())
    assert is_alive(pid)

    owner.kill()
    await owner.wait()

    await until(lambda: not is_alive(pid))
