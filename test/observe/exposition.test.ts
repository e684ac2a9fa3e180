import { expect, test } from "vitest";
import { histogramSamples, writeFamilies } from "../../src/observe/exposition.ts";

test("writes a family with its help, type and samples", () => {
  const samples = [
    { labels: { handler: "a", status: "ok" }, value: 3 },
    { labels: {}, value: 0.25 },
  ];
  expect(writeFamilies([{ name: "runs_total", type: "counter", help: "Runs.", samples }])).toBe(
    '# HELP runs_total Runs.\n# TYPE runs_total counter\nruns_total{handler="a",status="ok"} 3\nruns_total 0.25\n',
  );
});

test("leaves out a family without samples", () => {
  expect(writeFamilies([{ name: "runs_total", type: "counter", help: "Runs.", samples: [] }])).toBe("");
});

test("escapes what a label may not hold", () => {
  const samples = [{ labels: { handler: 'a"b\\c\nd' }, value: 1 }];
  const text = writeFamilies([{ name: "runs", type: "gauge", help: "Runs.", samples }]);
  expect(text).toContain('runs{handler="a\\"b\\\\c\\nd"} 1\n');
});

test("the buckets of a histogram add up, and end in all", () => {
  const samples = histogramSamples({ handler: "a" }, [0.1, 1], [2, 3, 1], 4.5);
  expect(samples).toEqual([
    { suffix: "_bucket", labels: { handler: "a", le: "0.1" }, value: 2 },
    { suffix: "_bucket", labels: { handler: "a", le: "1" }, value: 5 },
    { suffix: "_bucket", labels: { handler: "a", le: "+Inf" }, value: 6 },
    { suffix: "_sum", labels: { handler: "a" }, value: 4.5 },
    { suffix: "_count", labels: { handler: "a" }, value: 6 },
  ]);
});
