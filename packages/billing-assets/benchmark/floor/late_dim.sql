-- Whole customers, of whom an event that says something has changed.
CREATE TEMPORARY TABLE known ON COMMIT DROP AS
SELECT DISTINCT customer_id FROM silver_change
WHERE event_type NOT IN ('invoice_paid', 'refund_issued', 'dispute_opened', 'dispute_won');
ANALYZE known;
CREATE TEMPORARY TABLE said ON COMMIT DROP AS
SELECT s.* FROM known AS k JOIN silver_events AS s ON s.customer_id = k.customer_id;
ANALYZE said;
CREATE TEMPORARY TABLE version_now ON COMMIT DROP AS
${include versions.sql events=said};
ANALYZE version_now;
CREATE TEMPORARY TABLE dim_change (weight integer NOT NULL, LIKE dim_customer) ON COMMIT DROP;
WITH gone AS (
  DELETE FROM dim_customer AS d USING known AS k
  WHERE d.customer_id = k.customer_id AND NOT EXISTS (
    SELECT FROM version_now AS v
    WHERE v.customer_id = d.customer_id AND v.valid_from = d.valid_from AND v.* IS NOT DISTINCT FROM d.*)
  RETURNING d.*
)
INSERT INTO dim_change SELECT -1, gone.* FROM gone;
WITH come AS (
  INSERT INTO dim_customer
  SELECT * FROM version_now AS v
  WHERE NOT EXISTS (SELECT FROM dim_customer AS d WHERE d.customer_id = v.customer_id AND d.valid_from = v.valid_from)
  RETURNING *
)
INSERT INTO dim_change SELECT 1, come.* FROM come;
ANALYZE dim_change;
