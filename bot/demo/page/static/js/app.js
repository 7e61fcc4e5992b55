// Puts the page together and keeps it in step with the server.

import { Api, Stream } from "./api.js";
import { Channels } from "./channels.js";
import { Composer, completions } from "./composer.js";
import { confirmDialog, Modals } from "./dialogs.js";
import { byId, el } from "./dom.js";
import { Guide } from "./guide.js";
import { followLinks, placeOf } from "./links.js";
import { Menu } from "./menu.js";
import { MessageList } from "./messages.js";
import { Press } from "./press.js";
import { Strip } from "./strip.js";
import { Thread } from "./thread.js";
import { Toasts } from "./toasts.js";
import { World } from "./world.js";

const BEAT_MS = 2000;
const FIRST_PERSON = "U0DANA";
const HOME = "home";

export class App {
  constructor() {
    this.person = new URLSearchParams(location.search).get("as") ?? FIRST_PERSON;
    this.current = null;
    this.sought = placeOf(location.href);
    this.fetching = null;
    this.api = new Api(() => this.person);
    this.toasts = new Toasts(byId("toasts"));
    this.layer = byId("layer");
    this.names = {
      user: (id) => this.state?.people.find((person) => person.id === id)?.name ?? (id === this.state?.bot.id ? this.state.bot.name : null),
      channel: (id) => this.state?.channels.find((channel) => channel.id === id)?.name ?? null,
    };
    this.press = new Press(() => this.isBehind && this.refresh());
    this.isBehind = false;
    this.stream = new Stream(() => this.refresh(), (up) => this.link(up));
    this.buildPanels();
    this.buildChat();
  }

  buildPanels() {
    const failed = (error) => this.toasts.show(error);
    this.menu = new Menu();
    this.channels = new Channels(byId("channels"), (id) => this.enter(id));
    this.strip = new Strip();
    this.world = new World((body) => this.tell("world", body));
    this.guide = new Guide({ use: (text) => this.use(text), actAs: (id) => this.become(id) });
    this.modals = new Modals(this.layer, {
      api: this.api,
      contextFor: (view) => this.contextOf({ view_id: view }),
      failed,
      refresh: () => this.refresh(),
    });
  }

  buildChat() {
    const contextFor = ({ home, channel, ts }) => this.contextOf(home ? { view_id: ts } : { channel, ts });
    const botId = () => this.state?.bot.id;
    const choices = (text, cursor) => completions(text, cursor, { commands: this.state?.commands ?? [], names: this.mentionable() });
    this.list = new MessageList(byId("messages"), byId("messages-scroll"), { contextFor, botId, openThread: (ts) => this.openThread(ts) });
    this.composer = new Composer({ testid: "composer", label: "Message", choices, send: (text) => this.say(text, null) });
    byId("composer-place").replaceWith(this.composer.root);
    this.thread = new Thread({
      contextFor,
      botId,
      choices,
      send: (text, ts) => this.say(text, ts),
      closed: (ts) => document.querySelector(`[data-testid="thread-open-${ts}"]`)?.focus(),
    });
  }

  start() {
    byId("act-as").addEventListener("change", (event) => this.become(event.target.value));
    byId("phone-toggle").addEventListener("click", () => this.togglePhone());
    followLinks((place) => this.goTo(place));
    if (performance.getEntriesByType("navigation")[0]?.type === "reload") this.api.post("reload");
    this.stream.follow(this.person);
    setInterval(() => this.state?.world && !document.hidden && this.stream.soon(), BEAT_MS);
  }

  /** One fetch at a time; whoever asks meanwhile gets one more after it. */
  async refresh() {
    if (this.fetching !== null) {
      this.again ??= this.fetching.then(() => {
        this.again = null;
        return this.refresh();
      });
      return this.again;
    }
    this.fetching = this.fetchOnce().finally(() => (this.fetching = null));
    return this.fetching;
  }

  async fetchOnce() {
    const person = this.person;
    try {
      const state = await this.api.state();
      this.link(true);
      // A button redrawn between press and release would never hear the click.
      this.isBehind = this.press.isDown;
      // Somebody else sits here by now: this answer is not for them.
      if (person === this.person && !this.isBehind) this.show(state);
    } catch {
      this.link(false);
    }
  }

  show(state) {
    this.state = state;
    this.current ??= state.channels[0]?.id ?? null;
    const channels = state.home ? [...state.channels, { id: HOME, name: "Home", unread: 0 }] : state.channels;
    const channel = channels.find((item) => item.id === this.current);
    this.showPeople(state);
    this.channels.show(channels, this.current);
    if (channel?.unread > 0) this.api.post("read", { channel: channel.id });
    this.strip.show(state.notifications ?? [], this.names);
    this.guide.show(state);
    this.world.show(state.world);
    byId("channel-name").textContent = channelTitle(channel);
    this.composer.label(`Message ${channelTitle(channel)}`);
    const shown = this.current === HOME ? homeOf(state) : (state.messages[this.current] ?? []);
    this.list.show(`${this.person}:${this.current}`, shown, this.names);
    this.composer.root.hidden = this.current === HOME;
    this.thread.show(this.current, state, this.names);
    this.modals.show(state.views ?? []);
    document.body.classList.toggle("bot-away", !state.bot_connected);
    byId("channel-note").textContent = state.bot_connected ? "" : `@${state.bot.name} is not connected`;
    if (this.sought !== null) this.goTo(this.sought);
  }

