-- The keys that the batch names, from all their versions.
INSERT INTO bronze_events SELECT * FROM landed;
CREATE TEMPORARY TABLE touched ON COMMIT DROP AS SELECT DISTINCT event_id FROM landed;
ANALYZE touched;
CREATE TEMPORARY TABLE winner ON COMMIT DROP AS
SELECT event_id, customer_id, event_type, amount, currency, event_ts, updated_at, op, attributes,
  (event_ts AT TIME ZONE 'UTC')::date AS event_date
FROM (
  SELECT DISTINCT ON (b.event_id) b.* FROM touched AS t JOIN bronze_events AS b ON b.event_id = t.event_id
  ORDER BY b.event_id, b.updated_at DESC, (b.op = 'delete') DESC, b._hash COLLATE "C" DESC
) AS latest
WHERE op <> 'delete';
ANALYZE winner;
CREATE TEMPORARY TABLE silver_change (weight integer NOT NULL, LIKE silver_events) ON COMMIT DROP;
WITH gone AS (
  DELETE FROM silver_events AS s USING touched AS t
  WHERE s.event_id = t.event_id AND NOT EXISTS (SELECT FROM winner AS w WHERE w.event_id = s.event_id AND w.* IS NOT DISTINCT FROM s.*)
  RETURNING s.*
)
INSERT INTO silver_change SELECT -1, gone.* FROM gone;
WITH come AS (
  INSERT INTO silver_events
  SELECT * FROM winner AS w WHERE NOT EXISTS (SELECT FROM silver_events AS s WHERE s.event_id = w.event_id)
  RETURNING *
)
INSERT INTO silver_change SELECT 1, come.* FROM come;
ANALYZE silver_change;
