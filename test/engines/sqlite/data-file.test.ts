import { describe, expect, test } from "vitest";
import { dataFileOf } from "../../../src/engines/sqlite/data-file.ts";

describe("the URL of a data file", () => {
  test.each([
    ["sqlite:data/app.db", { path: "data/app.db", strict: false }],
    ["sqlite:/var/lib/app.db", { path: "/var/lib/app.db", strict: false }],
    ["sqlite:///var/lib/app.db", { path: "/var/lib/app.db", strict: false }],
    ["SQLite:app.db", { path: "app.db", strict: false }],
    ["sqlite:app.db?synchronous=full", { path: "app.db", strict: true }],
    ["sqlite:app.db?synchronous=normal", { path: "app.db", strict: false }],
  ])("%s", (url, file) => {
    expect(dataFileOf(url)).toEqual(file);
  });

  test.each([
    ["sqlite:", "names no file"],
    ["sqlite://host/app.db", "names no file"],
    ["sqlite::memory:", 'use "memory:"'],
    ["sqlite:app.db?sync=full", 'unknown parameter "sync"'],
    ["sqlite:app.db?synchronous=off", "synchronous=off"],
  ])("%s is refused: %s", (url, fault) => {
    expect(() => dataFileOf(url)).toThrow(expect.objectContaining({ code: "ENGINE_URL_INVALID" }));
    expect(() => dataFileOf(url)).toThrow(fault);
  });
});
