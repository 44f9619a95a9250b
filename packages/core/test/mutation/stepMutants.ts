/**
 * What can go wrong in a step and in the ledger: what is marked, cleared, held and recorded, and in which transaction.
 */
import type { Mutant } from "./Mutant.ts"
import * as Net from "./Net.ts"

const materializer = "packages/core/src/execution/Materializer.ts"
const lander = "packages/core/src/execution/Lander.ts"
const builder = "packages/core/src/execution/Builder.ts"
const registration = "packages/core/src/execution/Registration.ts"
const sqlStaleSets = "packages/core/src/ledger/SqlStaleSets.ts"
const staleSets = "packages/core/src/ledger/StaleSets.ts"
const postgres = "packages/core/src/postgres/Postgres.ts"

export const mutants: ReadonlyArray<Mutant> = [
  {
    name: "marks after the commit",
    laws: ["L2", "L3"],
    because: "marks have a transaction of their own after that of the rows, and a death in between loses them",
    edits: [
      {
        file: materializer,
        find: 'staleSets.mark({ asset: to, units, isLogged, cause: { _tag: "Upstream", asset: asset.name }, at })',
        replace:
          'Effect.sync(() => void late.push({ asset: to, units, cause: { _tag: "Upstream", asset: asset.name }, at }))'
      },
      {
        file: materializer,
        find: 'yield* FaultPoint.pass("afterCommit")',
        replace:
          'yield* FaultPoint.pass("afterCommit")\n  for (const mark of late.splice(0)) yield* transactor.transact(staleSets.mark(mark))'
      },
      { file: materializer, find: "// --- internal ---", replace: "const late = []\n" }
    ],
    net: Net.memoryHistories
  },
  {
    name: "row count cut-off",
    laws: ["L1", "L6"],
    because: "a unit counts as unchanged while its number of rows stays the same, so new content reaches nobody",
    edits: [
      {
        file: materializer,
        find: "if (written.inserted + written.updated + written.deleted === 0) return",
        replace: "if (written.inserted === written.deleted) return"
      }
    ],
    net: Net.postgres(/recomputes exactly what one changed amount reaches/)
  },
  {
    name: "no shared hold",
    laws: ["L1", "L2"],
    because: "a dimension's step does not hold the facts, so a fact that is just being added is looked up in neither",
    edits: [
      { file: materializer, find: '...read.map((name): Lock => ({ asset: name, mode: "shared" }))', replace: "" }
    ],
    net: Net.writeSkew
  },
  {
    name: "own asset only shared",
    laws: ["L8"],
    because: "two runners build the same units at once, each from what it saw",
    edits: [
      {
        file: materializer,
        find: '{ asset: asset.name, mode: "exclusive" }',
        replace: '{ asset: asset.name, mode: "shared" }'
      }
    ],
    net: Net.postgres(/materialize the same thing at once/)
  },
  {
    name: "snapshot before the lock",
    laws: ["L2"],
    because: "a step sees the state from before its lock, and misses what was committed while it waited",
    edits: [
      { file: postgres, find: 'transact: within("READ COMMITTED")', replace: 'transact: within("REPEATABLE READ")' }
    ],
    net: Net.interleaving(/is not lost to customer_cards in its second build/)
  },
  {
    name: "the session's time zone",
    laws: ["L5"],
    because: "transactions take the time zone of the server instead of UTC",
    edits: [{ file: postgres, find: "set_config('TimeZone', 'UTC', true)", replace: "current_setting('TimeZone')" }],
    net: Net.session
  },
  {
    name: "the session's date style",
    laws: ["L5"],
    because: "transactions take the date style of the server instead of ISO",
    edits: [
      { file: postgres, find: "set_config('DateStyle', 'ISO, YMD', true)", replace: "current_setting('DateStyle')" }
    ],
    net: Net.session
  },
  {
    name: "checks after the commit",
    laws: ["L11"],
    because: "rows that a blocking check refuses are visible already",
    edits: [
      { file: materializer, find: "yield* checked(asset, picked)", replace: "[]" },
      {
        file: materializer,
        find: 'yield* FaultPoint.pass("afterCommit")',
        replace:
          'if (result !== undefined) yield* checked(asset, { units: { _tag: "All" }, partitions: [] })\n  yield* FaultPoint.pass("afterCommit")'
      }
    ],
    net: Net.postgres(/of a blocking check keeps the rows, the marks and the dependants/)
  },
  {
    name: "checks that only warn",
    laws: ["L11"],
    because: "a landing goes through although a blocking check refuses it",
    edits: [
      {
        file: lander,
        find: "yield* Materializer.checked(asset, { units: all, partitions: [] })",
        replace: "yield* Effect.orElseSucceed(Materializer.checked(asset, { units: all, partitions: [] }), () => [])"
      }
    ],
    net: Net.postgres(/that a blocking check refuses lands nothing of the batch/)
  },
  {
    name: "no fence against old code",
    laws: ["L8"],
    because: "a process whose definition is out of date overwrites newer results",
    edits: [
      {
        file: materializer,
        find: "if (own?.codeVersion === asset.codeVersion) return",
        replace: "if (own !== undefined) return"
      }
    ],
    net: Net.postgres(/that is older than what another process runs by now writes nothing/)
  },
  {
    name: "readers of another graph unmarked",
    laws: ["L2"],
    because: "an asset that only another process's graph knows stays fresh when its upstream changes",
    edits: [
      {
        file: materializer,
        find: "if (!isOurs) marks.push({ asset: reader.asset, units: all, isLogged: false })",
        replace: ""
      }
    ],
    net: Net.postgres(/that does not know an asset makes it stale all the same/)
  },
  {
    name: "nothing behind views",
    laws: ["L1", "L2"],
    because: "a change ends at a view, and what reads the view stays fresh",
    edits: [
      {
        file: materializer,
        find: 'if (downstream.write._tag !== "View") return [{ to: downstream, reached: wholeWhereOnlyOne(downstream, units) }]',
        replace:
          'return downstream.write._tag === "View" ? [] : [{ to: downstream, reached: wholeWhereOnlyOne(downstream, units) }]'
      }
    ],
    net: Net.memoryHistories
  },
  {
    name: "landing without a transaction",
    laws: ["L3", "L4"],
    because: "the position is kept although what follows dies, and the rows of the batch never land",
    edits: [
      {
        file: lander,
        find: "const outbox = yield* Outbox\n  return yield* transactor.transact(",
        replace: "const outbox = yield* Outbox\n  return yield* ("
      }
    ],
    net: Net.memoryHistories
  },
  {
    name: "quarantine after the commit",
    laws: ["L3", "L4"],
    because: "rejected rows have a transaction of their own, and a death in between loses them",
    edits: [
      {
        file: lander,
        find: "yield* quarantine.add({ asset: asset.name, runId, at, rows: batch.rejected })",
        replace: "batch.rejected.length"
      },
      {
        file: lander,
        find: 'yield* FaultPoint.pass("landing.afterCommit")',
        replace:
          'yield* FaultPoint.pass("landing.afterCommit")\n      yield* (yield* Quarantine).add({ asset: from.asset.name, runId: options.runId, at: yield* DateTime.now, rows: batch.rejected })'
      }
    ],
    net: Net.landing
  },
  {
    name: "positions move unconditionally",
    laws: ["L4", "L8"],
    because: "of two processes that land the same file, under one name or two, each believes that the batch is its own",
    edits: [{ file: lander, find: "if (!isOurs) {", replace: "if (!isOurs && false) {" }],
    net: Net.redelivery
  },
  {
    name: "last unit of a step dropped",
    laws: ["L1", "L2"],
    because: "of the partitions that a step picks the last is cleared without being built",
    edits: [
      {
        file: sqlStaleSets,
        find: "const partitions = selection.units.filter(({ unit }) => chosen.has(unit))",
        replace:
          "const partitions = selection.units.filter(({ unit }) => chosen.has(unit)).slice(0, Math.max(1, chosen.size - 1))"
      }
    ],
    net: Net.postgres(/recomputes exactly|builds only the partitions asked for|a tier heard of late/)
  },
  {
    name: "last step of keys dropped",
    laws: ["L1"],
    because: "the keys of the last, smaller step stay stale although the run says that it succeeded",
    edits: [
      {
        file: builder,
        find: "left = units === 0 ? 0 : left - units",
        replace: "left = units === 0 || left - units < units ? 0 : left - units"
      }
    ],
    net: Net.memoryHistories
  },
  {
    name: "withdrawn partitions unnoticed",
    laws: ["L1", "L2"],
    because: "a definition takes partitions back, and what reads the asset is not told that their rows are gone",
    edits: [
      {
        file: "packages/core/src/execution/Withdrawal.ts",
        find: "yield* Materializer.propagate({ graph, asset, written, at })",
        replace: ""
      }
    ],
    net: Net.definitions
  },
  {
    name: "code changes unseen",
    laws: ["L1"],
    because: "an asset stays fresh when its definition changes",
    edits: [
      {
        file: sqlStaleSets,
        find: "return known?.code_version !== codeVersion || known.reads",
        replace: "return known === undefined || known.reads"
      }
    ],
    net: Net.postgres(/that changed is run again/)
  },
  {
    name: "code changes not marked",
    laws: ["L1"],
    because: "a changed definition is registered, and nothing becomes stale",
    edits: [
      {
        file: sqlStaleSets,
        find: "if (known?.code_version === codeVersion || (known === undefined && isPartitioned)) continue",
        replace: "if (known !== undefined || isPartitioned) continue"
      }
    ],
    net: Net.postgres(/that changed is run again/)
  },
  {
    name: "registration without locks",
    laws: ["L2", "L8"],
    because: "a step does not know a reader that registers and is built while it is at work, and does not tell it",
    edits: [
      {
        file: registration,
        find: 'yield* transactor.lock(Materializer.inOrder(concerned.map((asset) => ({ asset, mode: "exclusive" }))))',
        replace: ""
      }
    ],
    net: Net.registration
  },
  {
    name: "clears without comparing versions",
    laws: ["L2"],
    because: "a unit that was marked again while it was built counts as fresh",
    edits: [
      {
        file: sqlStaleSets,
        find: "s.unit = p.unit AND s.version = p.version`",
        replace: "s.unit = p.unit`"
      }
    ],
    net: Net.interleaving(/is not lost to customer_cards in its second build/)
  },
  {
    name: "marks again without a new version",
    laws: ["L2"],
    because: "a mark that meets an older one keeps its version, and the step under way clears both",
    edits: [
      { file: sqlStaleSets, find: "DO UPDATE SET version = excluded.version, cause", replace: "DO UPDATE SET cause" }
    ],
    net: Net.interleaving(/is not lost to customer_cards in its second build/)
  },
  {
    name: "a first build outruns its marks",
    laws: ["L2"],
    because: "what comes in during the first build is covered by a range, which this build then clears",
    edits: [
      {
        file: sqlStaleSets,
        find: "UPDATE ${tables.range} SET version = ${tables.nextVersion}\n",
        replace: "UPDATE ${tables.range} SET version = version\n"
      },
      {
        file: sqlStaleSets,
        find: "UPDATE ${tables.range} SET cause = ${opened}",
        replace: "UPDATE ${tables.range} SET cause = cause"
      }
    ],
    net: Net.interleaving(/is not lost to silver_orders in its first build/)
  },
  {
    name: "the flag stays",
    laws: ["L6"],
    because: "a full rebuild forgets to clear the range that stands for everything, and every run builds all again",
    edits: [
      { file: sqlStaleSets, find: "if (step.versions.length > 0) {", replace: "if (step.versions.length < 0) {" }
    ],
    net: Net.postgres(/does nothing and records nothing where nothing is new/)
  },
  {
    name: "the flag goes although marks came",
    laws: ["L2"],
    because: "a full rebuild clears the ranges that were marked while it was at work",
    edits: [{ file: sqlStaleSets, find: "AND version = ANY(${step.versions}::bigint[])", replace: "" }],
    net: Net.wholeBuild
  },
  {
    name: "a range forgets its first partition",
    laws: ["L1", "L7"],
    because: "what is stale from a partition on is expanded to the partitions behind it",
    edits: [
      {
        file: sqlStaleSets,
        find: "from_unit === null || unit >= from_unit",
        replace: "from_unit === null || unit > from_unit"
      }
    ],
    net: Net.postgres(/of ranges that became stale is exact/)
  },
  {
    name: "the flag stays (memory)",
    laws: ["L6"],
    because: "a full rebuild in memory forgets to clear the range that stands for everything",
    edits: [
      {
        file: staleSets,
        find: "ranges: current.ranges.filter(({ version }) => !versions.has(JSON.stringify([version])))",
        replace: "ranges: current.ranges"
      }
    ],
    net: Net.memory(/does nothing and records nothing where nothing is new/)
  },
  {
    name: "nothing is undone (memory)",
    laws: ["L3"],
    because: "a failed transaction in memory keeps what it wrote",
    edits: [
      {
        file: "packages/core/src/Transactor.ts",
        find: "keep(exit) ? undefined : restore()",
        replace: "void [keep, exit, restore]"
      }
    ],
    net: Net.memoryHistories
  }
]
