import { said } from "../commands/reply.ts";
import type { CommandOn } from "../declare/command-on.ts";
import type { HealthReport } from "../observe/health.ts";
import { roughly } from "../text-for-people.ts";
import { OPERATE, type OperatedApp } from "./operated-app.ts";
import { textPairs, textTable } from "./text-table.ts";
import { when, type Words, wordsFor } from "./words.ts";

/** What there is, and how it is: handlers, subscriptions, instances, health; and calling a message off. */
export function declareStateCommands(app: OperatedApp, commandOn: CommandOn): void {
  commandOn("operate.handlers", "/handlers [kind:event|time|command|pattern]", {
    ...OPERATE,
    description: "Lists all handlers.",
  }).execute(({ kind }, ctx) => {
    const words = wordsFor(ctx);
    const all = app.handlers().filter((handler) => kind === undefined || handler.kind === kind);
    return said(handlerTable(all, words), all);
  });
  commandOn("operate.subscriptions", "/subscriptions", {
    ...OPERATE,
    description: "Lists subscriptions with their backlogs.",
  }).execute(async (_, ctx) => {
    const words = wordsFor(ctx);
    const all = await app.operations.subscriptions();
    return said(subscriptionTable(all, words, ctx.now()), all);
  });
  commandOn("operate.instances", "/instances", {
    ...OPERATE,
    description: "Lists the replicas that are alive.",
  }).execute(async (_, ctx) => {
    const words = wordsFor(ctx);
    const all = await app.operations.instances();
    return said(instanceTable(all, words, ctx.now()), all);
  });
  commandOn("operate.health", "/health", { ...OPERATE, description: "Shows how the app is." }).execute(
    async (_, ctx) => {
      const report = await app.health();
      return said(healthText(report, wordsFor(ctx)), report);
    },
  );
  commandOn("operate.cancel", "/cancel <id> [handler]", {
    ...OPERATE,
    description: "Calls a message off, on whichever replica it runs.",
  }).execute(async ({ id, handler }, ctx) => {
    const words = wordsFor(ctx);
    const cancelled = await app.operations.cancel(id, handler);
    const { removed, running } = cancelled;
    if (removed + running === 0) return said(words.noMessage(id), cancelled, "invalid");
    return said(words.cancelled(removed, running), cancelled);
  });
}

function handlerTable(all: ReturnType<OperatedApp["handlers"]>, words: Words): string {
  const { names } = words;
  if (all.length === 0) return words.none("handlers");
  const columns = {
    [names.kind]: all.map(({ kind }) => kind),
    [names.name]: all.map(({ name }) => name),
    [names.trigger]: all.map(({ trigger }) => trigger),
  };
  return textTable(columns, words.more);
}

function subscriptionTable(
  all: Awaited<ReturnType<OperatedApp["operations"]["subscriptions"]>>,
  words: Words,
  now: number,
): string {
  const { names } = words;
  if (all.length === 0) return words.none("subscriptions");
  const columns = {
    [names.handler]: all.map(({ handler }) => handler),
    [names.topic]: all.map(({ topic = "" }) => topic),
    [names.ready]: all.map(({ ready }) => String(ready)),
    [names.waiting]: all.map(({ waiting }) => String(waiting)),
    [names.running]: all.map(({ running }) => String(running)),
    [names.dead]: all.map(({ dead }) => String(dead)),
    [names.oldest]: all.map(({ oldest }) => when(words, oldest, now)),
    [names.note]: all.map(({ handledHere }) => (handledHere ? "" : words.orphaned)),
  };
  return textTable(columns, words.more);
}

function instanceTable(
  all: Awaited<ReturnType<OperatedApp["operations"]["instances"]>>,
  words: Words,
  now: number,
): string {
  const { names } = words;
  if (all.length === 0) return words.none("instances");
  const columns = {
    [names.id]: all.map(({ id }) => id),
    [names.host]: all.map(({ host }) => host),
    [names.pid]: all.map(({ pid }) => String(pid)),
    [names.version]: all.map(({ version }) => version),
    [names.started]: all.map(({ startedAt }) => when(words, startedAt, now)),
    [names.lastSeen]: all.map(({ lastSeen }) => when(words, lastSeen, now)),
    [names.running]: all.map(({ running }) => String(running)),
  };
  return textTable(columns, words.more);
}

function healthText(report: HealthReport, words: Words): string {
  const { names } = words;
  const { engine, scheduler, lag } = report;
  const counts = (["ready", "waiting", "running", "dead"] as const).map(
    (name) => `${names[name]} ${lag?.[name]}`,
  );
  const tasks =
    scheduler.tasks === undefined ? "" : ` (${words.tasks(scheduler.tasks, scheduler.paused ?? 0)})`;
  const pairs = textPairs({
    [names.status]: report.status,
    [names.uptime]: roughly(report.uptime * 1_000),
    [names.version]: report.version,
    [names.engine]: `${engine.location} (${engine.status})`,
    [names.scheduler]: `${scheduler.enabled ? words.on : words.off}${tasks}`,
    [names.backlog]: lag && counts.join(", "),
    [names.instances]: report.instances && String(report.instances.length),
  });
  return [pairs, ...report.problems.map((problem) => textPairs({ [names.problem]: problem }))].join("\n");
}
