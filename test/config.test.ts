import { describe, expect, test } from "vitest";
import { rolesOf } from "../src/api-tokens.ts";
import { describeConfig, readConfig } from "../src/config.ts";
import { VARIABLES } from "../src/config-variables.ts";
import { ConfigError } from "../src/errors.ts";

const TOKEN = "0123456789abcdef";

function mistakesOf(env: Record<string, string>): readonly string[] {
  try {
    readConfig(env);
  } catch (error) {
    if (error instanceof ConfigError) return error.mistakes;
    throw error;
  }
  throw new Error("the configuration was accepted");
}

test("without an environment everything has its default", () => {
  expect(readConfig({})).toMatchObject({
    logLevel: "info",
    logDir: undefined,
    logFormat: "auto",
    schedulerEnabled: true,
    heartbeatInterval: 30_000,
    engineUrl: "sqlite:data/app.db",
    port: 8080,
    host: "127.0.0.1",
    apiTokens: [],
    shutdownTimeout: 30_000,
    shutdownDelay: 0,
    lease: 30_000,
    bodyLimit: 1024 * 1024,
    locale: "en",
    warnings: [],
    given: [],
  });
});

test("an empty or blank variable counts as not set", () => {
  expect(readConfig({ PORT: "", LOG_DIR: "  ", API_TOKENS: "" })).toEqual(readConfig({}));
});

test("the configuration cannot be changed", () => {
  const config = readConfig({});
  expect(() => Object.assign(config, { port: 1 })).toThrow(TypeError);
});

describe("what is accepted", () => {
  test.each([
    ["LOG_LEVEL", "INFO", "logLevel", "info"],
    ["LOG_LEVEL", "Warning", "logLevel", "warn"],
    ["LOG_LEVEL", "CRITICAL", "logLevel", "fatal"],
    ["LOG_LEVEL", "silent", "logLevel", "silent"],
    ["LOG_FORMAT", "JSON", "logFormat", "json"],
    ["SCHEDULER_ENABLED", "False", "schedulerEnabled", false],
    ["SCHEDULER_ENABLED", "off", "schedulerEnabled", false],
    ["SCHEDULER_ENABLED", "1", "schedulerEnabled", true],
    ["HEARTBEAT_INTERVAL", "30", "heartbeatInterval", 30_000],
    ["HEARTBEAT_INTERVAL", "1.5", "heartbeatInterval", 1_500],
    ["HEARTBEAT_INTERVAL", "500ms", "heartbeatInterval", 500],
    ["SHUTDOWN_TIMEOUT", "0", "shutdownTimeout", 0],
    ["LEASE", "1m", "lease", 60_000],
    ["ENGINE_URL", "memory:", "engineUrl", "memory:"],
    ["PORT", "0", "port", 0],
    ["PORT", " 65535 ", "port", 65_535],
    ["HOST", "::", "host", "::"],
    ["BODY_LIMIT", "64KB", "bodyLimit", 65_536],
    ["BODY_LIMIT", "2048", "bodyLimit", 2_048],
    ["LOCALE", "ZH", "locale", "zh"],
  ] as const)("%s=%s", (name, text, key, value) => {
    const config = readConfig({ [name]: text });
    expect(config[key]).toBe(value);
    expect(config.given).toEqual([name]);
  });
});

describe("what is refused", () => {
  test.each([
    ["LOG_LEVEL", "loud"],
    ["LOG_FORMAT", "xml"],
    ["SCHEDULER_ENABLED", "maybe"],
    ["HEARTBEAT_INTERVAL", "often"],
    ["HEARTBEAT_INTERVAL", "0"],
    ["HEARTBEAT_INTERVAL", "-5s"],
    ["ENGINE_URL", "data/app.db"],
    ["PORT", "65536"],
    ["PORT", "80.5"],
    ["PORT", "-1"],
    ["PORT", "http"],
    ["HOST", "not a host"],
    ["SHUTDOWN_TIMEOUT", "5 minutes"],
    ["LEASE", "0.5s"],
    ["BODY_LIMIT", "big"],
    ["BODY_LIMIT", "0"],
    ["LOCALE", "fr"],
  ])("%s=%s names the variable, its value and what is accepted", (name, text) => {
    const [mistake, ...more] = mistakesOf({ [name]: text });
    const accepted = Object.values(VARIABLES).find((variable) => variable.name === name)?.accepted ?? "none";
    expect(mistake).toBe(`${name} is ${JSON.stringify(text)}. It must be ${accepted}.`);
    expect(more).toEqual([]);
  });

  test("every mistake is listed at once", () => {
    const mistakes = mistakesOf({ PORT: "x", LEASE: "y", LOG_LEVEL: "z", LOCALE: "zh" });
    expect(mistakes.map((mistake) => mistake.split(" ")[0])).toEqual(["LOG_LEVEL", "PORT", "LEASE"]);
    expect(() => readConfig({ PORT: "x", LEASE: "y" })).toThrow(/2 mistakes[^]*PORT is[^]*LEASE is/);
  });
});

