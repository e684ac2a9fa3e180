import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { noBrowser, openBrowser } from "../../test/browser.ts";
import { ChatClient } from "../../test/chat/chat-client.ts";
import { needBuild } from "../../test/meta/source-tree.ts";

/* What the head of each file says to run, in processes of their own, talking over real sockets. */

const ROOT = join(import.meta.dirname, "../..");
const DEADLINE_MS = 20_000;

beforeAll(needBuild);

/** A program of the example, and all that it has printed. */
class Running {
  readonly child: ChildProcess;
  printed = "";

  constructor(args: readonly string[]) {
    this.child = spawn(process.execPath, args, { cwd: ROOT, stdio: "pipe" });
    for (const stream of [this.child.stdout, this.child.stderr])
      stream?.setEncoding("utf8").on("data", (text: string) => (this.printed += text));
    onTestFinished(() => void this.child.kill("SIGKILL"));
  }

  async prints(pattern: RegExp): Promise<RegExpExecArray> {
    const deadline = performance.now() + DEADLINE_MS;
    for (;;) {
      const found = pattern.exec(this.printed);
      if (found) return found;
      if (performance.now() > deadline) throw new Error(`not in time: ${String(pattern)}\n${this.printed}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  say(line: string): void {
    this.child.stdin?.write(`${line}\n`);
  }

  exit(): Promise<number | null> {
    return new Promise((resolve) => this.child.once("close", resolve));
  }
}

async function serve(port = 0): Promise<{ server: Running; address: string }> {
  const server = new Running(["examples/chat/main.ts", String(port)]);
  const [address] = await server.prints(/http:\/\/127\.0\.0\.1:\d+/);
  return { server, address };
}

const socketOf = (address: string): string => `${address.replace("http", "ws")}/chat`;

test("two windows talk to the bot and to each other; what only ann may, bob may not", async () => {
  const { address } = await serve();
  const [ann, bob] = await Promise.all(
    ["ann", "bob"].map((token) => ChatClient.enter(socketOf(address), { token, locale: "en" })),
  );
  if (!ann || !bob) throw new Error("two were asked for");
  expect(await ann.ask("/roll 1")).toMatchObject({
    status: "ok",
    text: "🎲 1",
    data: { sides: 1, points: 1 },
  });
  expect(await bob.ask("well, thanks a lot")).toMatchObject({ status: "ok", text: "You are welcome, bob!" });
  await ann.ask("/say hello bob");
  expect(await bob.frame(({ type }) => type === "notice")).toEqual({
    type: "notice",
    text: "ann: hello bob",
  });
  expect(await bob.ask("/mute ann")).toMatchObject({ status: "denied" });
  expect(await bob.ask("/dead")).toMatchObject({ status: "denied" });
  const asked = await ann.ask("/mute bob");
  expect(asked).toMatchObject({ status: "confirmation_needed" });
  const { token } = asked["data"] as { token: string };
  expect(await ann.ask(`/confirm ${token}`)).toMatchObject({ status: "ok", text: "bob is muted" });
  expect(await bob.ask("/say but why")).toMatchObject({ status: "invalid", text: "You have been muted." });
  expect(await ann.ask("/handlers")).toMatchObject({
    status: "ok",
    text: expect.stringContaining("reminder.due"),
  });
  expect(await ann.ask("/remind 50ms tea")).toMatchObject({ status: "ok" });
  expect(await bob.frame((frame) => frame["text"] === "⏰ ann: tea")).toBeDefined();
});

test("the terminal client says what it is told, outlives a restart of the server, and ends with its input", async () => {
  const { server, address } = await serve();
  const client = new Running(["examples/chat/terminal.ts", address, "bob"]);
  await client.prints(/connected/);
  client.say("/roll 1");
  await client.prints(/🎲 1\n/);
  const stopped = server.exit();
  server.child.kill("SIGTERM");
  expect(await stopped).toBe(0);
  await client.prints(/connection lost \(1001\)/);
  client.say("/say are you there");
  await serve(Number(new URL(address).port));
  await client.prints(/bob: are you there\n/);
  const ended = client.exit();
  client.say("/roll one");
  client.child.stdin?.end();
  expect(await ended).toBe(0);
  expect(client.printed).toContain("invalid: sides:");

  const stranger = new Running(["examples/chat/terminal.ts", address, "eve"]);
  expect(await stranger.exit()).toBe(1);
  expect(stranger.printed).toContain("does not open this chat");
});

describe.skipIf(noBrowser)(`in a browser${noBrowser}`, () => {
  const VIEWS: BrowserContextOptions[] = [
    { viewport: { width: 1280, height: 800 }, colorScheme: "light" },
    { viewport: { width: 390, height: 700 }, colorScheme: "dark" },
  ];

  /** The page in a window of its own; what goes wrong in it fails the test. */
  async function open(browser: Browser, address: string, query: string, view = VIEWS[0]): Promise<Page> {
    const context = await browser.newContext(view);
    context.setDefaultTimeout(DEADLINE_MS);
    const page = await context.newPage();
    const wrong: string[] = [];
    page.on("pageerror", ({ message }) => wrong.push(message));
    page.on("response", (response) => response.ok() || wrong.push(`${response.status()} ${response.url()}`));
    onTestFinished(() => expect(wrong).toEqual([]));
    await page.goto(`${address}/?locale=en&${query}`);
    return page;
  }

  async function say(page: Page, text: string): Promise<void> {
    await page.getByRole("textbox", { name: "Message" }).fill(text);
    await page.getByRole("button", { name: "Send" }).click();
    await page.locator(".own", { hasText: text }).waitFor();
  }

  const said = (page: Page, kind: string, text: string | RegExp) =>
    page.locator(`li.${kind}`, { hasText: text }).waitFor();

  test("two windows talk to the bot and to each other, as with any client", async () => {
    const { address } = await serve();
    const browser = await openBrowser();
    const [ann, bob] = await Promise.all([
      open(browser, address, "token=ann"),
      open(browser, address, "token=bob&say=%2Froll%201", VIEWS[1]),
    ]);
    await ann.getByText("ann in lobby").waitFor();
    await bob.getByText("bob in lobby").waitFor();
    await said(bob, "reply", "🎲 1");
    await ann.getByRole("button", { name: "/help" }).click();
    await said(ann, "reply", "Commands:");
    await say(ann, "/say <b>hello</b>");
    await said(bob, "notice", "ann: <b>hello</b>"); // as it was written, not as HTML
    await say(ann, "/roll one");
    await said(ann, "refused", /^sides:/);
    await say(ann, "is anybody there");
    await said(ann, "hint", "Only the bot has read this");
    await say(ann, "/mute bob");
    await ann.getByRole("button", { name: "/confirm" }).click();
    await said(ann, "reply", "bob is muted");
    await say(bob, "/say but why");
    await said(bob, "refused", "You have been muted.");
  });

  test.each(VIEWS)("nothing is wider than a window of $viewport.width pixels", async (view) => {
    const { address } = await serve();
    const page = await open(await openBrowser(), address, "token=ann", view);
    await page.getByText("ann in lobby").waitFor();
    await say(page, "/help");
    await said(page, "reply", "Commands:");
    await say(page, `/say ${"x".repeat(300)}`);
    await said(page, "notice", "xxx");
    const wider = await page.evaluate(`[...document.querySelectorAll("*")]
      .filter((one) => one.scrollWidth > one.clientWidth && one.clientWidth > 0 || one.getBoundingClientRect().right > innerWidth)
      .map(({ outerHTML }) => outerHTML.slice(0, 100))`);
    expect(wider).toEqual([]);
    expect(await page.getByRole("button", { name: "Send" }).isVisible()).toBe(true);
  });

  test("it outlives a restart of the server, and what was written meanwhile is answered", async () => {
    const { server, address } = await serve();
    const page = await open(await openBrowser(), address, "token=ann");
    await page.getByText("ann in lobby").waitFor();
    const stopped = server.exit();
    server.child.kill("SIGTERM");
    expect(await stopped).toBe(0);
    await page.getByText("connection lost").waitFor();
    await say(page, "/roll 1");
    await serve(Number(new URL(address).port));
    await said(page, "reply", "🎲 1");
  });

  test("a token that opens nothing is told so, and can say nothing", async () => {
    const { address } = await serve();
    const page = await open(await openBrowser(), address, "token=eve");
    await page.getByText("not let in").waitFor();
    expect(await page.getByRole("textbox", { name: "Message" }).isDisabled()).toBe(true);
  });
});

test("the page and what it loads are served, and nothing else", async () => {
  const { address } = await serve();
  const page = await fetch(`${address}/?token=ann`);
  expect([page.status, page.headers.get("content-type")]).toEqual([200, "text/html; charset=utf-8"]);
  expect(await page.text()).toContain('from "./session.js"');
  expect(await (await fetch(`${address}/session.js`)).text()).toContain("class ChatSession");
  expect((await fetch(`${address}/main.ts`)).status).toBe(404);
  expect((await fetch(`${address}/../package.json`)).status).toBe(404);
});
