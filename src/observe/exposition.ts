/** The labels of a sample. Their values must be bounded: handlers and tasks are, what comes from outside is not. */
export type Labels = Readonly<Record<string, string>>;

/** One number. */
export interface Sample {
  readonly labels: Labels;
  readonly value: number;
  /** `_bucket`, `_sum` or `_count` of a histogram. */
  readonly suffix?: string;
}

/** All samples of one name. */
export interface Family {
  readonly name: string;
  readonly type: "counter" | "gauge" | "histogram";
  /** One sentence. */
  readonly help: string;
  readonly samples: readonly Sample[];
}

/** The content type of what {@link writeFamilies} writes. */
export const EXPOSITION_TYPE = "text/plain; version=0.0.4; charset=utf-8";

/**
 * Writes metrics as Prometheus reads them; families without samples are left out.
 * @see https://prometheus.io/docs/instrumenting/exposition_formats/
 */
export function writeFamilies(families: readonly Family[]): string {
  let text = "";
  for (const { name, type, help, samples } of families) {
    if (samples.length === 0) continue;
    text += `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n`;
    for (const { labels, value, suffix = "" } of samples) {
      text += `${name}${suffix}${writeLabels(labels)} ${value}\n`;
    }
  }
  return text;
}

/**
 * The samples of a histogram.
 *
 * @param bounds The upper bounds of the buckets, in the unit of the metric.
 * @param counts How many fell into each bucket alone, and last how many were above all bounds.
 */
export function histogramSamples(
  labels: Labels,
  bounds: readonly number[],
  counts: ArrayLike<number>,
  sum: number,
): Sample[] {
  let count = 0;
  const samples: Sample[] = [];
  for (let bucket = 0; bucket <= bounds.length; bucket++) {
    count += counts[bucket] ?? 0;
    const le = bucket < bounds.length ? String(bounds[bucket]) : "+Inf";
    samples.push({ suffix: "_bucket", labels: { ...labels, le }, value: count });
  }
  samples.push({ suffix: "_sum", labels, value: sum }, { suffix: "_count", labels, value: count });
  return samples;
}

/** A number that goes up and down. */
export function gauge(name: string, help: string, samples: readonly Sample[]): Family {
  return { name, type: "gauge", help, samples };
}

/** A number that only grows. Its name ends in `_total`. */
export function counter(name: string, help: string, samples: readonly Sample[]): Family {
  return { name, type: "counter", help, samples };
}

function writeLabels(labels: Labels): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escape(value)}"`);
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
}

function escape(value: string): string {
  return value.replace(/[\\"\n]/g, (character) => (character === "\n" ? "\\n" : `\\${character}`));
}
