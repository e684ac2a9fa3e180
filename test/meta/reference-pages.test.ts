import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Command } from "commander";
import { describe, expect, onTestFinished, test } from "vitest";
import { createProgram } from "../../src/cli/program.ts";
import { tokenize } from "../../src/commands/tokenize.ts";
import { readConfig } from "../../src/config.ts";
import { createRegistry } from "../../src/declare/create-registry.ts";
import { createHttp } from "../../src/http/create-http.ts";
import { ROUTES } from "../../src/http/routes.ts";
import { createTestApp } from "../../src/testing/create-test-app.ts";
import { parsePage } from "./markdown.ts";
import { ROOT } from "./source-tree.ts";

/* docs/reference/http.md and cli.md have every route and every command with its options, and no other. */

describe.each(["docs/reference/http.md", "docs/zh-CN/reference/http.md"])("%s", (page) => {
  const sections = sectionsOf(page);

  test("has every route with its role, and no other", () => {
    const documented = sections.map(({ name, text }) => {
      const [, role] = /^(?:Role: |角色：)(?:`(\w+)`|none|无)[.。]$/m.exec(text) ?? [];
      return `${name} ${role ?? "none"}`;
    });
    const served = ROUTES.map(({ method, path, role }) => `${method} ${path} ${role ?? "none"}`);
    expect(documented.toSorted()).toEqual(served.toSorted());
  });

  test("each has an example of itself", () => {
    for (const { name, text } of sections) {
      const [method = "", path = ""] = name.split(" ");
      const examples = parsePage(text).blocks.filter(({ language }) => language === "sh");
      expect(examples.length).toBeGreaterThan(0);
      for (const example of examples) {
        const request = curl(example.text);
        const pattern = new RegExp(`^${path.replaceAll(/:\w+/g, "[^/]+")}$`);
        expect([request.method, new URL(request.url).pathname]).toEqual([
          method,
          expect.stringMatching(pattern),
        ]);
      }
    }
  });
});

test("the examples of docs/reference/http.md are answered as it says", async () => {
  const { ask, id } = await exampleApp();
  for (const { name, text } of sectionsOf("docs/reference/http.md")) {
    const { blocks, rows } = parsePage(text);
    const statuses = rows.map(([first = ""]) => first).filter((cell) => /^[1-5]\d\d$/.test(cell));
    let last: unknown;
    for (const { text: line } of blocks.filter(({ language }) => language === "sh")) {
      const response = await ask(curl(line.replace("360b9741-1", id)));
      const body = await response.text();
      expect([name, response.ok, body]).toEqual([name, true, body]);
      expect(statuses).toContain(String(response.status));
      last = body.startsWith("{") ? JSON.parse(body) : body;
    }
    const [answer] = blocks.filter(({ language }) => language === "json");
    expect([name, last]).toEqual([name, answer ? JSON.parse(answer.text) : last]);
  }
});

