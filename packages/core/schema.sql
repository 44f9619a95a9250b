-- The ledger: everything Assay remembers between runs, as the migrations in src/ledger/Migrations.ts leave it.
-- Written by `pnpm schema:dump`; the name of the database schema is a setting, "assay" is the default.
-- Migrations, each with the MD5 of its statements, which never changes once it is released:
--   1  3f1c91a2f1883506a42babd3962009ca  stale sets
--   2  d9f33c211791d3709697c00c79912b59  runs
--   3  2acff5dcb0ac08f128395a1e4a515c0d  landings
--   4  1b9ff4c7e10036565f8c061d24f3a58a  outbox
--   5  add44163cbbaa71045c4a152948dfee7  automation
--   6  7ebd70a424a10c7efe13a03cb6abd278  built sets
--   7  df7a7088c92b22ee9b6014b0770161df  position revisions
--   8  7a378ccb96cdf75f1ba9a7269a1c6bcf  partition keys
--   9  2dd70f2dfc57671e69034850fb429836  backfills
--   10  eea21e45f3547419b0cf4a5262e4a8c4  logged marks
--   11  5970481354bb3fe183422246735bb80a  logged ranges

CREATE SCHEMA assay;

CREATE TABLE assay.asset (
  asset text COLLATE "C" NOT NULL,
  code_version text NOT NULL,
  reads text[] NOT NULL,
  registered_at timestamp with time zone NOT NULL,
  CONSTRAINT asset_pkey PRIMARY KEY (asset)
);
COMMENT ON TABLE assay.asset IS 'The assets that the ledger knows.';
COMMENT ON COLUMN assay.asset.asset IS 'Name of the asset.';
COMMENT ON COLUMN assay.asset.code_version IS 'Version of the code that its stale set answers for.';
COMMENT ON COLUMN assay.asset.reads IS 'The assets whose changes make it stale, views left out.';
COMMENT ON COLUMN assay.asset.registered_at IS 'When the asset became known with this code.';

CREATE TABLE assay.automation_cursor (
  asset text COLLATE "C" NOT NULL,
  definition text NOT NULL,
  evaluated_at timestamp with time zone NOT NULL,
  seen pg_snapshot NOT NULL,
  parts json NOT NULL,
  CONSTRAINT automation_cursor_pkey PRIMARY KEY (asset)
) WITH (fillfactor=80);
COMMENT ON TABLE assay.automation_cursor IS 'What the last evaluation of an asset''s condition left behind.';
COMMENT ON COLUMN assay.automation_cursor.asset IS 'The asset.';
COMMENT ON COLUMN assay.automation_cursor.definition IS 'Hash of its condition and its partitions; what is remembered of others is void.';
COMMENT ON COLUMN assay.automation_cursor.evaluated_at IS 'When it was evaluated.';
COMMENT ON COLUMN assay.automation_cursor.seen IS 'What was committed then: what is not visible in it is newly updated.';
COMMENT ON COLUMN assay.automation_cursor.parts IS 'Of which units parts of the condition were true, where it asks for that.';

CREATE TABLE assay.automation_failure (
  asset text COLLATE "C" NOT NULL,
  unit text COLLATE "C" NOT NULL,
  version text NOT NULL,
  is_check boolean NOT NULL,
  tries integer NOT NULL,
  retry_at timestamp with time zone,
  CONSTRAINT automation_failure_pkey PRIMARY KEY (asset, unit)
);
COMMENT ON TABLE assay.automation_failure IS 'Units that a daemon has requested in vain.';
COMMENT ON COLUMN assay.automation_failure.asset IS 'The asset.';
COMMENT ON COLUMN assay.automation_failure.unit IS 'The unit: a partition key, or * for the whole asset.';
COMMENT ON COLUMN assay.automation_failure.version IS 'State of its marks when it was requested; another one is a reason to try again.';
COMMENT ON COLUMN assay.automation_failure.is_check IS 'Whether a blocking check failed.';
COMMENT ON COLUMN assay.automation_failure.tries IS 'How often it was requested in this state.';
COMMENT ON COLUMN assay.automation_failure.retry_at IS 'When it is tried again by itself; null where only a change can help.';

