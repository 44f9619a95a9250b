-- One file: the server reads and decompresses it itself, then types and judges its lines. A line's number is its place,
-- for no record of this feed goes over several lines. Only what this feed breaks is judged.
CREATE TEMPORARY TABLE line (
  number bigint GENERATED ALWAYS AS IDENTITY,
  event_id text, customer_id text, event_type text, amount text, currency text, event_ts text, updated_at text, op text,
  attributes text
) ON COMMIT DROP;
COPY line (event_id, customer_id, event_type, amount, currency, event_ts, updated_at, op, attributes)
  FROM PROGRAM 'gzip -dc ''${path}''' WITH (FORMAT csv, HEADER);
INSERT INTO ${target}
SELECT event_id, customer_id, event_type, amount::numeric(20,4), currency, event_ts::timestamptz, updated_at::timestamptz,
  op, attributes::jsonb, '{}', '${file}', number + 1,
  left(encode(sha256(convert_to(concat(
    '["', event_id, '","', customer_id, '","', event_type, '","', amount::numeric(20,4), '",',
    CASE WHEN currency IS NULL THEN 'null' ELSE '"' || currency || '"' END, ',"', replace(event_ts, 'Z', '.000000Z'), '","',
    replace(updated_at, 'Z', '.000000Z'), '","', op, '",', to_json(attributes)::text, ',"{}"]'), 'UTF8')), 'hex'), 32)
FROM (
  SELECT number, event_id, customer_id, event_type, coalesce(amount, '0') AS amount, currency, event_ts, updated_at,
    coalesce(op, 'upsert') AS op, coalesce(attributes, '{}') AS attributes
  FROM line
  WHERE event_id IS NOT NULL AND customer_id IS NOT NULL AND event_ts LIKE '____-__-__T__:__:__Z'
    AND updated_at LIKE '____-__-__T__:__:__Z' AND (op IS NULL OR op IN ('upsert', 'delete'))
    AND CASE
      WHEN event_type IN ('invoice_paid', 'dispute_won') THEN currency IS NOT NULL AND amount ~ '^\d{1,16}(\.\d{1,4})?$'
      WHEN event_type IN ('refund_issued', 'dispute_opened') THEN currency IS NOT NULL AND amount ~ '^-\d{1,16}(\.\d{1,4})?$'
      ELSE event_type IN ('customer_created', 'customer_updated', 'subscription_created', 'plan_upgraded', 'plan_downgraded',
        'subscription_cancelled')
    END
) AS valid;
INSERT INTO quarantine
SELECT '${file}', number + 1, to_jsonb(line), array_remove(ARRAY[
  CASE WHEN event_id IS NULL THEN 'event_id: is missing' END,
  CASE WHEN event_ts NOT LIKE '____-__-__T__:__:__Z' THEN 'event_ts: is not a timestamp' END,
  CASE WHEN op NOT IN ('upsert', 'delete') THEN 'op: is not an operation' END,
  CASE WHEN event_type = 'invoice_voided' THEN 'event_type: is not a known type' END], NULL)
FROM line
WHERE event_id IS NULL OR event_ts NOT LIKE '____-__-__T__:__:__Z' OR op NOT IN ('upsert', 'delete')
  OR event_type = 'invoice_voided';
DROP TABLE line;
