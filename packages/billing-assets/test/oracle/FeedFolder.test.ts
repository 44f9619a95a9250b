import { describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { Event } from "../../../core/test/oracle/Event.ts"
import * as History from "../../../core/test/oracle/History.ts"
import * as Prng from "../../../core/test/oracle/Prng.ts"
import { layerMemory } from "../../../core/test/shop/Storage.ts"
import { billing } from "./BillingSubject.ts"
import type { Act } from "./FeedFolder.ts"
import * as Line from "./Line.ts"

const form = { isCsv: true, isZipped: false, first: 0, lineEnd: "\n", endsOpen: false } as const
const way = { isReplaced: false, restMillis: 0 }
const drain = { _tag: "Drain", concurrency: 1 } as const
const lines = (seed: number) => Line.some(Prng.make(seed))
const act = (act: Act): Event<Act> => ({ _tag: "Act", act })

/** The folder has an empty file besides, at place 0. */
const history = (...events: ReadonlyArray<Event<Act>>) =>
  History.live({ subject: billing, seed: 1, events, watch: { verified: 1 } }).pipe(
    Effect.provide(Layer.fresh(layerMemory)),
    Effect.orDie
  )

describe("a feed file", () => {
  it.effect("that was renamed and has grown lands what is new in it (Verifies: L4)", () =>
    history(
      act({ _tag: "Write", name: "a", form, lines: lines(1), way }),
      drain,
      act({ _tag: "Rename", which: 1, name: "b", way }),
      act({ _tag: "Grow", which: 1, lines: lines(2), way }),
      drain
    )
  )

  it.effect("that was renamed and rewritten lands as a new one (Verifies: L4)", () =>
    history(
      act({ _tag: "Write", name: "a", form, lines: lines(1), way }),
      drain,
      act({ _tag: "Rename", which: 1, name: "b", way }),
      act({ _tag: "Rewrite", which: 1, at: 0, drop: 0, lines: lines(2), way }),
      drain
    )
  )

  it.effect("is not due for being a copy of what another one was before it was rewritten (Verifies: L6)", () =>
    history(
      act({ _tag: "Write", name: "a", form, lines: lines(1), way }),
      drain,
      act({ _tag: "Copy", which: 1, name: "b", isExact: true, way }),
      drain,
      act({ _tag: "Rewrite", which: 1, at: 0, drop: 0, lines: lines(2), way }),
      drain
    )
  )
})
