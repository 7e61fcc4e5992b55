// Talks to the demo server; a failed call becomes an answer with an error, never a throw.

const DEBOUNCE_MS = 60;

export class Api {
  constructor(person) {
    this.person = person;
  }

  async state() {
    const answer = await fetch(`/_demo/state?as=${encodeURIComponent(this.person())}`);
    if (!answer.ok) throw new Error(`the server answered ${answer.status}`);
    return answer.json();
  }

  async post(path, body = {}) {
    try {
      const answer = await fetch(`/_demo/${path}`, {
        method: "POST",
        headers: { "Content-Type": "application/json", "X-Pilothouse-Demo": "1" },
        body: JSON.stringify({ as: this.person(), ...body }),
      });
      return await answer.json();
    } catch {
      return { ok: false, error: "The demo server did not answer. Is it still running?" };
    }
  }
}

/** Calls `changed` soon after anything changed, once for a burst; `link(bool)` tells of the line. */
export class Stream {
  constructor(changed, link) {
    this.changed = changed;
    this.link = link;
    this.source = null;
    this.timer = null;
  }

  follow(person) {
    this.source?.close();
    this.source = new EventSource(`/_demo/stream?as=${encodeURIComponent(person)}`);
    this.source.addEventListener("open", () => {
      this.link(true);
      this.soon();
    });
    this.source.addEventListener("changed", () => this.soon());
    this.source.addEventListener("error", () => this.link(false));
  }

  soon() {
    this.timer ??= setTimeout(() => {
      this.timer = null;
      this.changed();
    }, DEBOUNCE_MS);
  }
}
