import { enableCompileCache } from "node:module"
enableCompileCache("/tmp/cc")
await import("./zz1.ts")
