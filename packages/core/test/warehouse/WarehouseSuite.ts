import type * as Layer from "effect/Layer"
import type { Services } from "./layers.ts"
import * as CheckSuite from "./CheckSuite.ts"
import * as LastSuite from "./LastSuite.ts"
import * as MappingSuite from "./MappingSuite.ts"
import * as MultiSuite from "./MultiSuite.ts"
import * as NameSuite from "./NameSuite.ts"
import * as PartitionSuite from "./PartitionSuite.ts"
import * as ReachSuite from "./ReachSuite.ts"
import * as Scd2Suite from "./Scd2Suite.ts"
import * as TieSuite from "./TieSuite.ts"
import * as VerifySuite from "./VerifySuite.ts"
import * as WriteSuite from "./WriteSuite.ts"

/** Every warehouse must pass these suites. */
export const suite = (name: string, layer: Layer.Layer<Services, unknown>) => {
  CheckSuite.suite(name, layer)
  LastSuite.suite(name, layer)
  MappingSuite.suite(name, layer)
  MultiSuite.suite(name, layer)
  NameSuite.suite(name, layer)
  PartitionSuite.suite(name, layer)
  ReachSuite.suite(name, layer)
  Scd2Suite.suite(name, layer)
  TieSuite.suite(name, layer)
  VerifySuite.suite(name, layer)
  WriteSuite.suite(name, layer)
}
