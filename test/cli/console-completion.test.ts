import { expect, test } from "vitest";
import { complete } from "../../src/cli/console-completion.ts";

const COMMANDS = [
  {
    command: "/user",
    aliases: ["/u"],
    usage: "/user <id:int> <action:ban|unban> [reason...] [--for=duration] [--dry-run]",
  },
  { command: "/db migrate", aliases: [], usage: "/db migrate <to:int>" },
  { command: "/db dump", aliases: [], usage: "/db dump [--format=json|sql] [--tag=string...]" },
  { command: "/天气", aliases: [], usage: "/天气 [城市]" },
];

test.each([
  ["", ["/db ", "/u ", "/user ", "/天气 "], ""],
  ["/", ["/db ", "/u ", "/user ", "/天气 "], "/"],
  ["  /US", ["/user "], "/US"],
  ["/天", ["/天气 "], "/天"],
  ["/nothing", [], "/nothing"],
  ["/db ", ["dump ", "migrate "], ""],
  ["/db M", ["migrate "], "M"],
  ["/db dump --", ["--format=", "--tag="], "--"],
  ["/db dump --format=j", ["--format=json "], "--format=j"],
  ["/db dump --format=xml --f", [], "--f"],
  ["/db dump --tag=a --t", ["--tag="], "--t"],
  ["/u 5 un", ["unban "], "un"],
  ["/user 5 ban --dry-run --", ["--for="], "--"],
  ["/user 5 ban (", [], "("],
  ["/db dump --[=", [], "--[="],
  ["hello wor", [], "wor"],
])("%j goes on with %j", (line, hits, replaced) => {
  expect(complete(line, COMMANDS)).toEqual([hits, replaced]);
});
