-- Grain: one row, what became of a decision by now.
INSERT INTO ledger.agg_meeting_result BY NAME
SELECT $campaign AS campaign, $number AS number,
    (SELECT coalesce(max(position), 0) + 1 FROM ledger.agg_meeting_result
        WHERE campaign = $campaign AND number = $number) AS position,
    $result AS result, $on_day AS on_day, $by AS recorded_by, $now AS recorded_at;
