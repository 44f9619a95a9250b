-- The same by month, whatever the customers' versions: in the months of their changed events.
CREATE TEMPORARY TABLE payer_month ON COMMIT DROP AS
SELECT DISTINCT customer_id, date_trunc('month', event_date::timestamp)::date AS month FROM silver_change
WHERE event_type IN ('invoice_paid', 'refund_issued', 'dispute_opened', 'dispute_won') AND event_date >= '${start}';
ANALYZE payer_month;
CREATE TEMPORARY TABLE paid_month ON COMMIT DROP AS
WITH now AS (
  SELECT s.event_id, s.customer_id, s.event_type, s.amount, s.currency, s.event_date
  FROM payer_month AS p
  JOIN silver_events AS s ON s.customer_id = p.customer_id
    AND s.event_date >= p.month AND s.event_date < (p.month + interval '1 month')::date
  WHERE s.event_type IN ('invoice_paid', 'refund_issued', 'dispute_opened', 'dispute_won') AND s.event_date >= '${start}'
)
SELECT 1 AS weight, now.* FROM now
UNION ALL
SELECT -1, now.* FROM now WHERE event_id NOT IN (SELECT event_id FROM silver_change WHERE weight = 1)
UNION ALL
SELECT -1, event_id, customer_id, event_type, amount, currency, event_date FROM silver_change
WHERE weight = -1 AND event_type IN ('invoice_paid', 'refund_issued', 'dispute_opened', 'dispute_won') AND event_date >= '${start}';
ANALYZE paid_month;
CREATE TEMPORARY TABLE month_delta ON COMMIT DROP AS
SELECT revenue_month, currency, sum(weight * invoices)::bigint AS invoice_count, sum(weight * gross) AS gross_amount,
  sum(weight * refunds)::bigint AS refund_count, sum(weight * refunded) AS refund_amount, sum(weight * disputed) AS dispute_amount,
  sum(weight * net) AS net_amount, sum(CASE WHEN invoices > 0 THEN weight ELSE 0 END)::bigint AS paying_customers,
  sum(weight * events)::bigint AS events
FROM (
  SELECT weight, date_trunc('month', event_date::timestamp)::date AS revenue_month, currency,
    count(*) FILTER (WHERE event_type = 'invoice_paid') AS invoices,
    coalesce(sum(amount) FILTER (WHERE event_type = 'invoice_paid'), 0) AS gross,
    count(*) FILTER (WHERE event_type = 'refund_issued') AS refunds,
    coalesce(sum(amount) FILTER (WHERE event_type = 'refund_issued'), 0) AS refunded,
    coalesce(sum(amount) FILTER (WHERE event_type IN ('dispute_opened', 'dispute_won')), 0) AS disputed,
    sum(amount) AS net, count(*) AS events
  FROM paid_month
  GROUP BY 1, 2, 3, customer_id
) AS by_customer
GROUP BY 1, 2;
INSERT INTO mart_revenue_monthly AS m
SELECT * FROM month_delta
ON CONFLICT (revenue_month, currency) DO UPDATE SET
  invoice_count = m.invoice_count + excluded.invoice_count, gross_amount = m.gross_amount + excluded.gross_amount,
  refund_count = m.refund_count + excluded.refund_count, refund_amount = m.refund_amount + excluded.refund_amount,
  dispute_amount = m.dispute_amount + excluded.dispute_amount, net_amount = m.net_amount + excluded.net_amount,
  paying_customers = m.paying_customers + excluded.paying_customers, events = m.events + excluded.events;
DELETE FROM mart_revenue_monthly WHERE events = 0;
