import "./zz1.ts"
import "@assay/core/planning/Plan"
