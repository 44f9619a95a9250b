-- The movements are few: what has moved up to a month is a running sum over the months that there are.
CREATE TABLE mart_mrr_monthly AS
WITH movement AS MATERIALIZED (
${include movements.sql versions=(SELECT 1 AS weight, dim_customer.* FROM dim_customer) AS weighed}
),
${include standing.sql}
SELECT * FROM standing
WHERE mrr <> 0 OR new_mrr <> 0 OR reactivation_mrr <> 0 OR expansion_mrr <> 0 OR contraction_mrr <> 0 OR churn_mrr <> 0;
CREATE UNIQUE INDEX mart_mrr_key ON mart_mrr_monthly (mrr_month, billing_currency);
