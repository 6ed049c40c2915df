-- Grain: one row a month that supervision looked at up to $as_of: the newest revision of its round. Of a
-- month of two campaigns that of the one named first.
CREATE OR REPLACE TEMP TABLE quarter_look AS
SELECT released.campaign, released.round, released.revision, released.period,
    left(released.period, 4) || '-Q' || (right(released.period, 2)::INTEGER + 2) // 3 AS quarter
FROM ledger.out_revision AS released
WHERE released.phase = 'supervision'
    AND released.campaign IN (SELECT unnest($campaigns::VARCHAR[]))
    AND released.period IS NOT NULL
    AND released.as_of <= $as_of
QUALIFY row_number() OVER (
    PARTITION BY released.period
    ORDER BY list_position($campaigns::VARCHAR[], released.campaign), released.round DESC,
        released.revision DESC
) = 1;
