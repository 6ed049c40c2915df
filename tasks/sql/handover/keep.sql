-- Grain: one row, a hand-over as it is after a step; register_village: by the register's word now.
INSERT INTO register.reg_handover BY NAME
SELECT
    $register_no AS register_no, $register_village AS register_village,
    $from_village AS from_village, $to_village AS to_village, $state AS state,
    $released_at AS released_at, $released_by AS released_by,
    $ended_at AS ended_at, $ended_by AS ended_by;
