import { execFile } from "node:child_process";
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { publint } from "publint";
import { formatMessage } from "publint/utils";
import { afterAll, beforeAll, describe, expect, test, type TestContext } from "vitest";
import { version } from "../../src/version.ts";
import { ROOT, sourceFiles } from "./source-tree.ts";

/* The package as others get it: what is in the tarball, and that an empty project can install it and run. */

interface Manifest {
  readonly version: string;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
  readonly peerDependencies: Readonly<Record<string, string>>;
  readonly peerDependenciesMeta: Readonly<Record<string, unknown>>;
  readonly exports: Readonly<Record<string, unknown>>;
}

const manifest = readJson<Manifest>("package.json");
const ENTRIES = Object.keys(manifest.exports).length;
const PATIENCE_MS = 120_000;

describe("the packed tarball", () => {
  let folder = "";
  let copy = "";
  let tarball = "";
  let files: string[] = [];

  // From a copy of what a clone has: packing builds, and the folder dist/ of this one is in use by other tests.
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "package-"));
    copy = join(folder, "clone");
    for (const name of readdirSync(ROOT)) {
      if (/^(?:src|build\.mjs|LICENSE|package\.json|tsconfig.*|.*\.md)$/.test(name))
        cpSync(join(ROOT, name), join(copy, name), { recursive: true });
    }
    symlinkSync(join(ROOT, "node_modules"), join(copy, "node_modules"));
    // Left behind by an older build.
    mkdirSync(join(copy, "dist"));
    writeFileSync(join(copy, "dist/stale.js"), "");
    await run("npm", ["pack", "--pack-destination", folder], copy);
    tarball = join(folder, `decorator-framework-${manifest.version}.tgz`);
    await run("tar", ["-xzf", tarball], folder); // into package/
    const { stdout } = await run("tar", ["-tzf", tarball], folder);
    files = stdout
      .trim()
      .split("\n")
      .map((path) => path.replace(/^package\//, ""));
  }, PATIENCE_MS);

  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test("has the documents, the code and its declarations, and nothing else", () => {
    const documents = files.filter((path) => !path.startsWith("dist/"));
    expect(documents.sort()).toEqual([
      "CHANGELOG.md",
      "LICENSE",
      "README.md",
      "README.zh-CN.md",
      "package.json",
    ]);
    const sources = new Set(sourceFiles().map(({ path }) => path));
    const odd = files.filter((path) => {
      if (!path.startsWith("dist/")) return false;
      if (
        /^dist\/(?:index|chat\/index|testing\/index|transfer\/index|cli\/main|chunks\/[\w-]+)\.js(?:\.map)?$/.test(
          path,
        )
      )
        return false;
      return !sources.has(path.replace(/^dist\//, "").replace(/\.d\.ts$/, ".ts"));
    });
    expect(odd).toEqual([]);
    expect(files).toEqual(
      expect.arrayContaining([
        "dist/index.js",
        "dist/index.d.ts",
        "dist/chat/index.js",
        "dist/testing/index.js",
        "dist/transfer/index.js",
        "dist/cli/main.js",
      ]),
    );
  });

  test("says nothing of the machine it was packed on", () => {
    const own = [folder, ROOT];
    const telling = files.filter((path) => {
      const text = readFileSync(join(folder, "package", path), "utf8");
      return own.some((place) => text.includes(place));
    });
    expect(telling).toEqual([]);
  });

  test("publint finds nothing", async () => {
    const { messages, pkg } = await publint({ pkgDir: join(folder, "package"), strict: true, pack: false });
    expect(messages.map((message) => formatMessage(message, pkg ?? {}))).toEqual([]);
  });

  test(
    "are-the-types-wrong finds nothing",
    async () => {
      const attw = join(ROOT, "node_modules/.bin/attw");
      // Ends with 1, and so rejects, when anything is wrong.
      const { stdout } = await run(attw, ["--profile", "esm-only", "--format", "ascii", tarball], folder);
      for (const resolution of ["node16 (from ESM): 🟢", "bundler: 🟢"])
        expect(stdout.split(resolution)).toHaveLength(ENTRIES + 1);
    },
    PATIENCE_MS,
  );

  test(
    "installs into an empty project, and runs there",
    async (context) => {
      const project = join(folder, "project");
      mkdirSync(project);
      writeFileSync(
        join(project, "package.json"),
        `{ "name": "project", "private": true, "type": "module" }`,
      );
      await install(project, tarball, context);
      writeFileSync(join(project, "program.js"), PROGRAM);
      const node = join(ROOT, "node_modules/.bin/node");
      expect(JSON.parse((await run(node, ["program.js"], project)).stdout)).toEqual({
        handled: "order 1",
        triggered: ["order 2"],
        reply: "full backup",
        matched: "seen: disk full",
        tested: 1,
      });

      const cli = (...args: string[]) =>
        run("npx", ["--no-install", "decorator-framework", ...args], project);
      expect((await cli("--version")).stdout.trim()).toBe(manifest.version);
      writeFileSync(join(project, "accounts.ts"), ACCOUNTS);
      const triggered = await cli("trigger", "accounts.ts", "user.registered", `{"email":"ann@example.com"}`);
      expect(triggered.stdout.trim()).toBe("welcome ann@example.com");
    },
    PATIENCE_MS,
  );
});

