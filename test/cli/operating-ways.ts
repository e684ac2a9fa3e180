import { expect } from "vitest";
import type { Operating } from "../../src/cli/operating.ts";
import { cli, errorIn, type RunOptions } from "./program-runs.ts";

/** Reaches the operations through requests, as any program would. */
export function overHttp(url: string): Operating {
  const ask = async (method: string, path: string, body?: object) => {
    const response = await fetch(url + path, {
      method,
      ...(body && { body: JSON.stringify(body), headers: { "content-type": "application/json" } }),
    });
    const reply = (await response.json()) as Record<string, never> & { code?: string };
    if (response.ok || reply.code === "MESSAGE_UNKNOWN" || reply.code === "SUBSCRIPTION_UNKNOWN")
      return reply;
    throw Object.assign(new Error(`${response.status}`), { code: reply.code });
  };
  const query = (filter: object = {}): string => {
    const words = Object.entries(filter).map(([name, value]) => `${name}=${value}`);
    return words.length === 0 ? "" : `?${words.join("&")}`;
  };
  return {
    deadLetters: async (filter) =>
      (await ask("GET", `/api/dead-letters${query(filter)}`))["deadLetters"] ?? [],
    countDeadLetters: async (filter) =>
      (await ask("GET", `/api/dead-letters/count${query(filter)}`))["count"] ?? 0,
    replay: async (filter, options) =>
      (await ask("POST", "/api/dead-letters/replay", { ...filter, ...options }))["replayed"] ?? 0,
    discard: async (filter) => (await ask("POST", "/api/dead-letters/discard", filter))["discarded"] ?? 0,
    messages: async (filter) => (await ask("GET", `/api/messages${query(filter)}`))["messages"] ?? [],
    message: async (id) => {
      const found = await ask("GET", `/api/messages/${id}`);
      return found.code === undefined ? (found as never) : undefined;
    },
    cancel: async (id) => (await ask("POST", `/api/messages/${id}/cancel`)) as never,
    subscriptions: async () => (await ask("GET", "/api/subscriptions"))["subscriptions"] ?? [],
    unsubscribe: async (handler) => (await ask("DELETE", `/api/subscriptions/${handler}`)).code === undefined,
    instances: async () => (await ask("GET", "/api/instances"))["instances"] ?? [],
    problems: async () => (await ask("GET", "/api/problems"))["problems"] ?? [],
    tasks: async () => (await ask("GET", "/api/schedules"))["schedules"] ?? [],
    task: async (task, ticks) => (await ask("GET", `/api/schedules/${task}${query({ ticks })}`)) as never,
    runTask: async (task) => (await ask("POST", `/api/schedules/${task}/run`))["id"] ?? "",
    pauseTask: async (task, paused) => {
      await ask("POST", `/api/schedules/${task}/${paused ? "pause" : "resume"}`);
    },
  };
}

/** Reaches the operations through runs of the program; `target` is FILE, or `--url` and the address. */
export function overCli(target: readonly string[], options: RunOptions): Operating {
  const run = async (command: string, words: readonly string[] = [], flags: object = {}) => {
    const given = Object.entries(flags).flatMap(([name, value]) => [`--${name}`, String(value)]);
    const ended = await cli([...command.split(" "), ...target, ...words, ...given, "--json"], options);
    if (ended.code === 0) return JSON.parse(ended.stdout) as Record<string, never>;
    expect([ended.code, ended.stdout]).toEqual([2, ""]);
    throw Object.assign(new Error(ended.stderr), { code: errorIn(ended).code });
  };
  const unless = async <T>(code: string, result: Promise<T>): Promise<T | undefined> =>
    result.catch((error: { code: string }) => {
      if (error.code === code) return undefined;
      throw error;
    });
  const act = (what: string, { id, ...flags }: { id?: string | undefined }, more: readonly string[] = []) =>
    run(`dead-letters ${what}`, [...(id === undefined ? [] : [id]), ...more], flags);
  return {
    deadLetters: async (filter) =>
      filter?.id === undefined
        ? ((await run("dead-letters list", [], filter))["deadLetters"] ?? [])
        : ((await run("dead-letters show", [filter.id]))["deadLetters"] ?? []),
    // The program has no command that only counts.
    countDeadLetters: async (filter) =>
      ((await run("dead-letters list", [], filter))["deadLetters"] ?? []).length,
    replay: async (filter, options) =>
      (await act("replay", { ...filter, ...rateOf(options) }))["replayed"] ?? 0,
    discard: async (filter) => (await act("discard", filter, ["--yes"]))["discarded"] ?? 0,
    messages: async (filter) => (await run("messages list", [], filter))["messages"] ?? [],
    message: async (id) => (await unless("MESSAGE_UNKNOWN", run("messages show", [id]))) as never,
    cancel: async (id) => (await run("cancel", [id])) as never,
    subscriptions: async () => (await run("subscriptions list"))["subscriptions"] ?? [],
    unsubscribe: async (handler) =>
      (await unless("SUBSCRIPTION_UNKNOWN", run("subscriptions remove", [handler, "--yes"]))) !== undefined,
    instances: async () => (await run("instances"))["instances"] ?? [],
    problems: async () => {
      const { code, stdout } = await cli(["doctor", ...target, "--json"], options);
      expect(code).toBeLessThanOrEqual(1);
      return (JSON.parse(stdout) as { problems: never }).problems;
    },
    tasks: async () => (await run("schedules list"))["schedules"] ?? [],
    task: async (task, ticks) => (await run("schedules show", [task], { ticks })) as never,
    runTask: async (task) => (await run("schedules run", [task]))["id"] ?? "",
    pauseTask: async (task, paused) => {
      await run(`schedules ${paused ? "pause" : "resume"}`, [task]);
    },
  };
}

function rateOf(options: Parameters<Operating["replay"]>[1]): { rate?: string } {
  const { rate } = options ?? {};
  return rate ? { rate: `${rate.limit}/${rate.per}` } : {};
}