CREATE TABLE assay.automation_request (
  asset text COLLATE "C" NOT NULL,
  run_id text NOT NULL,
  partitions json NOT NULL,
  watcher text NOT NULL,
  requested_at timestamp with time zone NOT NULL,
  CONSTRAINT automation_request_pkey PRIMARY KEY (run_id, asset)
);
COMMENT ON TABLE assay.automation_request IS 'What daemons have requested and not finished yet.';
COMMENT ON COLUMN assay.automation_request.asset IS 'The requested asset.';
COMMENT ON COLUMN assay.automation_request.run_id IS 'The run that carries it out.';
COMMENT ON COLUMN assay.automation_request.partitions IS 'The requested partitions.';
COMMENT ON COLUMN assay.automation_request.watcher IS 'The daemon that carries it out, alive while it holds the lock of this name.';
COMMENT ON COLUMN assay.automation_request.requested_at IS 'When it was requested.';

CREATE TABLE assay.backfill (
  backfill_id text COLLATE "C" NOT NULL,
  status text NOT NULL,
  selection text NOT NULL,
  partitions text,
  only_units text[] NOT NULL,
  max_concurrent integer NOT NULL,
  requested_by text NOT NULL,
  why text NOT NULL,
  started_at timestamp with time zone NOT NULL,
  heartbeat_at timestamp with time zone NOT NULL,
  finished_at timestamp with time zone,
  CONSTRAINT backfill_pkey PRIMARY KEY (backfill_id),
  CONSTRAINT backfill_status_check CHECK ((status = ANY (ARRAY['running'::text, 'succeeded'::text, 'failed'::text, 'cancelled'::text])))
) WITH (fillfactor=70);
CREATE INDEX backfill_latest ON assay.backfill USING btree (started_at, backfill_id);
COMMENT ON INDEX assay.backfill_latest IS 'The latest backfills (Backfills.list).';
COMMENT ON TABLE assay.backfill IS 'What was to be built of the past, once.';
COMMENT ON COLUMN assay.backfill.backfill_id IS 'Id of the backfill.';
COMMENT ON COLUMN assay.backfill.status IS 'State of the backfill; running also while no process works on it.';
COMMENT ON COLUMN assay.backfill.selection IS 'The assets as they were selected.';
COMMENT ON COLUMN assay.backfill.partitions IS 'The range of partitions as it was asked for; null where none was.';
COMMENT ON COLUMN assay.backfill.only_units IS 'The states that units had to be in; empty where any would do.';
COMMENT ON COLUMN assay.backfill.max_concurrent IS 'The most runs at once, over all processes.';
COMMENT ON COLUMN assay.backfill.requested_by IS 'Who or what asked for it.';
COMMENT ON COLUMN assay.backfill.why IS 'Why it was asked for.';
COMMENT ON COLUMN assay.backfill.started_at IS 'When it began.';
COMMENT ON COLUMN assay.backfill.heartbeat_at IS 'Last sign of life of a process that works on it.';
COMMENT ON COLUMN assay.backfill.finished_at IS 'When it ended; null while it is running.';

CREATE TABLE assay.backfill_asset (
  backfill_id text COLLATE "C" NOT NULL,
  asset text COLLATE "C" NOT NULL,
  place integer NOT NULL,
  target json NOT NULL,
  requested json NOT NULL,
  built json NOT NULL,
  failed json NOT NULL,
  failures json NOT NULL,
  run_id text,
  process text,
  CONSTRAINT backfill_asset_pkey PRIMARY KEY (backfill_id, asset)
) WITH (fillfactor=50);
COMMENT ON TABLE assay.backfill_asset IS 'How far a backfill is with each of its assets, as sets of units.';
COMMENT ON COLUMN assay.backfill_asset.backfill_id IS 'The backfill.';
COMMENT ON COLUMN assay.backfill_asset.asset IS 'The asset.';
COMMENT ON COLUMN assay.backfill_asset.place IS 'Place of the asset in the graph, upstream before downstream.';
COMMENT ON COLUMN assay.backfill_asset.target IS 'The units to be built.';
COMMENT ON COLUMN assay.backfill_asset.requested IS 'Those of them that were handed to a run.';
COMMENT ON COLUMN assay.backfill_asset.built IS 'Those of them that were built.';
COMMENT ON COLUMN assay.backfill_asset.failed IS 'Those of them that could not be built, and what is made of such units.';
COMMENT ON COLUMN assay.backfill_asset.failures IS 'Why units could not be built; units that only lie downstream have no entry.';
COMMENT ON COLUMN assay.backfill_asset.run_id IS 'The run that is under way; null where there is none.';
COMMENT ON COLUMN assay.backfill_asset.process IS 'The process that carries it out, there while it holds the lock of this name.';

