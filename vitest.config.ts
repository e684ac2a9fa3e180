import { transform } from "esbuild";
import { defineConfig } from "vitest/config";

// vite's own transformer (oxc) leaves TC39 decorators as they are, and Node cannot parse them: esbuild lowers them.
const decorators = {
  name: "tc39-decorators",
  enforce: "pre" as const,
  async transform(code: string, id: string) {
    const file = id.split("?")[0] ?? id;
    if (!/\.[cm]?tsx?$/.test(file)) return;
    const result = await transform(code, {
      loader: "ts",
      sourcefile: file,
      sourcemap: "external",
      target: "node24",
      format: "esm",
    });
    return { code: result.code, map: result.map };
  },
};

export default defineConfig({
  oxc: false,
  plugins: [decorators],
  resolve: {
    alias: [
      { find: /^decorator-framework$/, replacement: `${import.meta.dirname}/src/index.ts` },
      { find: /^decorator-framework\/(\w+)$/, replacement: `${import.meta.dirname}/src/$1/index.ts` },
    ],
  },
  test: {
    include: ["test/**/*.test.ts", "examples/**/*.test.ts"],
    reporters: ["default", "./test/closing-line.ts"],
    testTimeout: 30_000,
    // What a machine that stands still has kept waiting for too long is waited for once more, and the closing lines name it.
    // A wrong result is never tried again.
    retry: { count: 1, condition: /did not say in time|^Test timed out/ },
    // A busy machine is no failure.
    expect: { poll: { timeout: 20_000 } },
    coverage: { provider: "v8", include: ["src/**"] },
  },
});
