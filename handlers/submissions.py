"""Forms that were sent: the modal is the preview, its button the only confirmation."""

from typing import Any

from bot.blocks import replies, request, views
from bot.blocks.text import label
from bot.domain.events import Cancelled, Rejected, RollbackRequested, Wish
from bot.domain.line import Bold, plain
from bot.domain.refusal import Outcome, Refusal, Refused
from bot.ports import Message
from bot.writer import Source
from handlers import parse, values
from handlers.commands import Deploy, Misread
from handlers.desk import Desk
from handlers.request_form import block_of, chosen
from handlers.shapes import ViewSubmission

#: Where a refusal is shown; what is about neither of these is about the service as it stands.
_FIELDS = {
    "unknown_version": request.VERSION,
    "already_serving": request.VERSION,
    "unknown_environment": request.ENVIRONMENT,
}

#: What Slack is told to do with the modal.
Response = dict[str, Any]
CLOSE: Response = {}


class Submissions:
    """Field errors stand under their field; everything else is said in the modal itself."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def answer(self, form: ViewSubmission, source: Source) -> Response:
        match form.view.callback_id:
            case "deploy.form":
                return await self._deploy(form)
            case "deploy.check":
                return await self._request(form, source)
            case "rollback.submit":
                return await self._rollback(form, source)
            case "reject.submit":
                return await self._wish(
                    form, Rejected(form.user.id, chosen(form.view, "reason")), source
                )
            case "cancel.submit":
                return await self._wish(
                    form, Cancelled(form.user.id, chosen(form.view, "reason")), source
                )
        raise Refused(
            "unknown_form",
            (Bold("That form is not known any more."),),
            ("Nothing was changed. Open it again.",),
        )

    async def _deploy(self, form: ViewSubmission) -> Response:
        service, version = chosen(form.view, request.SERVICE), chosen(form.view, request.VERSION)
        environment = chosen(form.view, request.ENVIRONMENT)
        try:
            wanted = parse.deploy(f"{service} {version} {environment}", self._desk.known)
            if not isinstance(wanted, Deploy) or wanted.version is None or wanted.service is None:
                return _wrong(form, request.VERSION, "Name a version, for example v1.8.3.")
            preview = await self._desk.previews.deployment(
                form.team.id,
                form.user.id,
                wanted.service,
                wanted.version,
                wanted.environment,
                chosen(form.view, request.NOTE),
            )
        except Misread as misread:
            return _wrong(form, request.VERSION, f"{misread.what} {misread.next_step}")
        except Refused as refused:
            field = _FIELDS.get(refused.refusal.rule, request.SERVICE)
            return _wrong(form, field, plain(refused.refusal.why))
        people = self._desk.policies.people
        view = views.check(preview.draft, preview.plan, preview.serving, people, preview.past)
        return {"response_action": "update", "view": view}

    async def _request(self, form: ViewSubmission, source: Source) -> Response:
        draft = await self._desk.previews.request_draft(
            form.team.id, form.user.id, _carried(form).draft
        )
        wish = self._desk.previews.request_of(draft)
        return self._outcome(await self._desk.engine.request(wish, source))

    async def _wish(self, form: ViewSubmission, wish: Wish, source: Source) -> Response:
        """A form speaks for the offer it was opened on; meanwhile things may have moved on."""
        about = _carried(form)
        return self._outcome(await self._desk.engine.apply(about.thing, wish, source, about.offer))

    async def _rollback(self, form: ViewSubmission, source: Source) -> Response:
        # Not bound to an offer, on purpose: in an emergency a step more or less changes nothing
        # about going back. What does matter, the thing and the target, is checked instead.
        target = chosen(form.view, "target") or None
        wish = RollbackRequested(form.user.id, chosen(form.view, "reason"), target)
        outcome = await self._desk.engine.apply(_carried(form).thing, wish, source)
        if outcome.refusal is not None and outcome.refusal.rule == "reason":
            return _wrong(form, "reason", plain(outcome.refusal.why))
        return self._outcome(outcome)

    def _outcome(self, outcome: Outcome) -> Response:
        if outcome.refusal is None:
            return CLOSE
        return refused(outcome.refusal)


def refused(refusal: Refusal) -> Response:
    """The form gives way to the sentence that says why not."""
    return said(replies.refusal(refusal))


def pushed(message: Message) -> Response:
    """Over the form, which stays as it was filled in."""
    return {"response_action": "push", "view": views.notice(message)}


def said(message: Message) -> Response:
    return {"response_action": "update", "view": views.notice(message)}


def _wrong(form: ViewSubmission, field: str, text: str) -> Response:
    return {"response_action": "errors", "errors": {block_of(form.view, field): label(text, 150)}}


def _carried(form: ViewSubmission) -> values.Value:
    return values.read(form.view.private_metadata) or values.Value()
