"""When nobody knows whether it was done, nobody is told that it was not."""

from bot.numbers import Numbers
from bot.ports import InDoubt, Message
from handlers.errors import Answers
from tests.handlers.office import policies
from tests.handlers.reading import text_of


async def test_what_may_have_been_done_is_not_called_undone() -> None:
    async def work() -> Message:
        raise InDoubt("the database does not answer")

    said = await Answers(policies("checkout"), Numbers()).to(work)

    assert said is not None
    assert "not known yet whether it was done" in text_of(said)
    assert "Nothing was done" not in text_of(said)
