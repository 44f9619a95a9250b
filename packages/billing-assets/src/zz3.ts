import { enableCompileCache } from "node:module"
enableCompileCache("/tmp/cc3")
await import("./zz1.ts")
await import("@assay/core/Assay")
await import("@assay/core/postgres/Database")
await import("@assay/core/postgres/EmbeddedPostgres")
await import("@assay/core/source/FileSource")
await import("@assay/billing-assets/BillingGraph")