CREATE TABLE assay.built_set (
  asset text COLLATE "C" NOT NULL,
  code_version text,
  definition text,
  ranges json,
  CONSTRAINT built_set_pkey PRIMARY KEY (asset)
) WITH (fillfactor=80);
COMMENT ON TABLE assay.built_set IS 'What is built of partitioned assets, as ranges, where ranges can say all of it.';
COMMENT ON COLUMN assay.built_set.asset IS 'The asset.';
COMMENT ON COLUMN assay.built_set.code_version IS 'Version of the code that built all of its units.';
COMMENT ON COLUMN assay.built_set.definition IS 'Hash of its partitions; the ranges of others mean something else.';
COMMENT ON COLUMN assay.built_set.ranges IS 'First and last key of each range; null where only the materializations tell.';

CREATE TABLE assay.materialization (
  asset text COLLATE "C" NOT NULL,
  unit text COLLATE "C" NOT NULL,
  rows bigint NOT NULL,
  content_hash text NOT NULL,
  code_version text NOT NULL,
  run_id text NOT NULL,
  materialized_at timestamp with time zone NOT NULL,
  transaction_id xid8,
  CONSTRAINT materialization_pkey PRIMARY KEY (asset, unit)
) WITH (fillfactor=80);
COMMENT ON TABLE assay.materialization IS 'The last materialization of every unit.';
COMMENT ON COLUMN assay.materialization.asset IS 'The asset.';
COMMENT ON COLUMN assay.materialization.unit IS 'The unit: a partition key, the text of a key, or * for the whole table.';
COMMENT ON COLUMN assay.materialization.rows IS 'Rows of the unit.';
COMMENT ON COLUMN assay.materialization.content_hash IS 'Hash of the content of the unit.';
COMMENT ON COLUMN assay.materialization.code_version IS 'Version of the code that built it.';
COMMENT ON COLUMN assay.materialization.run_id IS 'The run that built it.';
COMMENT ON COLUMN assay.materialization.materialized_at IS 'When it was built.';
COMMENT ON COLUMN assay.materialization.transaction_id IS 'The transaction that recorded it; tells what is newer than a snapshot.';

CREATE TABLE assay.migration (
  id integer NOT NULL,
  name text NOT NULL,
  CONSTRAINT migration_pkey PRIMARY KEY (id)
);
COMMENT ON TABLE assay.migration IS 'The migrations that made this ledger.';
COMMENT ON COLUMN assay.migration.id IS 'Number of the migration.';
COMMENT ON COLUMN assay.migration.name IS 'What it is about.';

CREATE TABLE assay.outbox (
  transaction_id xid8 NOT NULL DEFAULT pg_current_xact_id(),
  id bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
  event json NOT NULL,
  CONSTRAINT outbox_pkey PRIMARY KEY (transaction_id, id)
);
COMMENT ON TABLE assay.outbox IS 'Events to be told outside; deleted when they were.';
COMMENT ON COLUMN assay.outbox.transaction_id IS 'The transaction that wrote the event; it is read when all transactions up to this one have ended.';
COMMENT ON COLUMN assay.outbox.id IS 'Order of the events within their transaction.';
COMMENT ON COLUMN assay.outbox.event IS 'The event.';

CREATE TABLE assay.partition_key (
  name text COLLATE "C" NOT NULL,
  key text COLLATE "C" NOT NULL,
  revision bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
  added_at timestamp with time zone NOT NULL,
  CONSTRAINT partition_key_pkey PRIMARY KEY (name, key)
);
COMMENT ON TABLE assay.partition_key IS 'The keys of dynamic partitions, which are added and removed at run time.';
COMMENT ON COLUMN assay.partition_key.name IS 'The name that the assets which are cut by the keys share.';
COMMENT ON COLUMN assay.partition_key.key IS 'The key.';
COMMENT ON COLUMN assay.partition_key.revision IS 'Order of adding; a key that was removed and is added again has another one.';
COMMENT ON COLUMN assay.partition_key.added_at IS 'When it was added.';

