/** Gauges whose names end like a counter's: Prometheus' own checker refuses them. */
const MISNAMED = [
  "nodejs_active_handles_total",
  "nodejs_active_requests_total",
  "nodejs_active_resources_total",
];

let registry: Promise<{ metrics(): Promise<string> }> | undefined;

/**
 * CPU, memory, event loop and garbage collection of this process, as Prometheus reads them. They are the process's and
 * not an app's, so all apps of a process share what observes them; it begins when somebody asks first.
 */
export async function processMetrics(): Promise<string> {
  return (await (registry ??= observe())).metrics();
}

async function observe(): Promise<{ metrics(): Promise<string> }> {
  const { collectDefaultMetrics, Registry } = await import("prom-client");
  const register = new Registry();
  collectDefaultMetrics({ register });
  for (const name of MISNAMED) register.removeSingleMetric(name);
  return register;
}
