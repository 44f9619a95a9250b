SELECT md5(concat(customer_id, chr(31), to_char(valid_from AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'))) AS customer_sk,
  customer_id, name, segment, plan_type, country, monthly_amount, billing_currency, email, acquisition_channel, created_at,
  valid_from, valid_to, valid_to IS NULL AS is_current
FROM (
  SELECT opening.*, lead(valid_from) OVER (PARTITION BY customer_id ORDER BY valid_from) AS valid_to
  FROM (
    SELECT instant.*,
      ROW(name, segment, plan_type, country, monthly_amount, billing_currency) IS DISTINCT FROM
        lag(ROW(name, segment, plan_type, country, monthly_amount, billing_currency)) OVER (PARTITION BY customer_id ORDER BY valid_from)
        AS opens
    FROM (
      SELECT customer_id, event_ts AS valid_from, state ->> 'name' AS name, state ->> 'segment' AS segment,
        state ->> 'plan_type' AS plan_type, state ->> 'country' AS country,
        (state ->> 'monthly_amount')::numeric(20,4) AS monthly_amount, state ->> 'billing_currency' AS billing_currency,
        last_value(state ->> 'email') OVER whole AS email, min(event_ts) OVER whole AS created_at,
        substr(min(lpad(place::text, 10, '0') || (attributes ->> 'acquisition_channel')) OVER whole, 11) AS acquisition_channel,
        place, lead(event_ts) OVER (PARTITION BY customer_id ORDER BY place) AS next
      FROM (
        SELECT customer_id, event_ts, attributes,
          row_number() OVER history AS place,
          merged(CASE WHEN event_type = 'subscription_cancelled'
            THEN attributes || '{"plan_type": null, "monthly_amount": null}' ELSE attributes END) OVER history AS state
        FROM ${events}
        WHERE event_type IN ('customer_created', 'customer_updated', 'subscription_created', 'plan_upgraded',
          'plan_downgraded', 'subscription_cancelled')
        WINDOW history AS (PARTITION BY customer_id ORDER BY event_ts, updated_at, event_id COLLATE "C" ROWS UNBOUNDED PRECEDING)
      ) AS observed
      WINDOW whole AS (PARTITION BY customer_id ORDER BY place ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)
    ) AS instant
    WHERE next IS DISTINCT FROM valid_from
  ) AS opening
  WHERE opens OR opens IS NULL
) AS version
