-- Grain: one row a new state of a phase and round; the lists have one element a row, in order.
INSERT INTO ledger.agg_transition BY NAME
SELECT $campaign AS campaign, unnest($phases::VARCHAR[]) AS phase,
    unnest($rounds::INTEGER[]) AS round, unnest($positions::INTEGER[]) AS position,
    unnest($states::VARCHAR[]) AS state, unnest($days::DATE[]) AS on_day, $now AS entered_at,
    $entered_by AS entered_by, $reason::VARCHAR AS reason, $until::DATE AS until;
