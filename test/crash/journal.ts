import { readFileSync } from "node:fs";
import { join } from "node:path";
import { CONCURRENCY } from "./role.ts";

/** What one handler has done with one message, in the order in which it happened. */
interface History {
  readonly began: { readonly attempt: number; readonly pid: string }[];
  ended: number;
  /** How attempts were settled, as far as the process lived to tell. */
  readonly settled: string[];
}

/** What all processes have noted, and what is wrong with it. */
export class Journal {
  /** Ids by the numbers of what was acknowledged. */
  readonly acked = new Map<number, string>();
  readonly violations: string[] = [];
  /** Where processes have killed themselves, and how often. */
  readonly deaths = new Map<string, number>();
  readonly #histories = new Map<string, History>();
  /** The place in the order of publishing of what began last, by handler and key. */
  readonly #places = new Map<string, number>();
  readonly #ids = new Map<number, string>();

  constructor(folder: string) {
    const text = readFileSync(join(folder, "journal"), "utf8");
    for (const line of text.split("\n").slice(0, -1)) this.#read(line);
    this.#findWorkDoneAgain();
  }

  /** Whether a handler has come to its end with a message. */
  ended(handler: string, id: string): boolean {
    return (this.#histories.get(`${handler} ${id}`)?.ended ?? 0) > 0;
  }

  get runs(): number {
    let runs = 0;
    for (const { began } of this.#histories.values()) runs += began.length;
    return runs;
  }

  #read(line: string): void {
    const [what, ...fields] = line.split(" ");
    const [first = "", second = "", id = "", attempt = "", key = "", pid = ""] = fields;
    if (what === "acked") this.#acked(Number(first), second);
    else if (what === "began") this.#began(first, Number(second), id, Number(attempt), key, pid);
    else if (what === "ended") this.#ended(first, id, Number(attempt));
    else if (what === "settled") this.#history(first, id).settled.push(second);
    else if (what === "died") this.deaths.set(first, (this.deaths.get(first) ?? 0) + 1);
    else if (what !== "asked") this.violations.push(`unreadable line: ${line}`);
  }

  #acked(n: number, id: string): void {
    this.#isOf(n, id);
    this.acked.set(n, id);
  }

  #began(handler: string, n: number, id: string, attempt: number, key: string, pid: string): void {
    const history = this.#history(handler, id);
    this.#isOf(n, id);
    const last = history.began.at(-1);
    if (last && last.attempt >= attempt)
      this.violations.push(`${handler} ${id}: attempt ${attempt} began after attempt ${last.attempt}`);
    if (history.settled.some((how) => how === "done" || how === "dead"))
      this.violations.push(`${handler} ${id}: began after it was settled`);
    history.began.push({ attempt, pid });
    if (key !== "-") this.#inOrder(`${handler} ${key}`, id);
  }

  #ended(handler: string, id: string, attempt: number): void {
    const history = this.#history(handler, id);
    history.ended++;
    const last = history.began.at(-1)?.attempt;
    if (last !== attempt)
      this.violations.push(
        `${handler} ${id}: attempt ${attempt} ended while ${last} ran, so its holder lived`,
      );
  }

  /** A number is published with its dedupe key, so it has one id for ever. */
  #isOf(n: number, id: string): void {
    const known = this.#ids.get(n);
    if (known !== undefined && known !== id)
      this.violations.push(`number ${n} has two ids: ${known} and ${id}`);
    this.#ids.set(n, id);
  }

  #inOrder(lane: string, id: string): void {
    const place = Number.parseInt(id.slice(id.indexOf("-") + 1), 36);
    const last = this.#places.get(lane) ?? 0;
    if (place < last) this.violations.push(`${lane}: ${id} began after a later one of its key`);
    this.#places.set(lane, place);
  }

  /** What is done again had been under way when its process died: of one process, no more than it could hold. */
  #findWorkDoneAgain(): void {
    const again = new Map<string, number>();
    for (const [name, { began, settled }] of this.#histories) {
      const retried = settled.filter((how) => how === "retry").length;
      const lost = began.slice(0, -1).slice(retried);
      if (settled.includes("lost"))
        this.violations.push(`${name}: its lease was lost while its process lived`);
      for (const { pid } of lost) {
        const lane = `${name.split(" ")[0]} of process ${pid}`;
        again.set(lane, (again.get(lane) ?? 0) + 1);
      }
    }
    for (const [lane, count] of again) {
      // A first failure may have been stored and not noted: so many more may have been retried.
      if (count > 2 * CONCURRENCY) this.violations.push(`${lane}: ${count} runs were repeated`);
    }
  }

  #history(handler: string, id: string): History {
    const name = `${handler} ${id}`;
    const known = this.#histories.get(name);
    if (known) return known;
    const fresh: History = { began: [], ended: 0, settled: [] };
    this.#histories.set(name, fresh);
    return fresh;
  }
}
