"""What people read while a first deployment is being ended, and what their buttons mean then."""

from bot.domain.decide import decide
from bot.domain.effects import PostUpdate
from bot.domain.events import RollbackAbandoned
from bot.domain.line import plain
from bot.domain.offer import still_means
from bot.domain.release import Weights
from tests.builders import CHRIS
from tests.domain.builders import OLD, held
from tests.domain.firsts import ENOUGH, inside, live

NOBODY: Weights = ()
OTHERS: Weights = ((OLD.name, 100),)
LOCKED = "D-142 is ended. checkout is locked until a lead unlocks it."


def test_whoever_ends_it_without_anybody_knowing_what_is_live_is_answered() -> None:
    behind = live().later().sees(weights=OTHERS).later()
    ending = inside().later().after(ENOUGH).later()
    given_up = RollbackAbandoned(CHRIS, "by hand")

    assert plain(decide(behind.d, ENOUGH, behind.context, behind.now).answer) == LOCKED
    assert plain(decide(ending.d, given_up, ending.context, ending.now).answer) == LOCKED


def test_whoever_read_that_it_is_taken_back_is_not_taken_at_their_word_once_it_is_live() -> None:
    story = inside().healthy(weights=NOBODY)
    offer = story.d.offer

    story.healthy()

    assert not still_means(story.d, ENOUGH, offer)
    assert still_means(story.d, ENOUGH, story.d.offer)


def test_the_status_of_a_held_one_changes_when_it_is_being_ended() -> None:
    story = held(inside().healthy(weights=NOBODY)).later().healthy(weights=NOBODY)

    assert story.later().after(ENOUGH).wanted(PostUpdate)
