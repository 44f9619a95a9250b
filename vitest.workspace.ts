import { defineConfig } from "vitest/config"

// The suffix of a test file decides its lane, so nobody edits a list.
const suffixes = ["integration", "oracle", "concurrency", "crash", "fuzz", "mutation", "types", "docs"]
const folders = "{packages/*/{src,test},scripts}"
const postgres = "packages/core/test/support/Postgres.ts"

// Where a lane has many files, a process that loads Effect anew for each of them costs half a second of a core each time.
const shared = { isolate: false }

const lane = (
  name: string,
  options: { readonly timeout: number; readonly database: boolean; readonly isolate?: boolean }
) => ({
  test: {
    name,
    include: [`${folders}/**/*.${name}.test.ts`],
    globalSetup: options.database ? [postgres] : [],
    isolate: options.isolate ?? true,
    testTimeout: options.timeout,
    hookTimeout: options.timeout
  }
})

const report = process.env["TEST_REPORT"]

export default defineConfig({
  test: {
    maxWorkers: "100%",
    reporters: report === undefined ? ["default"] : ["default", ["json", { outputFile: report }]],
    projects: [
      {
        test: {
          name: "unit",
          include: [`${folders}/**/*.test.ts`],
          exclude: suffixes.map((suffix) => `**/*.${suffix}.test.ts`),
          testTimeout: 60_000,
          ...shared
        }
      },
      lane("integration", { timeout: 300_000, database: true, ...shared }),
      lane("oracle", { timeout: 3_600_000, database: true }),
      lane("concurrency", { timeout: 900_000, database: true }),
      lane("crash", { timeout: 600_000, database: true }),
      lane("fuzz", { timeout: 900_000, database: false }),
      lane("mutation", { timeout: 1_800_000, database: false }),
      lane("types", { timeout: 600_000, database: false }),
      lane("docs", { timeout: 600_000, database: true })
    ]
  }
})