CREATE TABLE assay."position" (
  asset text COLLATE "C" NOT NULL,
  origin text COLLATE "C" NOT NULL,
  value jsonb NOT NULL,
  landed_at timestamp with time zone NOT NULL,
  revision bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
  CONSTRAINT position_pkey PRIMARY KEY (asset, origin)
) WITH (fillfactor=80);
CREATE INDEX position_revision ON assay."position" USING btree (asset, revision);
COMMENT ON INDEX assay.position_revision IS 'The last move of an asset''s positions (Positions.revision).';
COMMENT ON TABLE assay."position" IS 'How far each origin was landed.';
COMMENT ON COLUMN assay."position".asset IS 'The source asset.';
COMMENT ON COLUMN assay."position".origin IS 'A file, a table, whatever the source delivers from.';
COMMENT ON COLUMN assay."position".value IS 'The position; only the source knows what it means.';
COMMENT ON COLUMN assay."position".landed_at IS 'When it was reached.';
COMMENT ON COLUMN assay."position".revision IS 'Number of the move that reached it, greater with each move; tells whether anything of the asset was landed since.';

CREATE TABLE assay.quarantine (
  id bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
  asset text COLLATE "C" NOT NULL,
  origin text COLLATE "C" NOT NULL,
  line bigint NOT NULL,
  raw text NOT NULL,
  raw_is_json boolean NOT NULL,
  raw_hash text NOT NULL,
  reasons text[] NOT NULL,
  context json NOT NULL,
  run_id text NOT NULL,
  quarantined_at timestamp with time zone NOT NULL,
  retried_at timestamp with time zone,
  released_at timestamp with time zone,
  released_by text,
  CONSTRAINT quarantine_pkey PRIMARY KEY (id)
);
CREATE UNIQUE INDEX quarantine_identity ON assay.quarantine USING btree (asset, origin, line, raw_hash) WHERE (released_at IS NULL);
COMMENT ON INDEX assay.quarantine_identity IS 'A row waits once (Quarantine.add); the hash stands for the text, which may be too long for an index.';
CREATE INDEX quarantine_waiting ON assay.quarantine USING btree (asset, id) WHERE (released_at IS NULL);
COMMENT ON INDEX assay.quarantine_waiting IS 'The waiting rows of an asset in order (Quarantine.list, Quarantine.count); released rows weigh nothing here.';
CREATE INDEX quarantine_waiting_all ON assay.quarantine USING btree (id) WHERE (released_at IS NULL);
COMMENT ON INDEX assay.quarantine_waiting_all IS 'The waiting rows of all assets in order (Quarantine.list, Quarantine.count).';
COMMENT ON TABLE assay.quarantine IS 'Rows that could not land, each with every reason.';
COMMENT ON COLUMN assay.quarantine.id IS 'Id of the row in quarantine.';
COMMENT ON COLUMN assay.quarantine.asset IS 'The asset that it could not land in.';
COMMENT ON COLUMN assay.quarantine.origin IS 'Where it came from.';
COMMENT ON COLUMN assay.quarantine.line IS 'The line on which it begins, from 1.';
COMMENT ON COLUMN assay.quarantine.raw IS 'The row as it came.';
COMMENT ON COLUMN assay.quarantine.raw_is_json IS 'Whether raw is written as a JSON string, because text cannot hold it: it has a NUL or half a character.';
COMMENT ON COLUMN assay.quarantine.raw_hash IS 'MD5 of the row as it came.';
COMMENT ON COLUMN assay.quarantine.reasons IS 'Why it was rejected.';
COMMENT ON COLUMN assay.quarantine.context IS 'What the source needs to read it again.';
COMMENT ON COLUMN assay.quarantine.run_id IS 'The run that rejected it.';
COMMENT ON COLUMN assay.quarantine.quarantined_at IS 'When it was rejected first.';
COMMENT ON COLUMN assay.quarantine.retried_at IS 'When it was last read again in vain.';
COMMENT ON COLUMN assay.quarantine.released_at IS 'When it landed after all; null while it waits.';
COMMENT ON COLUMN assay.quarantine.released_by IS 'The run that landed it after all.';

