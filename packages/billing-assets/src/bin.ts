#!/usr/bin/env -S node --max-semi-space-size=16 --heap-growing-percent=100
/**
 * The billing warehouse on the command line: `assay`.
 */
import { enableCompileCache } from "node:module"

// Before anything else is loaded: it takes a third off the time to the first line (0.31 s to 0.22 s for --help).
enableCompileCache()

const Application = await import("./cli/Application.ts")

Application.run()
