import { once } from "node:events";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { describe, expect, onTestFinished, test } from "vitest";
import { type App, createApp } from "../../src/app.ts";
import { webSocketChat } from "../../src/chat/index.ts";
import type { CommandFrom } from "../../src/commands/command-run.ts";
import { createRegistry } from "../../src/declare/create-registry.ts";
import { cli, fixture, startCli, temporaryFolder } from "../cli/program-runs.ts";
import { declareTranscriptCommands } from "../commands/transcript-commands.ts";
import { type Answered, readTranscript, runTranscript } from "../commands/transcript.ts";
import { ChatClient } from "./chat-client.ts";

/* The same conversations on every front, and the same answers, word for word. */

type Send = (text: string, from: CommandFrom) => Promise<Answered>;

const FRONTS = fixture("fronts.ts");
/** Who has which roles; a token says it, and nothing that is sent with it. */
const TOKENS = { "": "nobody-0123456789", op: "operator-0123456789" };
const API_TOKENS = `${TOKENS[""]}:publish,${TOKENS.op}:publish+op`;

/** Compiled code is shared: a process for each line would spend half its time with the compiler. */
const CACHED = { NODE_COMPILE_CACHE: join(tmpdir(), "decorator-framework-test-cache") };

async function startApp(options: Parameters<typeof createApp>[0] = {}): Promise<App> {
  const registry = createRegistry();
  declareTranscriptCommands(registry);
  const app = createApp({ engine: "memory:", log: "silent", env: { API_TOKENS }, registry, ...options });
  onTestFinished(() => app.stop());
  await app.start();
  return app;
}

/** A program's state is its engine's: of several that follow each other, all see the same. */
async function fileEngine(): Promise<Record<string, string>> {
  return { ENGINE_URL: `sqlite:${await temporaryFolder()}/app.db`, LOG_LEVEL: "silent", ...CACHED };
}

function flagsOf({ user, channel, locale, roles = [] }: CommandFrom): string[] {
  const given = Object.entries({ user, channel, locale }).filter(([, value]) => value !== undefined);
  return [
    ...given.flatMap(([name, value = ""]) => [`--${name}`, value]),
    ...roles.flatMap((role) => ["--role", role]),
  ];
}

function tokenOf({ roles = [] }: CommandFrom): string {
  const token = TOKENS[roles.join() as keyof typeof TOKENS];
  expect(token, "a token for these roles").toBeDefined();
  return token;
}

const overCode = async (): Promise<Send> => {
  const app = await startApp();
  return (text, from) => app.handle(text, from);
};

const overHttp = async (): Promise<Send> => {
  const app = await startApp({ http: { port: 0 } });
  return async (text, { user, channel, locale, ...from }) => {
    const response = await fetch(`${app.url}/commands`, {
      method: "POST",
      headers: { "content-type": "application/json", authorization: `Bearer ${tokenOf(from)}` },
      body: JSON.stringify({ text, user, channel, locale }),
    });
    expect(response.status).toBe(200);
    return (await response.json()) as Answered;
  };
};

const overWebSocket = async (): Promise<Send> => {
  const chat = webSocketChat({
    port: 0,
    authenticate: ({ token = "" }) => ({ user: "", ...(JSON.parse(token) as CommandFrom) }) as never,
  });
  await startApp({ adapters: [chat] });
  const clients = new Map<string, Promise<ChatClient>>();
  return async (text, from) => {
    const token = JSON.stringify(from);
    const client = clients.get(token) ?? ChatClient.enter(chat.url ?? "", { token });
    clients.set(token, client);
    return (await (await client).ask(text, crypto.randomUUID())) as never as Answered;
  };
};

/** One run of `command` for each text, with the app in its own process. */
const overCommand = async (): Promise<Send> => {
  const env = await fileEngine();
  return async (text, from) =>
    said(await cli(["command", ...flagsOf(from), "--json", FRONTS, text], { env }));
};

/** One run of `command` for each text, with the app elsewhere. */
const overCommandAndHttp = async (): Promise<Send> => {
  const { url = "" } = await startApp({ http: { port: 0 } });
  return async (text, { roles, ...from }) => {
    const target = ["--url", url, "--token", tokenOf({ roles })];
    return said(await cli(["command", ...target, ...flagsOf(from), "--json", text], { env: CACHED }));
  };
};

function said({ stdout, code }: Awaited<ReturnType<typeof cli>>): Answered {
  const reply = JSON.parse(stdout) as Answered;
  expect(code === 0).toBe(reply.status === "ok");
  return reply;
}

/** One `console` for each who speaks, told line by line through a pipe. */
const overConsole = async (): Promise<Send> => {
  const env = await fileEngine();
  const consoles = new Map<string, ReturnType<typeof talkTo>>();
  return async (text, from) => {
    const key = JSON.stringify(from);
    const talk = consoles.get(key) ?? talkTo(["console", ...flagsOf(from), "--json", FRONTS], env);
    consoles.set(key, talk);
    return (await talk)(text);
  };
};

async function talkTo(
  args: readonly string[],
  env: Record<string, string>,
): Promise<(text: string) => Promise<Answered>> {
  const { child } = await startCli(args, { env });
  if (!child.stdout || !child.stdin) throw new Error("it has no pipes");
  const { stdin } = child;
  const replies = createInterface({ input: child.stdout });
  return async (text) => {
    stdin.write(`${text}\n`);
    const [line] = (await once(replies, "line")) as [string];
    return JSON.parse(line) as Answered;
  };
}

describe.each([
  ["code", overCode],
  ["HTTP", overHttp],
  ["a chat over WebSocket", overWebSocket],
  ["the program's console", overConsole],
])("%s answers as written in", (_, open) => {
  test.each(["basics", "limits", "chinese"])("%s", async (name) => {
    await runTranscript(readTranscript(name), await open());
  });
});

// A process for each line: the transcripts run beside each other.
test.each([
  ["", overCommand],
  [" --url", overCommandAndHttp],
])("the program's command%s answers as written in all of them", { timeout: 240_000 }, async (_, open) => {
  const names = ["basics", "limits", "chinese"];
  await Promise.all(names.map(async (name) => runTranscript(readTranscript(name), await open())));
});
