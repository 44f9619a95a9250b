-- What moves by month and currency, times the weight of each version: 1 for what is, -1 for what was.
SELECT month, billing_currency, sum(weight * mrr) AS mrr, sum(weight * customers)::bigint AS customers,
  sum(weight * new_mrr) AS new_mrr, sum(weight * reactivation_mrr) AS reactivation_mrr,
  sum(weight * expansion_mrr) AS expansion_mrr, sum(weight * contraction_mrr) AS contraction_mrr,
  sum(weight * churn_mrr) AS churn_mrr
FROM (
  SELECT weight, billing_currency, span.customer_id, moved.*
  FROM (
    SELECT weight, customer_id, billing_currency, monthly_amount, from_month, to_month,
      lag(to_month) OVER series AS before, lag(monthly_amount) OVER series AS amount_before, lead(from_month) OVER series AS after
    FROM (
      SELECT weight, customer_id, billing_currency, monthly_amount, date_trunc('month', valid_from, 'UTC') AS from_month,
        date_trunc('month', valid_to, 'UTC') AS to_month
      FROM ${versions}
      WHERE monthly_amount > 0 AND billing_currency IS NOT NULL
    ) AS paid
    WHERE to_month IS NULL OR from_month < to_month
    WINDOW series AS (PARTITION BY weight, customer_id, billing_currency ORDER BY from_month)
  ) AS span
  CROSS JOIN LATERAL (VALUES
    (from_month,
      CASE WHEN before = from_month THEN monthly_amount - amount_before ELSE monthly_amount END,
      CASE WHEN before = from_month THEN 0 ELSE 1 END,
      CASE WHEN before IS NULL THEN monthly_amount ELSE 0 END,
      CASE WHEN before < from_month THEN monthly_amount ELSE 0 END,
      CASE WHEN before = from_month THEN greatest(monthly_amount - amount_before, 0) ELSE 0 END,
      CASE WHEN before = from_month THEN least(monthly_amount - amount_before, 0) ELSE 0 END,
      0),
    (CASE WHEN after IS DISTINCT FROM to_month THEN to_month END, -monthly_amount, -1, 0, 0, 0, 0, -monthly_amount)
  ) AS moved(month, mrr, customers, new_mrr, reactivation_mrr, expansion_mrr, contraction_mrr, churn_mrr)
  WHERE moved.month IS NOT NULL
) AS movement
GROUP BY month, billing_currency
