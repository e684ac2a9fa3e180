// Run as a process of its own by resume.test.ts: follows a file and kills itself with -9 after some lines.
import { appendFileSync, existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { FileFollower } from "../../src/sources/file-follower.ts";

const [file = "", stateFile = "", outFile = "", last = ""] = process.argv.slice(2);
const values = new Map<string, string>(
  existsSync(stateFile) ? Object.entries(JSON.parse(readFileSync(stateFile, "utf8"))) : [],
);
let count = 0;

const follower = new FileFollower({
  file,
  fromStart: true,
  state: {
    get: async (key) => values.get(key),
    async set(key, value) {
      values.set(key, value);
      writeFileSync(`${stateFile}.new`, JSON.stringify(Object.fromEntries(values)));
      renameSync(`${stateFile}.new`, stateFile);
    },
  },
  onLine(line) {
    appendFileSync(outFile, `${line}\n`);
    if (++count === Number(last)) process.kill(process.pid, "SIGKILL");
  },
});
await follower.start();
