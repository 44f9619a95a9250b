/** What becomes of names and of things in a folder that are not what a feed expects. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, type Scope } from "effect"
import * as ChildProcess from "node:child_process"
import * as Fs from "node:fs/promises"
import { createServer } from "node:net"
import * as Bronze from "./Bronze.ts"
import * as Feed from "./Feed.ts"

const text = (id: string) => `id,amount,note\n${id},1,\n`

const run = <A>(promise: () => Promise<A>): Effect.Effect<A> => Effect.promise(promise)

/** Things that are no files, by what makes them at a path; with what is said of them. */
const strange: ReadonlyArray<{
  readonly name: string
  readonly make: (path: string) => Effect.Effect<unknown, never, Scope.Scope>
  readonly error: string
}> = [
  {
    name: "a pipe",
    make: (path) => Effect.sync(() => ChildProcess.execFileSync("mkfifo", [path])),
    error: "is neither a file nor a folder but a pipe or a device. Remove it."
  },
  {
    name: "a socket",
    make: (path) =>
      Effect.acquireRelease(
        run(
          () =>
            new Promise<ReturnType<typeof createServer>>((resolve) => {
              const server = createServer()
              server.listen(path, () => resolve(server))
            })
        ),
        (server) => run(() => new Promise<void>((resolve) => server.close(() => resolve())))
      ),
    error: "is neither a file nor a folder but a pipe or a device. Remove it."
  },
  {
    name: "a link to a device",
    make: (path) => run(() => Fs.symlink("/dev/zero", path)),
    error: "is neither a file nor a folder but a pipe or a device. Remove it."
  },
  {
    name: "a link to nothing",
    make: (path) => run(() => Fs.symlink("nowhere.csv", path)),
    error: "is a link to nothing. Mend the link, or remove it."
  },
  {
    name: "a link to itself",
    make: (path) => run(() => Fs.symlink(path, path)),
    error: "cannot be read: its links lead in a circle. Mend the links, or remove them."
  }
]

const names: ReadonlyArray<readonly [what: string, name: string]> = [
  ["a line break", "a\nb.csv"],
  ["quotes and blanks", ` "a' b\`.csv`],
  ["what a shell would run", "$(touch x);|&.csv"],
  ["what SQL would run", "'; DROP TABLE bronze; --.csv"],
  ["dots", "a..b...csv"],
  ["backslashes", "a\\..\\..\\b.csv"],
  ["characters of globs", "[a]{b}*?.csv"],
  ["control characters", "\u0001\u001b[31ma.csv"],
  ["emoji and combining marks", "e\u0301\u{1F600}.csv"],
  ["the greatest length", `${"n".repeat(251)}.csv`],
  ["the greatest length in bytes", `${"ü".repeat(125)}.csv`],
  ["percent signs", "%2e%2e%2fa.csv"],
  ["another name of the same bytes as a column", "__proto__.csv"],
  ["an ending in capitals", "A.CSV"]
]

