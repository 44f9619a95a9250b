/**
 * `plan`: what would materializing do, and why? Says it and writes nothing.
 */
import * as Command from "effect/cli/Command"
import * as Effect from "effect/Effect"
import type { Plan } from "../planning/Plan.ts"
import type { Request } from "../planning/Request.ts"
import { Host } from "./Host.ts"
import * as HostReport from "./HostReport.ts"
import * as Json from "./Json.ts"
import * as RequestFlags from "./RequestFlags.ts"
import { Screen, writeLines } from "./Screen.ts"

/**
 * The command.
 *
 * @category commands
 * @since 0.1.0
 */
export const make = (name: string) =>
  Command.make("plan", { ...RequestFlags.request, json: RequestFlags.json }, ({ json, selection, ...input }) =>
    explain(RequestFlags.toRequest(input), { selection, isJson: json })
  ).pipe(
    Command.withDescription("Explain what materialize would do, and why; writes nothing"),
    Command.withExamples([
      { command: `${name} plan --asset gold_revenue --partitions 2024-03`, description: "What is due for one month" },
      { command: `${name} plan --select 'status:failed'`, description: "What a second try of what failed would do" }
    ])
  )

/**
 * Explains a request.
 *
 * @category handlers
 * @since 0.1.0
 */
export const explain = Effect.fnUntraced(function* (
  asked: Request,
  options: { readonly isJson: boolean; readonly selection: RequestFlags.Selection }
) {
  const host = yield* Host
  const { out } = yield* Screen
  const session = yield* host.open
  const PlanReport = yield* Effect.promise(() => import("./PlanReport.ts"))
  const assets = yield* HostReport.select(session, options.selection)
  const isNothing = assets?.length === 0
  const request = { ...asked, assets }
  if (!isNothing) yield* HostReport.check(session, request)
  const plan: Plan = isNothing
    ? { steps: [], upToDate: [], isRehearsed: true }
    : yield* HostReport.blameSetup(session.assay.plan(request))
  if (options.isJson) return yield* out.write(Json.document(PlanReport.document(plan, session.target)))
  yield* writeLines(out, HostReport.header("plan", session, out.style))
  if (isNothing) return yield* writeLines(out, [HostReport.nothingSelected(options.selection)])
  yield* writeLines(out, PlanReport.lines(plan, { style: out.style, width: yield* out.columns }))
  yield* writeLines(out, ["", out.style.dim("Nothing was written.")])
}, Effect.scoped)
