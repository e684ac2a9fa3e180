import { FrameworkError } from "../errors.ts";
import type { ExitCode } from "./exit-codes.ts";

/** Something that the program's user is told, with the code it ends with. */
export class CliError extends FrameworkError {
  readonly exit: ExitCode;

  constructor(exit: ExitCode, code: string, message: string, options?: ErrorOptions) {
    super(code, message, options);
    this.exit = exit;
  }
}
