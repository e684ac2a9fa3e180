import { expect, test } from "vitest";
import { textPairs, textTable, widthOf } from "../../src/operation-commands/text-table.ts";

const more = (left: number): string => `and ${left}`;

test("columns are as wide as their widest cell, where Chinese counts twice", () => {
  const table = textTable({ 任务: ["清理", "a", "中文abc"], 状态: ["开启", "关", ""] }, more);
  expect(table.split("\n")).toEqual(["任务     状态", "清理     开启", "a        关", "中文abc  -"]);
  const starts = table.split("\n").map((line) => widthOf(/^\S+ +/.exec(line)?.[0] ?? ""));
  expect(new Set(starts).size).toBe(1);
});

test("columns without a word in them are left out, long cells and long tables are cut, lines stay lines", () => {
  const many = Array.from({ length: 60 }, (_, at) => `row ${at}`);
  const lines = textTable({ name: many, note: many.map(() => "") }, more).split("\n");
  expect(lines.slice(0, 2)).toEqual(["name", "row 0"]);
  expect(lines).toHaveLength(52);
  expect(lines.at(-1)).toBe("and 10");
  expect(textTable({ a: ["x".repeat(100)] }, more)).toContain(`${"x".repeat(47)}…`);
  expect(textTable({ a: ["长".repeat(30)] }, more)).toBe(`a\n${"长".repeat(23)}…`);
  expect(textTable({ a: ["one\n\u001b[31mtwo\u202e"] }, more)).toBe("a\none [31mtwo");
  expect(textPairs({ a: "1", longer: "2", none: undefined })).toBe("a       1\nlonger  2");
});
