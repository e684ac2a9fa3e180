import type { Clock } from "../clock.ts";
import { toMs } from "../duration.ts";
import type { State } from "../engine.ts";
import { DeclarationError } from "../errors.ts";
import type { CommandCall, CommandOptions } from "../handler.ts";

const WITHIN = "30s";
/** Without what is mistaken for another: 0 and O, 1 and I. */
const LETTERS = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ";
const LENGTH = 4;

/** How a command asks to be confirmed. */
export interface Confirmation {
  /** Milliseconds. */
  readonly within: number;
  readonly when: (args: unknown, call: CommandCall) => boolean;
}

/** Where what is not confirmed yet is kept: the engine's state, which all replicas share. */
export type PendingStore = Pick<State, "get" | "set" | "swap" | "delete">;

/** What somebody wrote and has to confirm. */
interface Pending {
  readonly token: string;
  readonly text: string;
  /** By the clock of the replica that asked, in milliseconds since 1970. */
  readonly until: number;
}

/**
 * Reads the option `confirm`; undefined when nothing is asked.
 * @throws {DeclarationError} `OPTION_INVALID`, `DURATION_INVALID`.
 */
export function confirmation({ confirm }: CommandOptions, what: string): Confirmation | undefined {
  if (confirm === undefined || confirm === false) return undefined;
  const options = confirm === true ? {} : confirm;
  if (typeof options !== "object" || options === null) {
    throw new DeclarationError(
      "OPTION_INVALID",
      `${what}: confirm is true, or { within: "30s", when: (args) => … }.`,
    );
  }
  const { within = WITHIN, when } = options;
  if (when !== undefined && typeof when !== "function") {
    throw new DeclarationError(
      "OPTION_INVALID",
      `${what}: confirm.when is a function, such as ({ all }) => all.`,
    );
  }
  return {
    within: toMs(within, `${what}: confirm.within`),
    when: (when as Confirmation["when"] | undefined) ?? (() => true), // it gets what the handler would, which its author typed
  };
}

/**
 * Remembers what somebody has to confirm, and answers the token. There is one thing to confirm for each user in each
 * channel: whoever asks for another has forgotten the first.
 */
export async function ask(
  store: PendingStore,
  clock: Clock,
  call: CommandCall,
  within: number,
): Promise<string> {
  const token = newToken();
  const pending: Pending = { token, text: call.text, until: clock.now() + within };
  const [key, stored] = [keyOf(call), JSON.stringify(pending)];
  await store.set(key, stored);
  // What nobody confirms must not stay for good. Should this process die first, it is replaced by what its user asks next.
  clock.setTimer(() => void drop(store, key, stored).catch(() => {}), within, false);
  return token;
}

/**
 * The text that a token stands for, once: of many who repeat it at once, on whichever replicas, one gets it. Undefined
 * when it is wrong, somebody else's, used or too old.
 */
export async function redeem(
  store: PendingStore,
  clock: Clock,
  call: CommandCall,
  token: string,
): Promise<string | undefined> {
  const key = keyOf(call);
  const stored = await store.get(key);
  if (stored === undefined || stored === "") return undefined;
  const pending = JSON.parse(stored) as Pending; // written by ask
  if (pending.token !== token.toUpperCase() || pending.until <= clock.now()) return undefined;
  return (await drop(store, key, stored)) ? pending.text : undefined;
}

/** Removes what is pending, unless something else is by now; of many who do it at once, one is told that it did. */
async function drop(store: PendingStore, key: string, stored: string): Promise<boolean> {
  if (!(await store.swap(key, stored, ""))) return false;
  await store.delete(key);
  return true;
}

function keyOf({ user = "", channel = "" }: CommandCall): string {
  return `confirm:${encodeURIComponent(channel)}:${encodeURIComponent(user)}`;
}

/** Short enough to be typed; only its own user in its own channel can use it. */
function newToken(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(LENGTH));
  return Array.from(bytes, (byte) => LETTERS[byte % LETTERS.length]).join("");
}

/** Keeps what is to be confirmed in this process alone, for dispatchers that run without an engine. */
export class LocalPending implements PendingStore {
  readonly #texts = new Map<string, string>();

  async get(key: string): Promise<string | undefined> {
    return this.#texts.get(key);
  }

  async set(key: string, value: string): Promise<void> {
    this.#texts.set(key, value);
  }

  async swap(key: string, expected: string | undefined, value: string): Promise<boolean> {
    if (this.#texts.get(key) !== expected) return false;
    this.#texts.set(key, value);
    return true;
  }

  async delete(key: string): Promise<void> {
    this.#texts.delete(key);
  }
}
