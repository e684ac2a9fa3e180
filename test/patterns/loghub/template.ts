/** What a template of a log line is made into. */
export interface TemplatePattern {
  readonly pattern: RegExp;
  /** How many characters of it are given: of two templates that fit a line, the one that gives more says more. */
  readonly specificity: number;
}

/**
 * Makes a pattern of a log template as parsers of logs write them: `<*>` stands for anything, the rest for itself. Runs of
 * blanks fit runs of blanks, since parsers join what stands apart.
 *
 * @example
 * templatePattern("session opened for user <*> by (uid=<*>)").pattern.test("session opened for user root by (uid=0)"); // true
 */
export function templatePattern(template: string): TemplatePattern {
  const parts = template.trim().split(/(?:<\*>)+/);
  const source = parts
    .map((part) => part.replace(/[\\^$.*+?()[\]{}|/-]/g, "\\$&").replace(/\s+/g, "\\s+"))
    .join("(.*?)");
  const specificity = parts.join("").replace(/\s+/g, "").length;
  return { pattern: new RegExp(`^\\s*${source}\\s*$`), specificity };
}
