const WIDTH = 24;
/** Often enough to be seen to move. */
const REDRAW_MS = 100;

/** A bar that shows how far a long work is, on standard error, where that is a terminal; elsewhere it shows nothing. */
export class Progress implements Disposable {
  readonly #what: string;
  readonly #stream: NodeJS.WritableStream & { readonly isTTY?: boolean };
  #drawn = -Infinity;

  /** @param what The work: `replayed`. */
  constructor(what: string, stream: NodeJS.WritableStream & { readonly isTTY?: boolean } = process.stderr) {
    this.#what = what;
    this.#stream = stream;
  }

  show(done: number, all: number): void {
    const now = performance.now();
    if (!this.#stream.isTTY || (done < all && now - this.#drawn < REDRAW_MS)) return;
    this.#drawn = now;
    const share = all === 0 ? 1 : Math.min(1, done / all);
    const bar = "█".repeat(Math.round(share * WIDTH)).padEnd(WIDTH, "░");
    this.#stream.write(`\r${bar} ${this.#what} ${done} of ${all} (${Math.floor(share * 100)} %)`);
  }

  /** Takes the bar away: what comes next has the line for itself. */
  [Symbol.dispose](): void {
    if (this.#stream.isTTY && this.#drawn >= 0) this.#stream.write("\r\u001b[2K");
  }
}