  showPeople(state) {
    const picker = byId("act-as");
    const mark = JSON.stringify(state.people);
    if (picker.dataset.mark !== mark) {
      picker.dataset.mark = mark;
      picker.replaceChildren(...state.people.map(({ id, name, title }) => el("option", { value: id }, title ? `${name} (${title})` : name)));
    }
    picker.value = state.me.id;
  }

  contextOf(where) {
    return {
      names: this.names,
      fire: (click) => this.click(where, click),
      confirm: (described) => confirmDialog(this.layer, described, this.names),
      suggest: (block_id, action_id, typed) => this.suggest({ ...where, block_id, action_id, typed, values: this.modals.valuesOf(where.view_id) }),
      place: (menu, anchor) => this.placeMenu(menu, anchor),
    };
  }

  click(where, click) {
    const form = where.view_id === undefined ? {} : { values: this.modals.valuesOf(where.view_id) };
    return this.tell("click", { channel: this.current, ts: null, value: null, selected: null, ...where, ...click, ...form });
  }

  async suggest(question) {
    const answer = await this.api.post("suggest", question);
    if (answer.error) this.toasts.show(answer.error);
    const groups = (answer.option_groups ?? []).flatMap((group) => group.options);
    return [...(answer.options ?? []), ...groups];
  }

  async tell(path, body) {
    const answer = await this.api.post(path, body);
    if (!answer.ok) this.toasts.show(answer.error ?? "That did not work.");
    await this.refresh();
    return answer;
  }

  async say(text, thread_ts) {
    const answer = await this.tell("say", { channel: this.current, thread_ts, text });
    if (thread_ts === null) this.list.toEnd();
    return answer;
  }

  mentionable() {
    if (!this.state) return [];
    const people = this.state.people.map(({ id, name, title }) => ({ id, name: `@${name}`, note: title }));
    return [{ id: this.state.bot.id, name: `@${this.state.bot.name}`, note: "the bot" }, ...people];
  }

  openThread(ts) {
    this.thread.open(ts);
    this.thread.show(this.current, this.state, this.names);
    // The panel takes room, which moves everything below it.
    document.querySelector(`[data-testid="thread-open-${ts}"]`)?.scrollIntoView({ block: "nearest" });
  }

  enter(channel) {
    this.thread.close();
    this.current = channel;
    this.menu.show(false);
    this.show(this.state);
    this.composer.box.focus();
  }

  /** Shows the message a link names, in its thread if it is a reply; its channel if it is gone. */
  goTo({ channel, ts, thread }) {
    this.sought = null;
    if (!this.state.channels.some((one) => one.id === channel)) return;
    this.enter(channel);
    if (thread !== null) this.openThread(thread);
    const message = document.querySelector(`[data-testid="message-${ts}"]`);
    message?.classList.add("sought");
    message?.scrollIntoView({ block: "start" });
  }

  use(text) {
    this.menu.show(false);
    this.thread.close();
    this.composer.write(text);
  }

  become(person) {
    this.person = person;
    history.replaceState(null, "", `?as=${encodeURIComponent(person)}`);
    byId("act-as").value = person;
    this.stream.follow(person);
    return this.refresh();
  }

  link(up) {
    const place = byId("link-state");
    place.textContent = up ? "" : "Connection lost, trying again…";
    place.hidden = up;
  }

  togglePhone() {
    const on = document.body.classList.toggle("phone");
    byId("phone-toggle").setAttribute("aria-pressed", String(on));
    const scroll = byId("messages-scroll");
    scroll.scrollTop = scroll.scrollHeight;
  }

  placeMenu(menu, anchor) {
    this.layer.append(menu);
    const frame = byId("chat").getBoundingClientRect();
    const at = anchor.getBoundingClientRect();
    const below = at.bottom - frame.top + 4;
    const fits = below + menu.offsetHeight < frame.height;
    menu.style.top = `${fits ? below : Math.max(4, at.top - frame.top - menu.offsetHeight - 4)}px`;
    menu.style.right = `${Math.max(8, frame.right - at.right)}px`;
  }
}

/** The home tab as one message, so that it is drawn and patched like any other. */
function homeOf({ home, bot }) {
  if (!home) return [];
  return [{ ts: home.id, user: bot.id, name: bot.name, text: "", blocks: home.blocks, home: true }];
}

function channelTitle(channel) {
  if (channel === undefined) return "…";
  return channel.id.startsWith("C") ? `# ${channel.name}` : channel.name;
}