describe("package.json", () => {
  test("has the version of src/version.ts", () => {
    expect(version).toBe(manifest.version);
  });

  test("its dependencies are what the source imports, neither more nor less", () => {
    const imported = new Set(sourceFiles().flatMap(({ text }) => packagesIn(text)));
    const declared = [...Object.keys(manifest.dependencies), ...Object.keys(manifest.peerDependencies)];
    expect([...imported].sort()).toEqual(declared.sort());
    expect(manifest.peerDependenciesMeta).toEqual(
      Object.fromEntries(Object.keys(manifest.peerDependencies).map((name) => [name, { optional: true }])),
    );
  });

  test("its development dependencies are imported, or tools that are run", () => {
    const files = ["test", "examples", "build.mjs", "vitest.config.ts"].flatMap(filesBelow);
    const imported = new Set(files.flatMap((path) => packagesIn(readFileSync(join(ROOT, path), "utf8"))));
    const unused = Object.keys(manifest.devDependencies).filter(
      (name) => !imported.has(name) && !TOOLS.includes(name),
    );
    expect(unused).toEqual([]);
  });
});

describe("package-lock.json", () => {
  const text = readFileSync(join(ROOT, "package-lock.json"), "utf8");
  const { packages } = JSON.parse(text) as { packages: Record<string, { optionalDependencies?: object }> }; // npm's format

  test("names no host: each machine has its own registry", () => {
    expect(text).not.toMatch(/"resolved"|https?:\/\/[^"]*\.tgz/);
  });

  test("has the bindings of every platform", () => {
    const missing = Object.entries(packages).flatMap(([path, { optionalDependencies = {} }]) =>
      Object.keys(optionalDependencies).filter((name) => !isInstalled(path, name)),
    );
    expect(missing).toEqual([]);
    expect(Object.keys(packages).filter((path) => path.includes("@esbuild/")).length).toBeGreaterThan(20);
  });

  /** As Node looks for it: beside the package, then in each folder above. */
  function isInstalled(path: string, name: string): boolean {
    for (let at = path; ; at = at.slice(0, Math.max(0, at.lastIndexOf("node_modules/") - 1))) {
      if (`${at}${at && "/"}node_modules/${name}` in packages) return true;
      if (at === "") return false;
    }
  }
});

/** Used without being imported. */
const TOOLS = [
  "@arethetypeswrong/cli",
  "@types/node",
  "@types/pg",
  "@types/ws",
  "@vitest/coverage-v8",
  "node",
  "oxfmt",
  "oxlint",
  "oxlint-tsgolint",
  "typescript",
];

/** One handler of each kind that answers, on a data file, with the testing kit beside it. */
const PROGRAM = `
import { commandOn, createApp, createRegistry, defineEvent, on, reOn } from "decorator-framework";
import { createTestApp } from "decorator-framework/testing";

const OrderPaid = defineEvent("order.paid");
const handled = Promise.withResolvers();
on(OrderPaid).execute(function ship(order) {
  handled.resolve("order " + order.id);
  return "order " + order.id;
});
commandOn("backup", "/backup [mode:full|incremental]").execute(({ mode = "incremental" }) => mode + " backup");
reOn("errors", "content", /ERROR (?<what>.*)/).execute((match) => "seen: " + match.groups.what);

const app = createApp({ engine: "sqlite:data/app.db", log: "warn" });
await app.start();
await app.publish(OrderPaid, { id: 1 });
const results = {
  handled: await handled.promise,
  triggered: await app.trigger(OrderPaid, { id: 2 }),
  reply: (await app.handle("/backup full")).text,
  matched: (await app.match("2026-11-22 ERROR disk full"))[0].value,
};
await app.stop();

const registry = createRegistry();
let ticks = 0;
registry.timeOn("tick", { every: "1h" }).execute(() => void ticks++);
const t = await createTestApp({ registry });
await t.advance("1h");
await t.stop();
console.log(JSON.stringify({ ...results, tested: ticks }));
`;

const ACCOUNTS = `
import { createApp, on } from "decorator-framework";

class Accounts {
  @on("user.registered") welcome(user: { email: string }): string {
    return \`welcome \${user.email}\`;
  }
}

export default createApp({ handlers: [Accounts], engine: "memory:" });
`;

/** Off line there is nothing to install from: the test is left out, but never in CI. */
async function install(project: string, tarball: string, context: TestContext): Promise<void> {
  const options = ["--ignore-scripts", "--prefer-offline", "--no-audit", "--no-fund"];
  try {
    await run("npm", ["install", ...options, tarball], project);
  } catch (error) {
    const offline = /ENOTFOUND|ECONNREFUSED|EAI_AGAIN|ETIMEDOUT|ENETUNREACH/.test(String(error));
    if (!offline || process.env["CI"] === "true") throw error;
    context.skip("npm cannot reach its registry");
  }
}

function run(file: string, args: readonly string[], cwd: string): Promise<{ stdout: string }> {
  const env: NodeJS.ProcessEnv = {
    ...process.env,
    PATH: `${join(ROOT, "node_modules/.bin")}:${process.env["PATH"]}`,
  };
  // What "npm test" tells its scripts would send the npm that they start to the wrong folder.
  for (const name of Object.keys(env))
    if (/^npm_(?:package|lifecycle|config_local_prefix)/.test(name)) delete env[name];
  return promisify(execFile)(file, args, { cwd, env: { ...env, LOG_LEVEL: "warn" }, timeout: PATIENCE_MS });
}

function packagesIn(source: string): string[] {
  const code = source.replace(/\/\*[^]*?\*\//g, "").replace(/^\s*\/\/.*$/gm, "");
  const specifiers = code.matchAll(/\b(?:from|import|require)\s*\(?\s*"([^".][^"]*)"/g);
  return [...specifiers].flatMap(([, specifier = ""]) => {
    const [scope = "", name] = specifier.split("/");
    const found = scope.startsWith("@") ? `${scope}/${name}` : scope;
    return found.startsWith("node:") || found === "decorator-framework" ? [] : [found];
  });
}

function filesBelow(path: string): string[] {
  if (path.includes(".")) return [path];
  return readdirSync(join(ROOT, path), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts"))
    .map((name) => join(path, name));
}

function readJson<T>(path: string): T {
  return JSON.parse(readFileSync(join(ROOT, path), "utf8")) as T; // whatever the caller knows of it
}
