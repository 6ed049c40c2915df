-- Grain: one row a village and month of the quarter whose service month was accepted: the problems it
-- raised.
SELECT village_code AS village, strftime(month, '%Y-%m') AS period, problems_raised AS problems
FROM register.stg_service_month
WHERE campaign = $campaign AND is_current AND month BETWEEN $first AND $last
QUALIFY row_number() OVER (
    PARTITION BY village_code, month
    ORDER BY received_at DESC, submission_id, row_number
) = 1
ORDER BY village, period;
