import { said } from "../commands/reply.ts";
import type { CommandOn } from "../declare/command-on.ts";
import type { DeadLetterView } from "../operations.ts";
import { OPERATE, type OperatedApp } from "./operated-app.ts";
import { textPairs, textTable } from "./text-table.ts";
import { when, type Words, wordsFor } from "./words.ts";

/** What a chat message holds at a glance. */
const LISTED = 20;
const MOST_LISTED = 1_000;

/** What failed for good: a list, one in full, and replay and discard. What cannot be undone has to be confirmed. */
export function declareDeadLetterCommands(app: OperatedApp, commandOn: CommandOn): void {
  const filters =
    "[--handler=string] [--event=string] [--reason=exhausted|fatal|invalid|expired|poison|unrouted]" as const;
  commandOn("operate.dead", `/dead ${filters} [--limit=int]`, {
    ...OPERATE,
    description: "Lists what failed for good, the oldest first.",
  }).execute(async ({ limit = LISTED, ...filter }, ctx) => {
    const words = wordsFor(ctx);
    const most = Math.min(Math.max(1, limit), MOST_LISTED);
    const [some, count] = await Promise.all([
      app.operations.deadLetters({ ...filter, limit: most }),
      app.operations.countDeadLetters(filter),
    ]);
    return said(deadTable(some, count, words, ctx.now()), { deadLetters: some, count });
  });
  commandOn("operate.dead.show", "/dead show <id>", {
    ...OPERATE,
    description: "Shows a dead letter: payload and the errors of all attempts.",
  }).execute(async ({ id }, ctx) => {
    const words = wordsFor(ctx);
    const found = await app.operations.deadLetters({ id });
    if (found.length === 0) return said(words.noDeadLetter(id), undefined, "invalid");
    return said(found.map((dead) => deadText(dead, words, ctx.now())).join("\n\n"), found);
  });
  commandOn("operate.dead.replay", `/dead replay <which> ${filters}`, {
    ...OPERATE,
    description: 'Makes dead letters ready again: one by its id, or "all" that fit.',
    confirm: { when: ({ which }: { which: string }) => isAll(which) },
  }).execute(async ({ which, ...filter }, ctx) => {
    const words = wordsFor(ctx);
    const replayed = await app.operations.replay(filterOf(which, filter), { signal: ctx.signal });
    return replayed === 0
      ? said(words.noDeadLetter(which), { replayed }, "invalid")
      : said(words.replayed(replayed), { replayed });
  });
  commandOn("operate.dead.discard", `/dead discard <which> ${filters}`, {
    ...OPERATE,
    description: 'Removes dead letters for good: one by its id, or "all" that fit.',
    confirm: true,
  }).execute(async ({ which, ...filter }, ctx) => {
    const words = wordsFor(ctx);
    const discarded = await app.operations.discard(filterOf(which, filter));
    return discarded === 0
      ? said(words.noDeadLetter(which), { discarded }, "invalid")
      : said(words.discarded(discarded), { discarded });
  });
}

function isAll(which: string): boolean {
  return which.toLowerCase() === "all";
}

function filterOf(which: string, filter: object): Parameters<OperatedApp["operations"]["discard"]>[0] {
  return isAll(which) ? { ...filter, limit: Infinity } : { ...filter, id: which };
}

function deadTable(all: readonly DeadLetterView[], count: number, words: Words, now: number): string {
  const { names } = words;
  if (all.length === 0) return words.none("deadLetters");
  const columns = {
    [names.id]: all.map(({ id }) => id),
    [names.handler]: all.map(({ handler }) => handler),
    [names.event]: all.map(({ event }) => event),
    [names.reason]: all.map(({ reason }) => reason),
    [names.died]: all.map(({ diedAt }) => when(words, diedAt, now)),
    [names.error]: all.map(({ errors }) => errors.at(-1)?.message ?? ""),
  };
  const table = textTable(columns, words.more);
  return all.length < count ? `${table}\n${words.shownOf(all.length, count)}` : table;
}

function deadText(dead: DeadLetterView, words: Words, now: number): string {
  const { names } = words;
  const { id, handler, event, reason, payload, publishedAt, diedAt, attempt, errors } = dead;
  const facts = textPairs({
    [names.id]: id,
    [names.handler]: handler,
    [names.event]: event,
    [names.reason]: reason,
    [names.attempts]: attempt === 0 ? "" : String(attempt),
    [names.published]: when(words, publishedAt, now),
    [names.died]: when(words, diedAt, now),
    [names.payload]: JSON.stringify(payload),
  });
  const failures = errors.map((error) => `${error.attempt}. ${error.name}: ${error.message}`);
  return [facts, ...failures].join("\n");
}
