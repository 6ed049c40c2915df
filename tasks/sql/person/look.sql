-- Grain: one row a look at, or a change of, data about people.
INSERT INTO register.reg_look BY NAME
SELECT $looked_at AS looked_at, $who AS who, $what AS what, $why AS why, $campaign AS campaign,
    $refs AS refs;
