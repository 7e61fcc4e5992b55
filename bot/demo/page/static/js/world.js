// The world the bot works on: where traffic goes, how it fares, and ways to break it.

import { busyWhile, byId, el } from "./dom.js";

export class World {
  constructor(post) {
    this.post = post;
    this.root = byId("world");
    this.mark = "";
  }

  show(world) {
    this.root.hidden = world === null || world === undefined;
    if (this.root.hidden) return;
    const mark = JSON.stringify(world);
    if (mark === this.mark) return;
    this.mark = mark;
    const here = this.root.contains(document.activeElement) ? document.activeElement.dataset.testid : null;
    this.root.replaceChildren(
      el("h2", { id: "world-title" }, "The world"),
      ...world.services.map((service) => serviceNode(service)),
      this.failSwitch(world),
      this.botRow(world.bot),
      ...(world.speed === undefined ? [] : [this.speedRow(world)]),
    );
    if (here) this.root.querySelector(`[data-testid="${here}"]`)?.focus();
  }

  failSwitch(world) {
    const service = world.services[0];
    if (service === undefined) return "";
    const version = newVersion(service, world.versions ?? []);
    const on = (service.failing ?? []).includes(version);
    const node = el(
      "button",
      { type: "button", class: "switch", role: "switch", "aria-checked": String(on), "data-testid": "world-fail" },
      el("span", { class: "knob", "aria-hidden": "true" }),
      el("span", {}, "Make the new version fail", el("small", {}, version)),
    );
    node.addEventListener("click", () =>
      busyWhile(node, () => this.post({ action: "fail", version, on: !on, service: service.service })),
    );
    return node;
  }

  botRow(bot) {
    if (!bot) return "";
    const act = (action, label, testid, usable) => {
      const node = el("button", { type: "button", class: "button small", "data-testid": testid, disabled: !usable }, el("span", { class: "label" }, label));
      node.addEventListener("click", () => busyWhile(node, () => this.post({ action })));
      return node;
    };
    return el(
      "div",
      { class: "bot-row" },
      el("span", { class: `lamp ${bot.running ? "on" : "off"}`, "aria-hidden": "true" }),
      el("span", { class: "bot-words" }, bot.running ? "The bot runs" : "The bot is dead", bot.running && bot.pid ? el("small", {}, `process ${bot.pid}`) : null),
      bot.running ? act("kill_bot", "Kill the bot", "kill-bot", true) : act("start_bot", "Start the bot", "start-bot", true),
    );
  }

  speedRow(world) {
    const pick = (speed) => {
      const node = el("button", { type: "button", class: "button small", "aria-pressed": String(speed === world.speed), "data-testid": `speed-${speed}` }, `${speed}×`);
      node.addEventListener("click", () => this.post({ action: "speed", speed }));
      return node;
    };
    return el("div", { class: "speed-row", role: "group", "aria-label": "Speed of the clock" }, el("span", {}, "Speed"), ...(world.speeds ?? [1, 10, 60]).map(pick));
  }
}

/** The version being tried: the newest that takes part, or the one that would come next. */
export function newVersion(service, versions) {
  const known = [...new Set([...versions, ...Object.keys(service.weights), ...Object.keys(service.versions ?? {})])];
  const live = known.filter((version) => (service.weights[version] ?? 0) > 0);
  const failing = (service.failing ?? [])[0];
  if (failing !== undefined) return failing;
  if (live.length > 1 || Object.keys(service.weights).length > 1) return known.filter((version) => version in service.weights).at(-1);
  return known[known.indexOf(live[0]) + 1] ?? live[0] ?? known[0];
}

function serviceNode(service) {
  const weights = Object.entries(service.weights);
  const split = weights.filter(([, weight]) => weight > 0);
  const words = split.map(([version, weight]) => `${version} ${weight} %`).join(", ");
  const bar = el("div", { class: "split", role: "img", "aria-label": `Traffic: ${words}`, "data-testid": "traffic" });
  weights.forEach(([, weight], index) => {
    const part = el("span", { class: `part part-${index % 3}` });
    part.style.width = `${weight}%`;
    bar.append(part);
  });
  const rows = Object.entries(service.versions ?? {}).map(([version, numbers]) => versionRow(service, version, numbers, weights));
  return el(
    "div",
    { class: "service" },
    el("p", { class: "service-name" }, el("strong", {}, service.service), ` ${service.environment}`, el("span", { class: "rps" }, `${service.rps ?? 0} requests/s`)),
    bar,
    el("table", { class: "versions" }, el("thead", {}, el("tr", {}, ...["version", "share", "requests", "errors"].map((name) => el("th", { scope: "col" }, name)))), el("tbody", {}, ...rows)),
  );
}

function versionRow(service, version, numbers, weights) {
  const index = weights.findIndex(([name, weight]) => name === version && weight > 0);
  const rate = Number(numbers.error_rate ?? 0);
  const failing = (service.failing ?? []).includes(version);
  return el(
    "tr",
    { "data-version": version, title: `p95 ${numbers.p95_ms ?? "n/a"} ms` },
    el("th", { scope: "row" }, el("span", { class: `swatch ${index < 0 ? "part-none" : `part-${index % 3}`}`, "aria-hidden": "true" }), version),
    el("td", {}, `${service.weights[version] ?? 0} %`),
    el("td", {}, Number(numbers.requests ?? 0).toLocaleString("en-US")),
    el("td", { class: failing || rate >= 1 ? "bad" : "good" }, `${rate.toFixed(rate < 10 ? 1 : 0)} %`),
  );
}