describe("API_TOKENS", () => {
  test("a token without roles has all, and one with roles has those", () => {
    const { apiTokens } = readConfig({
      API_TOKENS: `${TOKEN}, ${TOKEN}-2:read, ${TOKEN}-3:operate+publish,`,
    });
    expect(rolesOf(TOKEN, apiTokens)).toEqual(["read", "publish", "operate"]);
    expect(rolesOf(`${TOKEN}-2`, apiTokens)).toEqual(["read"]);
    expect(rolesOf(`${TOKEN}-3`, apiTokens)).toEqual(["publish", "operate"]);
    expect(rolesOf(`${TOKEN}-4`, apiTokens)).toBeUndefined();
  });

  test("each mistake is told by its place, and nothing of a token is", () => {
    const secrets = ["tooshort", "with spaces in the token", "aaaaaaaaaaaaaaaa:bbbbbbbb", "cccccccccccccccc"];
    const mistakes = mistakesOf({ API_TOKENS: [...secrets, "cccccccccccccccc"].join(",") });
    expect(mistakes).toEqual([
      expect.stringMatching(/^API_TOKENS: entry 1 .*fewer than 16/),
      expect.stringMatching(/^API_TOKENS: entry 2 .*character other than/),
      expect.stringMatching(/^API_TOKENS: entry 3 .*the roles are read, publish, operate/),
      expect.stringMatching(/^API_TOKENS: entry 5 .*twice/),
    ]);
    for (const secret of ["tooshort", "with spaces", "aaaa", "bbbb", "cccc"]) {
      expect(mistakes.join("\n")).not.toContain(secret);
    }
  });

  test("roles of commands stand beside publish; slips in our own names, and halves of secrets, are mistakes", () => {
    const { apiTokens } = readConfig({ API_TOKENS: `${TOKEN}:publish+Moderator+值班+publish+Moderator` });
    expect(rolesOf(TOKEN, apiTokens)).toEqual(["publish", "Moderator", "值班"]);
    for (const roles of [
      "moderator",
      "read+moderator",
      "publish+opreate",
      "publish+Reed",
      "publish+a b",
      "publish+",
      "",
    ])
      expect(mistakesOf({ API_TOKENS: `${TOKEN}:${roles}` })).toEqual([
        expect.stringContaining("something else than roles"),
      ]);
  });

  test("a list without a token is a mistake", () => {
    expect(mistakesOf({ API_TOKENS: " , " })).toEqual([expect.stringContaining("has no token in it")]);
  });

  test("the configuration does not hold the tokens", () => {
    expect(JSON.stringify(readConfig({ API_TOKENS: TOKEN }))).not.toContain(TOKEN);
  });
});

describe("warnings", () => {
  test.each([
    ["LOGLEVEL", "LOG_LEVEL"],
    ["SCHEDULER_ENABLE", "SCHEDULER_ENABLED"],
    ["HEARTBEAT_INTERVALL", "HEARTBEAT_INTERVAL"],
    ["ENGIN_URL", "ENGINE_URL"],
    ["API_TOKEN", "API_TOKENS"],
    ["port", "PORT"],
  ])("%s is taken for a slip of %s", (written, meant) => {
    const { warnings } = readConfig({ [written]: "1" });
    expect(warnings).toEqual([expect.stringMatching(new RegExp(`^${written} .*Did you mean ${meant}\\?$`))]);
  });

  test("ordinary variables of others are not spoken of", () => {
    const others = [
      "HOME",
      "PATH",
      "POST",
      "HOSTNAME",
      "LOGNAME",
      "TERM",
      "SHELL",
      "LANG",
      "NODE_ENV",
      "npm_config_port",
    ];
    expect(readConfig(Object.fromEntries(others.map((name) => [name, "x"]))).warnings).toEqual([]);
  });
});

describe("describeConfig", () => {
  test("has a row for each variable, with its source", () => {
    const rows = describeConfig(readConfig({ PORT: "9090", LEASE: "90", BODY_LIMIT: "2mb" }));
    expect(rows.map(({ name }) => name)).toEqual(Object.values(VARIABLES).map(({ name }) => name));
    const shown = Object.fromEntries(rows.map(({ name, value, source }) => [name, `${value} ${source}`]));
    expect(shown).toMatchObject({
      PORT: "9090 env",
      LEASE: "1m30s env",
      BODY_LIMIT: "2mb env",
      LOG_DIR: " default",
      HEARTBEAT_INTERVAL: "30s default",
    });
    for (const row of rows) expect(row.accepted.length * row.description.length).toBeGreaterThan(0);
  });

  test("each default is written as its variable is read", () => {
    const env = Object.fromEntries(describeConfig(readConfig({})).map(({ name, value }) => [name, value]));
    expect({ ...readConfig(env), given: [] }).toEqual(readConfig({}));
  });

  test("hides tokens and passwords", () => {
    const url = "postgres://app:hunter2@db:5432/app?sslpassword=hunter2&x=1";
    const text = JSON.stringify(describeConfig(readConfig({ API_TOKENS: `${TOKEN}:read`, ENGINE_URL: url })));
    expect(text).not.toContain(TOKEN);
    expect(text).not.toContain("hunter2");
    expect(text).toContain("postgres://app:***@db:5432/app?sslpassword=***&x=1");
    expect(text).toContain("***:read");
  });
});