CREATE TABLE assay.run (
  run_id text COLLATE "C" NOT NULL,
  status text NOT NULL,
  assets text[] NOT NULL,
  partitions text,
  requested_by text NOT NULL,
  why text NOT NULL,
  started_at timestamp with time zone NOT NULL,
  heartbeat_at timestamp with time zone NOT NULL,
  finished_at timestamp with time zone,
  error text,
  CONSTRAINT run_pkey PRIMARY KEY (run_id),
  CONSTRAINT run_status_check CHECK ((status = ANY (ARRAY['running'::text, 'succeeded'::text, 'failed'::text, 'skipped'::text, 'cancelled'::text])))
) WITH (fillfactor=70);
CREATE INDEX run_latest ON assay.run USING btree (started_at, run_id);
COMMENT ON INDEX assay.run_latest IS 'The latest runs (Runs.list).';
CREATE INDEX run_running ON assay.run USING btree (run_id) WHERE (status = 'running'::text);
COMMENT ON INDEX assay.run_running IS 'The runs that may be dead, a handful among all (Runs.abandon).';
COMMENT ON TABLE assay.run IS 'The executions of plans.';
COMMENT ON COLUMN assay.run.run_id IS 'Id of the run.';
COMMENT ON COLUMN assay.run.status IS 'State of the run.';
COMMENT ON COLUMN assay.run.assets IS 'The assets of the plan.';
COMMENT ON COLUMN assay.run.partitions IS 'The range of partitions as it was asked for; null where none was.';
COMMENT ON COLUMN assay.run.requested_by IS 'Who or what asked for the run.';
COMMENT ON COLUMN assay.run.why IS 'Why it was asked for.';
COMMENT ON COLUMN assay.run.started_at IS 'When the run began.';
COMMENT ON COLUMN assay.run.heartbeat_at IS 'Last sign of life of the process that executes the run.';
COMMENT ON COLUMN assay.run.finished_at IS 'When the run ended; null while it is running.';
COMMENT ON COLUMN assay.run.error IS 'Why the run failed or was cancelled.';

CREATE TABLE assay.stale_range (
  asset text COLLATE "C" NOT NULL,
  version bigint NOT NULL,
  from_unit text COLLATE "C",
  cause text NOT NULL,
  marked_at timestamp with time zone NOT NULL,
  is_logged boolean NOT NULL DEFAULT false,
  CONSTRAINT stale_range_pkey PRIMARY KEY (asset, version)
);
COMMENT ON TABLE assay.stale_range IS 'Units whose content may differ from the full refresh, as ranges without a list.';
COMMENT ON COLUMN assay.stale_range.asset IS 'The stale asset.';
COMMENT ON COLUMN assay.stale_range.version IS 'Version of the mark; a step clears only the version that it picked.';
COMMENT ON COLUMN assay.stale_range.from_unit IS 'The first stale unit; null where every unit is stale.';
COMMENT ON COLUMN assay.stale_range.cause IS 'Why the units are stale.';
COMMENT ON COLUMN assay.stale_range.marked_at IS 'When they were marked.';
COMMENT ON COLUMN assay.stale_range.is_logged IS 'Whether all rows whose change marked it are in the change logs of the asset, so that their difference can be added.';

CREATE TABLE assay.stale_unit (
  asset text COLLATE "C" NOT NULL,
  unit text COLLATE "C" NOT NULL,
  version bigint NOT NULL,
  cause text NOT NULL,
  marked_at timestamp with time zone NOT NULL,
  is_logged boolean NOT NULL DEFAULT false,
  CONSTRAINT stale_unit_pkey PRIMARY KEY (asset, unit)
);
CREATE INDEX stale_unit_logged_idx ON assay.stale_unit USING btree (asset) WHERE is_logged;
COMMENT ON INDEX assay.stale_unit_logged_idx IS 'The marks whose changes a step has just used up (StaleSets.clear).';
COMMENT ON TABLE assay.stale_unit IS 'Units whose content may differ from the full refresh, one by one.';
COMMENT ON COLUMN assay.stale_unit.asset IS 'The stale asset.';
COMMENT ON COLUMN assay.stale_unit.unit IS 'The stale unit: a partition key, the text of a key, or * for the whole table.';
COMMENT ON COLUMN assay.stale_unit.version IS 'Version of the mark; a step clears only the version that it picked.';
COMMENT ON COLUMN assay.stale_unit.cause IS 'Why the unit is stale.';
COMMENT ON COLUMN assay.stale_unit.marked_at IS 'When it was marked last.';
COMMENT ON COLUMN assay.stale_unit.is_logged IS 'Whether all rows whose change marked it are in the change logs of the asset, so that their difference can be added.';

