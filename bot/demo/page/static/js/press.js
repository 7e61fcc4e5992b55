// Knows when a button of the mouse, or a finger, is down: what lies under it must stay there.

/** Calls `released` when it is up again and its click, if it was one, has been heard. */
export class Press {
  constructor(released) {
    this.isDown = false;
    this.released = released;
    const up = () => this.isDown && setTimeout(() => this.up());
    addEventListener("pointerdown", () => (this.isDown = true), true);
    addEventListener("pointerup", up, true);
    addEventListener("pointercancel", up, true);
    addEventListener("blur", up);
    // Let go outside the window, which nobody told us.
    addEventListener("pointermove", (event) => event.buttons === 0 && up(), true);
  }

  up() {
    this.isDown = false;
    this.released();
  }
}
