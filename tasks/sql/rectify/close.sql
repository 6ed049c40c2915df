-- Grain: one row a rectification that a person closes.
UPDATE ledger.agg_rectification
SET closed_round = $closed_round, closed_on = $closed_on
WHERE campaign = $campaign AND village = $village AND shortfall = $shortfall
    AND opened_round = $opened_round;
