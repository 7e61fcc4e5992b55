"""The demo's staging job: `python -m bot.demo.world.stage --world URL -- checkout v1.8.3`."""

import argparse
import json
import sys
from http.client import HTTPConnection, HTTPException
from time import monotonic, sleep
from typing import Any, NoReturn
from urllib.parse import urlsplit

SMOKE = 6
#: Seconds within which the new version must answer.
PATIENCE = 40.0


class World:
    """The demo's world as this job sees it. Raises `OSError` or `HTTPException` when it is away."""

    def __init__(self, url: str) -> None:
        self._host = urlsplit(url).netloc

    def ask(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        connection = HTTPConnection(self._host, timeout=10)
        try:
            headers = {"Content-Type": "application/json"}
            connection.request(method, path, json.dumps(body) if body else None, headers)
            response = connection.getresponse()
            return response.status, _decoded(response.read(65536))
        finally:
            connection.close()


def stage(world: World, service: str, version: str) -> None:
    began = monotonic()
    say(f"staging is asked to run {service} {version}")
    wish = {"service": service, "version": version}
    status, answer = world.ask("POST", "/staging", wish)
    if status != 202:
        give_up(f"staging refuses: {answer.get('error', status)}")
    while world.ask("GET", f"/staging/{service}/healthz")[1].get("version") != version:
        if monotonic() - began > PATIENCE:
            give_up(f"{version} did not answer within {PATIENCE:.0f} s")
        sleep(0.1)
    say(f"{version} answers after {monotonic() - began:.1f} s")
    smoke(world, service, version)
    say(f"{service} {version} is on staging")


def smoke(world: World, service: str, version: str) -> None:
    for number in range(1, SMOKE + 1):
        began = monotonic()
        status, answer = world.ask("GET", f"/staging/{service}/pay")
        took = (monotonic() - began) * 1000
        say(f"smoke {number}/{SMOKE}: {status} in {took:.0f} ms")
        if status != 200 or answer.get("version") != version:
            give_up(f"smoke {number} of {SMOKE} failed")


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def give_up(why: str) -> NoReturn:
    say(why)
    sys.exit(1)


def _decoded(body: bytes) -> Any:
    """An object in any case, so that whoever asks can look into it."""
    try:
        found = json.loads(body)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def main() -> None:
    parser = argparse.ArgumentParser(prog="bot.demo.world.stage")
    parser.add_argument("--world", required=True)
    parser.add_argument("service")
    parser.add_argument("version")
    given = parser.parse_args()
    try:
        stage(World(given.world), given.service, given.version)
    except (OSError, HTTPException) as error:
        give_up(f"the world did not answer: {type(error).__name__}")


if __name__ == "__main__":
    main()
