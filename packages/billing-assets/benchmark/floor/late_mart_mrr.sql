-- What the changed versions' customers move now, less what they moved before, added to every month from there on.
CREATE TEMPORARY TABLE reweighed ON COMMIT DROP AS
WITH changed AS (SELECT DISTINCT customer_id FROM dim_change),
now AS (SELECT d.* FROM changed AS k JOIN dim_customer AS d ON d.customer_id = k.customer_id)
SELECT 1 AS weight, now.* FROM now
UNION ALL
SELECT -1, now.* FROM now WHERE customer_sk NOT IN (SELECT customer_sk FROM dim_change WHERE weight = 1)
UNION ALL
SELECT * FROM dim_change WHERE weight = -1;
WITH movement AS MATERIALIZED (
${include movements.sql versions=reweighed}
),
${include standing.sql}
INSERT INTO mart_mrr_monthly AS m
SELECT * FROM standing
WHERE mrr <> 0 OR active_customers <> 0 OR new_mrr <> 0 OR reactivation_mrr <> 0 OR expansion_mrr <> 0 OR contraction_mrr <> 0 OR churn_mrr <> 0
ON CONFLICT (mrr_month, billing_currency) DO UPDATE SET
  mrr = m.mrr + excluded.mrr, active_customers = m.active_customers + excluded.active_customers,
  new_mrr = m.new_mrr + excluded.new_mrr, reactivation_mrr = m.reactivation_mrr + excluded.reactivation_mrr,
  expansion_mrr = m.expansion_mrr + excluded.expansion_mrr, contraction_mrr = m.contraction_mrr + excluded.contraction_mrr,
  churn_mrr = m.churn_mrr + excluded.churn_mrr;
DELETE FROM mart_mrr_monthly
WHERE mrr = 0 AND new_mrr = 0 AND reactivation_mrr = 0 AND expansion_mrr = 0 AND contraction_mrr = 0 AND churn_mrr = 0;
