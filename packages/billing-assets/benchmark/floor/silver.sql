-- One sort of all versions, by a hash of their key before the key, which is cheaper to compare. To sort only the keys
-- with several versions took twice as long, for these have to be found first.
CREATE TABLE silver_events AS
SELECT event_id, customer_id, event_type, amount, currency, event_ts, updated_at, op, attributes,
  (event_ts AT TIME ZONE 'UTC')::date AS event_date
FROM (
  SELECT DISTINCT ON (hashtextextended(event_id, 0), event_id) *
  FROM bronze_events
  ORDER BY hashtextextended(event_id, 0), event_id, updated_at DESC, (op = 'delete') DESC, _hash COLLATE "C" DESC
) AS winner
WHERE op <> 'delete';
CREATE UNIQUE INDEX silver_key ON silver_events (event_id);
CREATE INDEX silver_customer ON silver_events (customer_id, event_date);
ANALYZE silver_events;
