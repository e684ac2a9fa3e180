import type { Command } from "commander";
import { describeConfig, readConfig } from "../config.ts";
import { outputOf, withCommonOptions } from "./command-options.ts";
import { paint } from "./output.ts";

/** `config`: shows the configuration that is in effect. */
export function addConfig(program: Command): void {
  withCommonOptions(program.command("config"))
    .summary("show the configuration that the environment gives")
    .description(
      "Checks the environment and shows what is in effect, with what each variable accepts. Secrets are hidden.\n" +
        "Every mistake is listed. What an app passes to createApp() comes before the environment.",
    )
    .addHelpText("after", EXAMPLES)
    .action(run);
}

const EXAMPLES = `
Examples:
  decorator-framework config
  LOG_LEVEL=debug PORT=9090 decorator-framework config --json
`;

async function run(_options: object, command: Command): Promise<void> {
  const output = outputOf(command);
  const config = readConfig();
  const rows = describeConfig(config);
  if (output.json) return output.data({ config: rows, warnings: config.warnings });
  await output.table(
    ["NAME", "VALUE", "SOURCE", "ACCEPTED"],
    rows.map(({ name, value, source, accepted }) => [name, value || "-", source, accepted]),
  );
  for (const warning of config.warnings) {
    process.stderr.write(`${paint("yellow", "warning:", process.stderr)} ${warning}\n`);
  }
}
