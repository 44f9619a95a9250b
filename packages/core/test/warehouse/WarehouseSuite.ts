import type * as Layer from "effect/Layer"
import type { Services } from "./layers.ts"
import * as PartitionSuite from "./PartitionSuite.ts"
import * as WriteSuite from "./WriteSuite.ts"

/** Every warehouse must pass these suites. */
export const suite = (name: string, layer: Layer.Layer<Services, unknown>) => {
  PartitionSuite.suite(name, layer)
  WriteSuite.suite(name, layer)
}