CREATE TABLE assay.step (
  run_id text COLLATE "C" NOT NULL,
  step_index integer NOT NULL,
  asset text COLLATE "C" NOT NULL,
  status text NOT NULL,
  kind text NOT NULL,
  attempts integer NOT NULL,
  units bigint NOT NULL,
  rows_read bigint NOT NULL,
  rows_inserted bigint NOT NULL,
  rows_updated bigint NOT NULL,
  rows_deleted bigint NOT NULL,
  rows_unchanged bigint NOT NULL,
  rows_quarantined bigint NOT NULL,
  duration_ms double precision NOT NULL,
  error text,
  reason text,
  why text NOT NULL,
  code_version text NOT NULL,
  started_at timestamp with time zone NOT NULL,
  finished_at timestamp with time zone,
  CONSTRAINT step_pkey PRIMARY KEY (run_id, step_index),
  CONSTRAINT step_kind_check CHECK ((kind = ANY (ARRAY['land'::text, 'build'::text]))),
  CONSTRAINT step_status_check CHECK ((status = ANY (ARRAY['running'::text, 'succeeded'::text, 'failed'::text, 'skipped'::text, 'cancelled'::text])))
);
CREATE INDEX step_latest ON assay.step USING btree (asset, started_at, run_id, step_index);
COMMENT ON INDEX assay.step_latest IS 'The latest step of an asset, whatever the number of runs (Runs.lastOf).';
COMMENT ON TABLE assay.step IS 'What each run did to each of its assets.';
COMMENT ON COLUMN assay.step.run_id IS 'The run.';
COMMENT ON COLUMN assay.step.step_index IS 'Place of the step in the plan, from 0.';
COMMENT ON COLUMN assay.step.asset IS 'The asset that the step materializes.';
COMMENT ON COLUMN assay.step.status IS 'State of the step.';
COMMENT ON COLUMN assay.step.kind IS 'Whether rows come from outside or from the inputs.';
COMMENT ON COLUMN assay.step.attempts IS 'How often the step was tried.';
COMMENT ON COLUMN assay.step.units IS 'How many units it rebuilt.';
COMMENT ON COLUMN assay.step.rows_read IS 'Rows read from the source.';
COMMENT ON COLUMN assay.step.rows_inserted IS 'Rows that are new in the table.';
COMMENT ON COLUMN assay.step.rows_updated IS 'Rows that changed in the table.';
COMMENT ON COLUMN assay.step.rows_deleted IS 'Rows that are gone from the table.';
COMMENT ON COLUMN assay.step.rows_unchanged IS 'Rows that were computed and found as they were.';
COMMENT ON COLUMN assay.step.rows_quarantined IS 'Rows that were rejected.';
COMMENT ON COLUMN assay.step.duration_ms IS 'How long it took, in milliseconds.';
COMMENT ON COLUMN assay.step.error IS 'Why the step failed, was skipped or cancelled.';
COMMENT ON COLUMN assay.step.reason IS 'Tag of the reason for which the step failed, or UpstreamFailed.';
COMMENT ON COLUMN assay.step.why IS 'Why the plan has the step.';
COMMENT ON COLUMN assay.step.code_version IS 'Version of the asset''s code.';
COMMENT ON COLUMN assay.step.started_at IS 'When the step began.';
COMMENT ON COLUMN assay.step.finished_at IS 'When it ended; null while it is running.';

CREATE SEQUENCE assay.stale_version AS bigint START WITH 1 INCREMENT BY 1 CACHE 1;
COMMENT ON SEQUENCE assay.stale_version IS 'The versions of marks. A mark that is made again gets a higher one.';
ALTER TABLE assay.backfill_asset ADD CONSTRAINT backfill_asset_backfill_id_fkey FOREIGN KEY (backfill_id) REFERENCES assay.backfill(backfill_id) ON DELETE CASCADE;
ALTER TABLE assay.step ADD CONSTRAINT step_run_id_fkey FOREIGN KEY (run_id) REFERENCES assay.run(run_id) ON DELETE CASCADE;