describe("FileSource, path tricks", () => {
  it.effect.each(names)("lands a file whose name has %s, once, under this name (Verifies: L4)", ([, name]) =>
    Effect.gen(function* () {
      const folder = yield* Feed.folder
      yield* Feed.write(folder, name, `${text("x")}y,,\n`)
      for (const path of [folder, `${folder}/*.[cC][sS][vV]`]) {
        const assay = yield* Bronze.open(path)
        const landed = yield* Bronze.land(assay)
        assert.deepStrictEqual(
          [landed.error, landed.kept.map(({ file, line, raw }) => [file, line, raw])],
          [
            undefined,
            [
              [name, 2, "x,1,"],
              [name, 3, "y,,"]
            ]
          ]
        )
        assert.deepStrictEqual(yield* Bronze.land(assay), landed)
      }
    }).pipe(Effect.scoped)
  )

  it.effect.each(strange)(
    "names what is no file, does not wait for it, and lands all when it is gone: $name",
    ({ error, make }) =>
      Effect.gen(function* () {
        const folder = yield* Feed.folder
        yield* Feed.write(folder, "a.csv", text("x"))
        yield* Effect.scoped(
          Effect.gen(function* () {
            yield* make(`${folder}/b.csv`)
            for (const path of [folder, `${folder}/*`, `${folder}/**`]) {
              const landed = yield* Bronze.land(yield* Bronze.open(path))
              assert.include(landed.error, `${folder}/b.csv ${error}`)
              assert.deepStrictEqual(landed.kept, [])
            }
          })
        )
        yield* run(() => Fs.rm(`${folder}/b.csv`, { force: true }))
        const landed = yield* Bronze.land(yield* Bronze.open(folder))
        assert.deepStrictEqual([landed.error, landed.kept.length], [undefined, 1])
      }).pipe(Effect.scoped)
  )

  it.effect.each(strange)("says so when a file has become something else since it was found: $name", ({ make }) =>
    Effect.gen(function* () {
      const folder = yield* Feed.folder
      yield* Feed.write(folder, "a.csv", text("x"))
      const source = Feed.source(folder)
      const [delivery] = yield* source.discover([])
      assert.isDefined(delivery)
      yield* run(() => Fs.rm(`${folder}/a.csv`))
      yield* make(`${folder}/a.csv`)
      const landed = yield* Feed.land({ ...source, discover: () => Effect.succeed([delivery]) })
      assert.deepStrictEqual([landed.rows, landed.rejected, landed.error?.kind], [[], [], "Unreadable"])
      assert.include(landed.error?.message, `${folder}/a.csv`)
      assert.match(landed.error?.message ?? "", /not a file|not there|links lead in a circle/)
    }).pipe(Effect.scoped)
  )

  it.effect("says so when a file has become a folder since it was found", () =>
    Effect.gen(function* () {
      const folder = yield* Feed.folder
      yield* Feed.write(folder, "a.csv", text("x"))
      const source = Feed.source(folder)
      const [delivery] = yield* source.discover([])
      assert.isDefined(delivery)
      yield* run(() => Fs.rm(`${folder}/a.csv`))
      yield* run(() => Fs.mkdir(`${folder}/a.csv`))
      const landed = yield* Feed.land({ ...source, discover: () => Effect.succeed([delivery]) })
      assert.include(landed.error?.message, "is not a file any more. Put the file back")
    }).pipe(Effect.scoped)
  )

  it.effect("does not follow links of folders in a circle, and lands each file once (Verifies: L4)", () =>
    Effect.gen(function* () {
      const folder = yield* Feed.folder
      yield* Feed.write(folder, "deep/er/a.csv", text("x"))
      yield* Feed.write(folder, "folder.csv/b.csv", text("y"))
      yield* run(() => Fs.symlink(folder, `${folder}/deep/up`))
      yield* run(() => Fs.symlink(".", `${folder}/deep/er/self`))
      const landed = yield* Bronze.land(yield* Bronze.open(`${folder}/**`))
      assert.deepStrictEqual(
        [landed.error, landed.kept.map(({ file }) => file)],
        [undefined, ["deep/er/a.csv", "folder.csv/b.csv"]]
      )
    }).pipe(Effect.scoped)
  )

  it.effect("tells origins below the root, however a path goes up and down", () =>
    Effect.gen(function* () {
      const folder = yield* Feed.folder
      yield* Feed.write(folder, "feed/a.csv", text("x"))
      for (const path of ["feed/../feed", "./feed//a.csv", "feed/*/../*.csv", "feed/../../../../../../.."]) {
        const landed = yield* Bronze.land(yield* Bronze.open(`${folder}/${path}`))
        if (path.endsWith("..")) assert.include(landed.error, "holds no data file")
        else
          assert.deepStrictEqual(
            landed.kept.map(({ file }) => file),
            ["a.csv"]
          )
      }
    }).pipe(Effect.scoped)
  )

  it.effect("says what is wrong with a path that no file system would take", () =>
    Effect.gen(function* () {
      const tooLong = yield* Bronze.land(yield* Bronze.open(`/${"a".repeat(300)}.csv`))
      assert.include(tooLong.error, "its path is too long for the file system. Shorten it.")
      const withNul = yield* Bronze.land(yield* Bronze.open("/tmp/a\0.csv"))
      assert.include(withNul.error, "without null bytes")
    }).pipe(Effect.scoped)
  )
})
