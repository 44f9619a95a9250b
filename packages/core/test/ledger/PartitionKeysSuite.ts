import { PartitionKeys } from "@assay/core/ledger/PartitionKeys"
import { Transactor } from "@assay/core/Transactor"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import { at } from "./layers.ts"

const add = (name: string, keys: ReadonlyArray<string>, time = "10:00:00") =>
  Effect.flatMap(PartitionKeys, (partitionKeys) => partitionKeys.add({ name, keys, at: at(time) }))

const remove = (name: string, keys: ReadonlyArray<string>) =>
  Effect.flatMap(PartitionKeys, (partitionKeys) => partitionKeys.remove({ name, keys }))

const read = (name: string) =>
  Effect.flatMap(PartitionKeys, (partitionKeys) =>
    Effect.map(partitionKeys.read([name]), (found) => found.get(name) ?? [])
  )

const keysOf = (name: string) => Effect.map(read(name), (found) => found.map(({ key }) => key))

/** Every `PartitionKeys` layer must pass this suite. */
export const suite = (name: string, layer: Layer.Layer<PartitionKeys | Transactor, unknown>) =>
  describe(`PartitionKeys (${name})`, () => {
    it.layer(layer)((it) => {
      it.effect("has no keys of a name that nobody has used", () =>
        Effect.gen(function* () {
          const partitionKeys = yield* PartitionKeys
          assert.deepStrictEqual(yield* partitionKeys.read(["nobody"]), new Map([["nobody", []]]))
          assert.deepStrictEqual(yield* partitionKeys.list("nobody"), [])
          assert.deepStrictEqual(yield* remove("nobody", ["a"]), [])
        })
      )

      it.effect("keeps keys in the order in which they were added, with the time of it", () =>
        Effect.gen(function* () {
          const partitionKeys = yield* PartitionKeys
          assert.deepStrictEqual(yield* add("ordered", ["north", "east", "ärea"]), ["north", "east", "ärea"])
          assert.deepStrictEqual(yield* add("ordered", ["a"], "11:00:00"), ["a"])
          assert.deepStrictEqual(
            (yield* partitionKeys.list("ordered")).map(({ addedAt, key }) => [key, addedAt]),
            [
              ["north", at("10:00:00")],
              ["east", at("10:00:00")],
              ["ärea", at("10:00:00")],
              ["a", at("11:00:00")]
            ]
          )
          assert.deepStrictEqual(yield* keysOf("ordered"), ["north", "east", "ärea", "a"])
        })
      )

      it.effect("adds a key once, and leaves one that is there as it is", () =>
        Effect.gen(function* () {
          yield* add("once", ["a", "b"])
          const before = yield* read("once")
          assert.deepStrictEqual(yield* add("once", ["b", "c", "a", "c"], "12:00:00"), ["c"])
          assert.deepStrictEqual((yield* read("once")).slice(0, 2), before)
          assert.deepStrictEqual(yield* keysOf("once"), ["a", "b", "c"])
        })
      )

      it.effect("removes those that are there, and tells which", () =>
        Effect.gen(function* () {
          yield* add("some", ["a", "b", "c"])
          assert.deepStrictEqual(yield* remove("some", ["c", "x", "a"]), ["a", "c"])
          assert.deepStrictEqual(yield* keysOf("some"), ["b"])
        })
      )

      it.effect("gives a key that comes back another revision, behind the others", () =>
        Effect.gen(function* () {
          yield* add("back", ["a", "b"])
          const [first] = yield* read("back")
          yield* remove("back", ["a"])
          yield* add("back", ["a"])
          const found = yield* read("back")
          assert.deepStrictEqual(
            found.map(({ key }) => key),
            ["b", "a"]
          )
          assert.notStrictEqual(found[1]?.revision, first?.revision)
        })
      )

      it.effect("keeps names apart, and reads several at once", () =>
        Effect.gen(function* () {
          const partitionKeys = yield* PartitionKeys
          yield* add("one", ["a"])
          yield* add("two", ["a", "b"])
          yield* remove("two", ["a"])
          const found = yield* partitionKeys.read(["two", "none", "one"])
          assert.deepStrictEqual(
            Array.from(found, ([of, keys]) => [of, keys.map(({ key }) => key)]),
            [
              ["two", ["b"]],
              ["none", []],
              ["one", ["a"]]
            ]
          )
        })
      )

      it.effect("forgets with the transaction what was added and removed in it", () =>
        Effect.gen(function* () {
          const transactor = yield* Transactor
          yield* add("undone", ["a"])
          yield* transactor.rehearse(Effect.andThen(add("undone", ["b"]), remove("undone", ["a"])))
          assert.deepStrictEqual(yield* keysOf("undone"), ["a"])
        })
      )
    })
  })
