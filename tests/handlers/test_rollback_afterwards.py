"""Going back after the fact: the preview and the act follow the same rules, whatever was before."""

from bot.domain.deployment import Phase
from tests.builders import SAM
from tests.handlers.office import Office
from tests.handlers.reading import buttons, text_of


async def typed_and_tapped(office: Office, line: str) -> str:
    """What the person who types *line* and then confirms reads last."""
    preview = await office.types(SAM, line)
    found = buttons(preview.body)
    if "rollback.confirm" not in found:
        return text_of(preview.body)
    return await office.presses(SAM, "rollback.confirm", found["rollback.confirm"])


async def test_after_success_the_service_goes_back_as_a_deployment_of_its_own(
    office: Office,
) -> None:
    first = await office.watching()
    await office.over(first)

    assert "Rolling" in await typed_and_tapped(office, "/rollback checkout 500s on /pay")

    newest = await office.over("D-2")
    assert (newest.kind, newest.phase) == ("rollback", Phase.ROLLED_BACK)
    assert newest.rollback is not None
    assert newest.rollback.target.name == "v1.8.2"
    assert (await office.get(first)).phase is Phase.SUCCEEDED


async def test_what_was_superseded_and_serves_again_can_be_taken_back(office: Office) -> None:
    await office.watching()
    second = await office.at_canary("v1.8.4")
    await typed_and_tapped(office, f"/rollback {second} slower than before")
    await office.over(second)
    assert (await office.get("D-1")).phase is Phase.SUPERSEDED

    said = await typed_and_tapped(office, "/rollback checkout still 500s on /pay")

    assert "Rolling" in said
    assert (await office.over("D-3")).phase is Phase.ROLLED_BACK


async def test_once_it_was_taken_back_nothing_offers_to_do_it_again(office: Office) -> None:
    await office.over(await office.watching())
    await typed_and_tapped(office, "/rollback checkout 500s on /pay")
    await office.over("D-2")

    by_service = text_of((await office.types(SAM, "/rollback checkout 500s on /pay")).body)
    by_id = text_of((await office.types(SAM, "/rollback D-1 500s on /pay")).body)

    assert "v1.8.2 serves production" in by_service
    assert "deploy another version" in by_service
    assert "does not serve production any more" in by_id
