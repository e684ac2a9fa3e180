/* Whether the tables of README.md and README.zh-CN.md have the whole guide in them, and tell the truth about the files. */

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, normalize } from "node:path";
import { describe, expect, test } from "vitest";

const STATES = {
  "README.md": /^(works$|partly; open: |open: )/,
  "README.zh-CN.md": /^(可用$|部分；未完成：|未完成：)/,
};

/** Every function, class, file or command that the guide shows, by the name it has there. */
const SNIPPETS = [
  ["handle_user_registration", "monitor_system", "health_check", "detect_errors"],
  ["handle_login", "backup_database", "backup_command", "FRAMEWORK_CONFIG", "LOGGING_CONFIG"],
  ["Dockerfile", "docker-compose.yml", "deployment.yaml", "track_user_action", "alerts.yaml"],
  ["handle_user_command", "rate_limited_api", "retry_on_exception", "critical_database_operation"],
  [
    "handle_failed_task",
    "send_to_dlq",
    "ConnectionPool",
    "make_http_request",
    "cached_calculation",
    "cache_command",
  ],
  ["test_user_registration", "test_command_handler", "test_full_workflow", "kubectl apply", "python -c"],
  [
    "ClassNucleus.get_registry",
    "curl http://your-domain/health",
    "production_final.py",
    "QUICK_START_CORRECT.py",
  ],
].flat();

describe.each(Object.entries(STATES))("%s", (page, states) => {
  const rows = rowsOf(page);

  test("has the 27 systems of the guide, each with its snippets, files, tests and state", () => {
    expect(rows.map(({ number }) => number)).toEqual(Array.from({ length: 27 }, (_, at) => String(at + 1)));
    for (const { number, section, snippets, files, tests, state } of rows) {
      expect(section, `row ${number}`).not.toBe("");
      expect(snippets.length, `snippets of row ${number}`).toBeGreaterThan(0);
      expect(files.length, `files of row ${number}`).toBeGreaterThan(0);
      expect(tests.length, `tests of row ${number}`).toBeGreaterThan(0);
      expect(state, `state of row ${number}`).toMatch(states);
    }
  });

  test("names every snippet of the guide", () => {
    const named = rows.flatMap(({ snippets }) => snippets);
    expect(SNIPPETS.filter((snippet) => !named.includes(snippet))).toEqual([]);
  });

  test("names files that exist, and every program and test of this folder", () => {
    const named = rows.flatMap(({ files, tests }) => [...files, ...tests]).map(normalize);
    expect(named.filter((file) => !existsSync(join(import.meta.dirname, file)))).toEqual([]);
    const here = readdirSync(import.meta.dirname);
    expect(here.filter((file) => !named.includes(file))).toEqual([]);
  });
});

test("both pages say the same of each row: snippets, files, tests, and whether it works", () => {
  const facts = (page: string, words: readonly string[]) =>
    rowsOf(page).map((row) => ({
      ...row,
      section: undefined, // said in each language's own words
      state: words.findIndex((word) => row.state.startsWith(word)),
    }));
  expect(facts("README.zh-CN.md", ["可用", "部分", "未完成"])).toEqual(
    facts("README.md", ["works", "partly", "open"]),
  );
});

test("both pages give the same commands under as many headings", () => {
  const [english, chinese] = Object.keys(STATES).map((page) => {
    const text = readFileSync(join(import.meta.dirname, page), "utf8");
    return { commands: text.match(/```sh\n[^`]*```/g), headings: text.match(/^#+ /gm) };
  });
  expect(chinese).toEqual(english);
});

function rowsOf(page: string) {
  const text = readFileSync(join(import.meta.dirname, page), "utf8");
  return text
    .split("\n")
    .filter((line) => /^\| \d+ +\|/.test(line))
    .map((line) => {
      const [, number = "", section = "", snippets = "", files = "", tests = "", state = ""] = line
        .split("|")
        .map((cell) => cell.trim());
      return {
        number,
        section,
        snippets: inside(snippets, /`([^`]+)`/g),
        files: linksIn(files),
        tests: linksIn(tests),
        state,
      };
    });
}

function linksIn(cell: string): string[] {
  return inside(cell, /\]\(([^)]+)\)/g);
}

function inside(cell: string, pattern: RegExp): string[] {
  return [...cell.matchAll(pattern)].map(([, text = ""]) => text);
}
