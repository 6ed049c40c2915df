-- Grain: one row an entry of the trail, behind the last one.
INSERT INTO register.reg_trail
VALUES ($position, $entered_at, $who, $what, $why, $campaign, $subjects, $previous, $hash);
