// "Your first minute": five steps, ticked by what really happened in the workspace.

import { byId, el } from "./dom.js";
import { sign } from "./signs.js";

const SIGNED = /white_check_mark|✅|\bapproved\b|\bsigned\b/i;
const CANARY = /canary[*_]*\s+(at\s+)?[*_]*\d+\s?%|\b\d+ % (started|done)\b/i;
const ROLLED_BACK = /rolled back|rolling back/i;
const DEPLOYMENT = /\bD-\d+\b/;

/** Every text object of the bot's messages that everybody can see. */
function botTexts(state) {
  const all = [...Object.values(state.messages), ...Object.values(state.threads)].flat();
  const said = all.filter((message) => message.user === state.bot.id && !message.ephemeral);
  return said.flatMap((message) => [message.text ?? "", ...textsIn(message.blocks ?? [])]);
}

function textsIn(node) {
  if (Array.isArray(node)) return node.flatMap(textsIn);
  if (node === null || typeof node !== "object") return [];
  const own = typeof node.text === "string" ? [node.text] : [];
  return [...own, ...Object.values(node).flatMap((child) => (typeof child === "object" ? textsIn(child) : []))];
}

/** Cards mention people, timelines only name them; a line that waits for somebody is neither. */
function signedBy(texts, { id, name }) {
  const mentioned = new RegExp(`<@${id}[|>]|@${name}\\b`, "i");
  const named = new RegExp(`\\b(approved|signed) by .*\\b${name}\\b`, "i");
  const open = /hourglass|⏳|waiting|missing/i;
  return texts.some((text) => {
    if (/^\*?approved by/i.test(text) && mentioned.test(text)) return true;
    return text.split("\n").some((line) => !open.test(line) && (named.test(line) || (mentioned.test(line) && SIGNED.test(line))));
  });
}

function newestDeployment(texts) {
  const found = texts.flatMap((text) => text.match(/\bD-\d+\b/g) ?? []);
  return found.sort((a, b) => Number(b.slice(2)) - Number(a.slice(2)))[0] ?? "D-1";
}

function candidate(state) {
  const service = state.world?.services?.[0];
  const versions = state.world?.versions ?? [];
  const serving = Object.entries(service?.weights ?? {}).sort((a, b) => b[1] - a[1])[0]?.[0];
  const next = versions[versions.indexOf(serving) + 1] ?? "v1.8.3";
  return `${service?.service ?? "checkout"} ${next}`;
}

/** The steps with what to type next, and who has to type it. */
export function steps(state) {
  const texts = botTexts(state);
  const people = Object.fromEntries(state.people.map((person) => [person.id, person]));
  const id = newestDeployment(texts);
  const approve = (person) => ({
    title: `Approve as ${person.name}`,
    done: signedBy(texts, person),
    as: person.id,
    command: `/approve ${id}`,
    note: "or press Approve on the card",
  });
  const ana = people.U0ANA ?? { id: "U0ANA", name: "Ana" };
  const quinn = people.U0QUINN ?? { id: "U0QUINN", name: "Quinn" };
  return [
    { title: "Request a deployment", done: texts.some((text) => DEPLOYMENT.test(text)), as: "U0DANA", command: `/deploy ${candidate(state)}`, note: "then press Request deployment" },
    approve(ana),
    approve(quinn),
    { title: "Watch the canary", done: texts.some((text) => CANARY.test(text)), as: null, command: null, note: "the card follows it; nothing to press" },
    { title: "Roll back", done: texts.some((text) => ROLLED_BACK.test(text)), as: "U0DANA", command: "/rollback checkout 500s on /pay", note: "or the red button on the card" },
  ];
}

export class Guide {
  /** A tick stays once it was earned, even when the card has moved on. */
  constructor({ use, actAs, me }) {
    Object.assign(this, { use, actAs, me, earned: new Set(), mark: "" });
    this.root = byId("guide");
  }

  show(state) {
    const all = steps(state);
    all.forEach((step, index) => step.done && this.earned.add(index));
    all.forEach((step, index) => (step.done = this.earned.has(index)));
    const mark = JSON.stringify([all, state.me.id]);
    if (mark === this.mark) return;
    this.mark = mark;
    this.draw(all, state.me.id, Object.fromEntries(state.people.map((person) => [person.id, person.name])));
  }

  draw(all, me, names) {
    const next = all.findIndex((step) => !step.done);
    const done = all.filter((step) => step.done).length;
    const row = (step, index) =>
      el(
        "li",
        { class: `step${step.done ? " done" : ""}${index === next ? " next" : ""}`, "data-testid": `step-${index + 1}`, "aria-current": index === next ? "step" : null },
        el("span", { class: "tick" }, step.done ? sign("white_check_mark") : String(index + 1)),
        el("span", { class: "step-words" }, step.title, index === next ? el("small", {}, step.note) : null),
      );
    this.root.replaceChildren(
      el("h2", { id: "guide-title" }, "Your first minute", el("span", { class: "count" }, `${done} of ${all.length}`)),
      el("ol", { class: "steps" }, ...all.map(row)),
      ...(next < 0 ? [el("p", { class: "all-done" }, "That was the whole of it: asked, signed twice, watched, taken back. Now break something: deploy again, make the new version fail, or kill the bot half-way.")] : this.hint(all[next], me, names)),
    );
    this.root.hidden = false;
  }

  hint(step, me, names) {
    const nodes = [];
    if (step.as !== null && step.as !== me) {
      nodes.push(el("button", { type: "button", class: "button wide", "data-testid": "guide-act-as", onclick: () => this.actAs(step.as) }, `Become ${names[step.as] ?? step.as}`));
    }
    if (step.command !== null) nodes.push(this.command(step.command));
    return nodes;
  }

  command(text) {
    const copy = el("button", { type: "button", class: "button small", "aria-label": `Copy ${text}` }, "Copy");
    copy.addEventListener("click", async () => {
      await navigator.clipboard.writeText(text);
      copy.textContent = "Copied";
    });
    const use = el("button", { type: "button", class: "button small", "data-testid": "guide-use", onclick: () => this.use(text) }, "Type it");
    return el("div", { class: "next-command" }, el("code", { "data-testid": "guide-command" }, text), el("div", { class: "row" }, use, copy));
  }
}
