/** The oldest Node that runs the framework: the first with everything it uses. Also in package.json's `engines`. */
const NEEDED = "24.15";

/**
 * What to tell somebody whose Node is too old; undefined when it is not.
 * @param running The version that runs, such as `"24.15.0"`.
 */
export function nodeFault(running: string): string | undefined {
  const [major = 0, minor = 0] = running.split(".").map(Number);
  const [neededMajor = 0, neededMinor = 0] = NEEDED.split(".").map(Number);
  if (major > neededMajor || (major === neededMajor && minor >= neededMinor)) return undefined;
  return (
    `decorator-framework needs Node ${NEEDED} or newer, and this is Node ${running}.\n` +
    `  In a project: npm install --save-dev node@${neededMajor}, then start it through npm (an npm script, or npx), which takes that Node.\n` +
    `  In the repository of decorator-framework itself, npm install brings it along.\n` +
    `  For the whole machine: see https://nodejs.org/en/download.`
  );
}
