"""Buttons: what each one wishes for. A value is an id and an offer, never state."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from bot.blocks import request, stopping
from bot.domain.deployment import Deployment
from bot.domain.events import Approved, Held, Promoted, Resumed, RollbackRequested, Wish
from bot.domain.line import Bold, Said
from bot.domain.refusal import Refused
from bot.ports import Message
from bot.writer import Source
from handlers import values
from handlers.deploy import DeployCommand
from handlers.desk import Desk, View
from handlers.request_form import RequestForm
from handlers.shapes import BlockActions, SlashCommand


@dataclass(frozen=True, slots=True)
class Press:
    """One press, as far as it is believed: who, from the signed envelope; what, by id only."""

    user: str
    team: str
    trigger: str
    action: str
    thing: str
    offer: int | None
    draft: str
    words: str


_Handler = Callable[[Press, Source], Awaitable[Message | None]]


class Clicks:
    """None means that the answer is in the outbox, or that a form was opened."""

    def __init__(self, desk: Desk, deploy: DeployCommand) -> None:
        self._desk = desk
        self._deploy = deploy
        self._form = RequestForm(desk)
        self._by_action: dict[str, _Handler] = {
            "dep.approve": self._wish(lambda p: Approved(p.user)),
            "dep.hold": self._wish(lambda p: Held(p.user)),
            "dep.resume": self._wish(lambda p: Resumed(p.user)),
            "dep.promote": self._wish(lambda p: Promoted(p.user)),
            "dep.reject": self._reject_form,
            "dep.cancel": self._cancel_form,
            "dep.roll_back": self._rollback_form,
            "dep.timeline": self._timeline,
        }
        self._private: dict[str, _Handler] = {
            "deploy.request.confirm": self._request,
            "deploy.request.edit": self._request_form,
            "deploy.request.cancel": self._forget,
            "deploy.retry": self._again,
            "deploy.status": self._status,
            "rollback.confirm": self._roll_back,
            "rollback.edit": self._edit_rollback,
            "rollback.cancel": self._forget,
        }

    async def answer(self, click: BlockActions, source: Source) -> Message | None:
        press = pressed(click)
        name = name_of(press)
        if name == request.CHOOSE_SERVICE:
            await self._form.service_chosen(click)
            return None
        handler = self._by_action.get(name)
        if handler is None and name in self._private:
            _mind_private(source)
            handler = self._private[name]
        if handler is None:
            raise Refused(
                "unknown_button",
                (Bold("That button is not known any more."),),
                ("Nothing was changed. The card shows what is possible now.",),
            )
        return await handler(press, source)

    def _wish(self, wish: Callable[[Press], Wish]) -> _Handler:
        async def handle(press: Press, source: Source) -> None:
            await self._desk.engine.apply(press.thing, wish(press), source, press.offer)

        return handle

    async def _request(self, press: Press, source: Source) -> None:
        draft = await self._desk.previews.request_draft(press.team, press.user, press.draft)
        await self._desk.engine.request(self._desk.previews.request_of(draft), source)

    async def _roll_back(self, press: Press, source: Source) -> None:
        draft = await self._desk.previews.rollback_draft(press.team, press.user, press.draft)
        wish = RollbackRequested(press.user, draft.note, draft.version.name)
        await self._desk.engine.apply(draft.thing, wish, source)

    async def _forget(self, press: Press, source: Source) -> None:
        await self._desk.engine.tell((Bold("Nothing was changed."),), (), source)

    async def _status(self, press: Press, source: Source) -> Message:
        return await self._deploy.status(press.team, press.words or press.thing)

    async def _timeline(self, press: Press, source: Source) -> Message:
        await self._pressed_on(press, source)
        return await self._deploy.status_of(press.team, press.thing)

    async def _again(self, press: Press, source: Source) -> Message | None:
        """Run a suggested line as if it had been typed; a guess is never run by itself."""
        line = press.words.strip()
        command, _, text = line.partition(" ") if line.startswith("/") else ("/deploy", "", line)
        if command != "/deploy":
            raise Refused(
                "type_it",
                (Bold("Please type that one yourself:"), " ", Said(line)),
                ("Nothing was changed.",),
            )
        said = SlashCommand(
            command=command,
            text=text,
            team_id=press.team,
            user_id=press.user,
            channel_id="-",
            trigger_id=press.trigger,
            response_url=source.reply_to or "",
        )
        return await self._deploy.answer(said, source)

    # --- forms -----------------------------------------------------------------------------------

    async def _pressed_on(self, press: Press, source: Source) -> Deployment:
        return await self._desk.questions.deployment(press.team, press.thing, source.place)

    async def _reject_form(self, press: Press, source: Source) -> None:
        d = await self._pressed_on(press, source)
        await self._open(press, stopping.reject_form(d))

    async def _cancel_form(self, press: Press, source: Source) -> None:
        d = await self._pressed_on(press, source)
        await self._open(press, stopping.cancel_form(d))

    async def _rollback_form(self, press: Press, source: Source) -> None:
        await self._pressed_on(press, source)
        wish = RollbackRequested(press.user, "")
        preview = await self._desk.previews.rollback(press.team, wish, press.thing)
        await self._open(press, self._desk.rollback_form(preview))

    async def _edit_rollback(self, press: Press, source: Source) -> None:
        draft = await self._desk.previews.rollback_draft(press.team, press.user, press.draft)
        wish = RollbackRequested(press.user, "")
        preview = await self._desk.previews.rollback(press.team, wish, draft.thing)
        await self._open(press, self._desk.rollback_form(preview, draft.note))

    async def _request_form(self, press: Press, source: Source) -> None:
        draft = await self._desk.previews.request_draft(press.team, press.user, press.draft)
        view = await self._desk.request_form(draft.service, draft.version.name, draft.environment)
        await self._open(press, view)

    async def _open(self, press: Press, view: View) -> None:
        if self._desk.forms is None:
            raise Refused(
                "no_form",
                (Bold("There is no form here."),),
                ("Nothing was changed. Type the command instead.",),
            )
        await self._desk.forms.open_form(press.trigger, view)


def name_of(press: Press) -> str:
    """The same action may stand on one message more than once: `deploy.retry.2`."""
    return press.action.rstrip("0123456789").rstrip(".")


def _mind_private(source: Source) -> None:
    """Previews and typed lines are shown to one person, and are theirs alone to press."""
    if source.place is not None and source.place.is_private:
        return
    raise Refused(
        "elsewhere",
        (Bold("That button does not belong here:"), " only you should see what it is about."),
        ("Nothing was changed. Type the command again.",),
    )


def pressed(click: BlockActions) -> Press:
    """Read a press; a value that is not ours is taken as words and never trusted as more."""
    action = click.actions[0]
    text = action.selected_option.value if action.selected_option else action.value
    value = values.read(text)
    carried = value or values.Value()
    name = action.action_id
    return Press(
        user=click.user.id,
        team=click.team.id,
        trigger=click.trigger_id,
        action=f"dep.{carried.act}" if name == "dep.more" else name,
        thing=carried.thing,
        offer=carried.offer,
        draft=carried.draft,
        words=(action.value or "") if value is None else "",
    )
