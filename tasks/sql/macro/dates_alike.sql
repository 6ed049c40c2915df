-- Whether a date can be another one mistyped: one of its parts differs, or day and month changed places.
CREATE OR REPLACE MACRO dates_alike(a, b) AS
    (year(a) = year(b))::INTEGER + (month(a) = month(b))::INTEGER + (day(a) = day(b))::INTEGER >= 2
    OR (year(a) = year(b) AND month(a) = day(b) AND day(a) = month(b));
