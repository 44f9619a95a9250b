#!/usr/bin/env bash
# Every lint, in the order of its cost: names, oxlint with types, Effect's own diagnostics for each project.
set -uo pipefail

status=0
node scripts/words.ts || status=1
oxlint || status=1
for project in packages/*/tsconfig.json packages/*/test/tsconfig.json packages/*/benchmark/tsconfig.json examples/tsconfig.json; do
  effect-tsgo diagnostics --strict --severity error,warning --format text --project "$project" || status=1
done
exit "$status"