describe.each(["docs/reference/cli.md", "docs/zh-CN/reference/cli.md"])("%s", (page) => {
  const [, ...chapters] = readFileSync(join(ROOT, page), "utf8").split(/^## /m);
  const [common = [], target = []] = chapters.slice(0, 2).map(optionsIn);

  test("has every command with its options, and no other", () => {
    const documented = sectionsOf(page).map(({ name, text }) => [name, optionsIn(text).toSorted()]);
    const real = leavesOf(createProgram()).map(([name, command]) => [
      name,
      flagsOf(command)
        .filter((flags) => !common.includes(flags) && !target.includes(flags))
        .toSorted(),
    ]);
    expect(documented).toEqual(real);
  });

  test("has the options that commands share", () => {
    expect(common).toEqual(["--json", "--verbose"]);
    expect(target).toEqual(["--url <url>", "--token <token>", "--timeout <duration>"]);
    for (const [name, command] of leavesOf(createProgram())) {
      const all = flagsOf(command);
      expect([name, common.filter((flags) => !all.includes(flags))]).toEqual([name, []]);
      const shared = target.filter((flags) => all.includes(flags)).length;
      expect([name, [0, target.length].includes(shared)]).toEqual([name, true]);
    }
  });

  test("has the arguments of each, and an example", () => {
    const usages = new Map(leavesOf(createProgram()));
    for (const { name, text } of sectionsOf(page)) {
      const usage = usages.get(name)?.usage().replace("[options]", "").trim() ?? "";
      expect(text).toContain(usage === "" ? name : `\`${usage}\``);
      expect(text).toContain(`npx decorator-framework ${name}`);
    }
  });

  test("has every exit code of the help", () => {
    let help = "";
    createProgram()
      .configureOutput({ writeOut: (text) => void (help += text) })
      .outputHelp();
    const codes = [...help.matchAll(/^ {2}(\d+) {2,}\S/gm)].map(([, code]) => code);
    const rows = parsePage(`## ${chapters.at(-1)}`).rows.slice(2);
    expect(rows.map(([code]) => code)).toEqual(codes);
    expect(codes.length).toBeGreaterThan(4);
  });
});

interface Section {
  readonly name: string;
  readonly text: string;
}

/** What stands below the headings of the third level that are code. */
function sectionsOf(page: string): Section[] {
  const [, ...parts] = readFileSync(join(ROOT, page), "utf8").split(/^(?=### `)/m);
  return parts.map((part) => ({
    name: /^### `([^`]+)`/.exec(part)?.[1] ?? "",
    text: part.split(/^## /m, 1)[0] ?? "",
  }));
}

function optionsIn(text: string): string[] {
  return parsePage(text).rows.flatMap(([cell = ""]) => /^`(--[^`]+)`$/.exec(cell)?.[1] ?? []);
}

function flagsOf(command: Command): string[] {
  return command.options.filter(({ hidden }) => !hidden).map(({ flags }) => flags);
}

function leavesOf(program: Command): [string, Command][] {
  return program.commands.flatMap((command): [string, Command][] =>
    command.commands.length === 0
      ? [[command.name(), command]]
      : command.commands.map((sub) => [`${command.name()} ${sub.name()}`, sub]),
  );
}

/** The request that a line of curl sends. */
function curl(line: string): Request {
  const [program, ...words] = tokenize(line.trim()).tokens.map(({ text }) => text);
  expect(program).toBe("curl");
  const headers: Record<string, string> = {};
  let [method, url, body] = ["GET", "", undefined as string | undefined];
  for (let at = 0; at < words.length; at++) {
    const word = words[at] ?? "";
    if (word === "-X") method = words[++at] ?? "";
    else if (word === "-d") body = words[++at];
    else if (word === "-H") {
      const [name = "", value = ""] = (words[++at] ?? "").split(": ");
      headers[name] = value;
    } else url = word;
  }
  return new Request(url, { method, headers, ...(body !== undefined && { body }) });
}

/** An app that has what the examples speak of. */
async function exampleApp() {
  const registry = createRegistry();
  let broken = true;
  registry.on("order.paid", { name: "ship", retry: 1 }).execute((order) => {
    if (broken) throw new Error("the carrier is away");
    return `shipped ${(order as { id: number }).id}`;
  });
  registry.timeOn("cleanup", { cron: "0 3 * * *" }).execute(() => "clean");
  registry.reOn("error_detector", "content", /ERROR (?<what>.*)/).execute((m) => `seen: ${m.groups.what}`);
  const t = await createTestApp({ registry });
  onTestFinished(() => t.stop());
  await t.publish("order.paid", { id: 1 });
  broken = false;
  const id = await t.publish("order.paid", { id: 2 }, { delay: "1h" });
  await t.app.engine.queue.subscribe([{ handler: "old_handler", topic: "old.*" }]);
  const http = createHttp(t.app, readConfig({}));
  const ask = async (request: Request): Promise<Response> => {
    const answer = http.fetch(request);
    // What waits for a handler gets its turn; no time passes.
    await t.advance(0);
    return answer;
  };
  return { ask, id };
}
