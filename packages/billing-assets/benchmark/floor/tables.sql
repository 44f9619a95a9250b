CREATE TABLE bronze_events (
  event_id text NOT NULL, customer_id text NOT NULL, event_type text NOT NULL, amount numeric(20,4) NOT NULL, currency text,
  event_ts timestamptz NOT NULL, updated_at timestamptz NOT NULL, op text NOT NULL, attributes jsonb NOT NULL,
  extra jsonb NOT NULL, _file text NOT NULL, _line bigint NOT NULL, _hash text NOT NULL
);
CREATE TABLE quarantine (_file text NOT NULL, _line bigint NOT NULL, raw jsonb NOT NULL, reasons text[] NOT NULL);
CREATE TABLE landed (LIKE bronze_events);
-- Merges what events say of a customer, the later one over the earlier.
CREATE AGGREGATE merged(jsonb) (SFUNC = jsonb_concat, STYPE = jsonb, INITCOND = '{}');
