import { describe, expect, test } from "vitest";
import { texts } from "../../../src/engines/postgres/statement.ts";
import { ask, server } from "./server.ts";

describe.skipIf(server.absent !== "")(`an array of texts${server.absent}`, () => {
  test("comes to the server as it is, whatever is in it", async () => {
    const controls = Array.from({ length: 31 }, (_, at) => `${String.fromCharCode(at + 1)}"\\"`);
    const all = [
      "",
      "NULL",
      "{}",
      ",",
      " a ",
      '"',
      "\\",
      '\\"',
      "\\n",
      "ü",
      "中文",
      "😀\\",
      "\u2028",
      "\u007f",
      ...controls,
    ];
    expect(await ask("select unnest($1::text[])", [texts(all)])).toEqual(all.map((text) => [text]));
    expect(await ask("select unnest($1::text[])", [texts([undefined, "x", null])])).toEqual([
      [null],
      ["x"],
      [null],
    ]);
  });
});
