-- Every measure is a sum over customers, also how many of them pay. So the difference is what the customers concerned
-- give now, less what they gave before: on the days of their changed events, and on all days where their versions changed.
CREATE TEMPORARY TABLE versioned ON COMMIT DROP AS SELECT DISTINCT customer_id FROM dim_change;
ANALYZE versioned;
CREATE TEMPORARY TABLE payer_day ON COMMIT DROP AS
SELECT DISTINCT customer_id, event_date FROM silver_change AS c
WHERE event_type IN ('invoice_paid', 'refund_issued', 'dispute_opened', 'dispute_won') AND event_date >= '${start}'
  AND NOT EXISTS (SELECT FROM versioned AS v WHERE v.customer_id = c.customer_id);
ANALYZE payer_day;
CREATE TEMPORARY TABLE paid ON COMMIT DROP AS
WITH now AS (
  SELECT s.event_id, s.customer_id, s.event_type, s.amount, s.currency, s.event_ts, s.event_date
  FROM payer_day AS p JOIN silver_events AS s ON s.customer_id = p.customer_id AND s.event_date = p.event_date
  WHERE s.event_type IN ('invoice_paid', 'refund_issued', 'dispute_opened', 'dispute_won')
  UNION ALL
  SELECT s.event_id, s.customer_id, s.event_type, s.amount, s.currency, s.event_ts, s.event_date
  FROM versioned AS v JOIN silver_events AS s ON s.customer_id = v.customer_id
  WHERE s.event_type IN ('invoice_paid', 'refund_issued', 'dispute_opened', 'dispute_won') AND s.event_date >= '${start}'
)
SELECT 1 AS weight, now.* FROM now
UNION ALL
SELECT -1, now.* FROM now WHERE event_id NOT IN (SELECT event_id FROM silver_change WHERE weight = 1)
UNION ALL
SELECT -1, event_id, customer_id, event_type, amount, currency, event_ts, event_date FROM silver_change
WHERE weight = -1 AND event_type IN ('invoice_paid', 'refund_issued', 'dispute_opened', 'dispute_won') AND event_date >= '${start}';
ANALYZE paid;
CREATE TEMPORARY TABLE held ON COMMIT DROP AS
WITH now AS (
  SELECT d.customer_id, d.valid_from, d.valid_to, d.segment, d.plan_type, d.customer_sk
  FROM (SELECT customer_id FROM versioned UNION SELECT customer_id FROM payer_day) AS p
  JOIN dim_customer AS d ON d.customer_id = p.customer_id
)
SELECT 1 AS weight, now.* FROM now
UNION ALL
SELECT -1, now.* FROM now WHERE customer_sk NOT IN (SELECT customer_sk FROM dim_change WHERE weight = 1)
UNION ALL
SELECT -1, customer_id, valid_from, valid_to, segment, plan_type, customer_sk FROM dim_change WHERE weight = -1;
ANALYZE held;
CREATE TEMPORARY TABLE gold_delta ON COMMIT DROP AS
SELECT revenue_date, currency, segment, plan_type, sum(weight * invoices)::bigint AS invoice_count,
  sum(weight * gross) AS gross_amount, sum(weight * refunds)::bigint AS refund_count, sum(weight * refunded) AS refund_amount,
  sum(weight * disputed) AS dispute_amount, sum(weight * net) AS net_amount,
  sum(CASE WHEN invoices > 0 THEN weight ELSE 0 END)::bigint AS paying_customers, sum(weight * events)::bigint AS events
FROM (
  SELECT e.weight, e.event_date AS revenue_date, e.currency,
    CASE WHEN c.customer_id IS NULL THEN 'unknown' ELSE coalesce(c.segment, 'none') END AS segment,
    CASE WHEN c.customer_id IS NULL THEN 'unknown' ELSE coalesce(c.plan_type, 'none') END AS plan_type,
    count(*) FILTER (WHERE event_type = 'invoice_paid') AS invoices,
    coalesce(sum(amount) FILTER (WHERE event_type = 'invoice_paid'), 0) AS gross,
    count(*) FILTER (WHERE event_type = 'refund_issued') AS refunds,
    coalesce(sum(amount) FILTER (WHERE event_type = 'refund_issued'), 0) AS refunded,
    coalesce(sum(amount) FILTER (WHERE event_type IN ('dispute_opened', 'dispute_won')), 0) AS disputed,
    sum(amount) AS net, count(*) AS events
  FROM paid AS e
  LEFT JOIN held AS c ON c.customer_id = e.customer_id AND c.weight = e.weight
    AND c.valid_from <= e.event_ts AND (c.valid_to IS NULL OR e.event_ts < c.valid_to)
  GROUP BY 1, 2, 3, 4, 5, e.customer_id
) AS by_customer
GROUP BY 1, 2, 3, 4
HAVING sum(weight * events) <> 0 OR sum(weight * net) <> 0 OR sum(weight * gross) <> 0 OR sum(weight * refunded) <> 0
  OR sum(weight * disputed) <> 0 OR sum(weight * invoices) <> 0 OR sum(weight * refunds) <> 0
  OR sum(CASE WHEN invoices > 0 THEN weight ELSE 0 END) <> 0;
ANALYZE gold_delta;
INSERT INTO gold_revenue AS g
SELECT * FROM gold_delta
ON CONFLICT (revenue_date, currency, segment, plan_type) DO UPDATE SET
  invoice_count = g.invoice_count + excluded.invoice_count, gross_amount = g.gross_amount + excluded.gross_amount,
  refund_count = g.refund_count + excluded.refund_count, refund_amount = g.refund_amount + excluded.refund_amount,
  dispute_amount = g.dispute_amount + excluded.dispute_amount, net_amount = g.net_amount + excluded.net_amount,
  paying_customers = g.paying_customers + excluded.paying_customers, events = g.events + excluded.events;
DELETE FROM gold_revenue AS g USING gold_delta AS d
WHERE g.events = 0 AND (g.revenue_date, g.currency, g.segment, g.plan_type) = (d.revenue_date, d.currency, d.segment, d.plan_type);
