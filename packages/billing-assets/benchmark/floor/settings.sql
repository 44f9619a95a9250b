-- What somebody who tunes one load by hand would set in the session.
SET search_path = ${floor};
SET TimeZone = 'UTC';
SET work_mem = '512MB';
SET maintenance_work_mem = '512MB';
SET max_parallel_workers_per_gather = 2;
SET max_parallel_maintenance_workers = 2;
SET jit = off;
SET synchronous_commit = off;
SET client_min_messages = warning;
