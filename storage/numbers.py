"""Numbers of deployments: counted for each team, given out once."""

from storage.connection import Connection, first, one

_NEXT_NUMBER = """
INSERT INTO counters (team, name, value) VALUES (:team, 'deployment', 1)
ON CONFLICT (team, name) DO UPDATE SET value = counters.value + 1
RETURNING value"""

_NUMBER = "SELECT value FROM counters WHERE team = :team AND name = 'deployment'"

_NEXT_IF = """
INSERT INTO counters (team, name, value) VALUES (:team, 'deployment', 1)
ON CONFLICT (team, name) DO UPDATE SET value = counters.value + 1
WHERE counters.value = :newest"""


async def following(connection: Connection, team: str) -> int:
    """The next one; a connection that gathers is told at its end if somebody took it first."""
    if connection.gathers:
        row = await first(connection, _NUMBER, team=team)
        newest: int = 0 if row is None else row[0]
        await connection.write_one(_NEXT_IF, team=team, newest=newest)
        return newest + 1
    number: int = (await one(connection, _NEXT_NUMBER, team=team))[0]
    return number
