-- Movements before the first month count for where it stands, not for what moves in it.
standing AS (
  SELECT (grid.month AT TIME ZONE 'UTC')::date AS mrr_month, grid.billing_currency,
    coalesce(sum(m.mrr), 0) AS mrr, coalesce(sum(m.customers), 0)::bigint AS active_customers,
    coalesce(sum(m.new_mrr) FILTER (WHERE m.month = grid.month), 0) AS new_mrr,
    coalesce(sum(m.reactivation_mrr) FILTER (WHERE m.month = grid.month), 0) AS reactivation_mrr,
    coalesce(sum(m.expansion_mrr) FILTER (WHERE m.month = grid.month), 0) AS expansion_mrr,
    coalesce(sum(m.contraction_mrr) FILTER (WHERE m.month = grid.month), 0) AS contraction_mrr,
    coalesce(sum(m.churn_mrr) FILTER (WHERE m.month = grid.month), 0) AS churn_mrr
  FROM (
    SELECT months.month, currencies.billing_currency
    FROM generate_series(timestamptz '${start} 00:00:00Z', date_trunc('month', timestamptz '${now}', 'UTC'), interval '1 month') AS months(month)
    CROSS JOIN (SELECT DISTINCT billing_currency FROM movement) AS currencies
  ) AS grid
  JOIN movement AS m ON m.billing_currency = grid.billing_currency AND m.month <= grid.month
  GROUP BY grid.month, grid.billing_currency
)
