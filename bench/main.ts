/* `npm run bench`: measures the questions that are named, or all, and prints one table. */
import { parseArgs } from "node:util";
import { installPeers } from "./measure/install-peers.ts";
import { ask, questions } from "./measure/question.ts";
import { type Answer, tableOf } from "./measure/table.ts";

const HELP = `Usage: npm run bench -- [NAME…] [options]

Measures us, our peers and the limit (the bare work, with nothing around it) in one sitting.

Questions: ${questions().join(", ")}; all of them unless named.

  --quick     each question within 30 s
  --json      prints one object a row instead of the table
  --no-peers  measures only us and the limit; installs nothing
  --help      prints this

BENCH_MS in the environment: how many milliseconds each in-process row is measured (1000; 300 when quick).`;

process.exitCode = await main(process.argv.slice(2));

async function main(args: readonly string[]): Promise<number> {
  const options = readArgs(args);
  if (typeof options === "string") {
    console.error(options);
    return 2;
  }
  if (options.help) {
    console.log(HELP);
    return 0;
  }
  if (options.peers) installPeers();
  const answers: Answer[] = [];
  let failed = 0;
  for (const question of options.names) {
    if (!options.json) console.error(`measuring ${question} …`);
    try {
      for await (const row of ask(question, options)) {
        answers.push({ question, ...row });
        if (options.json) console.log(JSON.stringify({ question, ...row }));
      }
    } catch (error) {
      failed++;
      console.error(`${question} could not be measured: ${(error as Error).message}`);
    }
  }
  if (!options.json) console.log(tableOf(answers));
  return failed === 0 ? 0 : 1;
}

/** What is asked for; a sentence when it cannot be understood. */
function readArgs(args: readonly string[]) {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      allowNegative: true,
      options: {
        quick: { type: "boolean", default: false },
        json: { type: "boolean", default: false },
        peers: { type: "boolean", default: true },
        help: { type: "boolean", default: false },
      },
    });
    const known = questions();
    const unknown = positionals.filter((name) => !known.includes(name));
    if (unknown.length > 0) return `Not a question: ${unknown.join(", ")}. There are ${known.join(", ")}.`;
    return { ...values, names: positionals.length > 0 ? positionals : known };
  } catch (error) {
    return `${(error as Error).message} See --help.`; // parseArgs throws nothing else
  }
}
