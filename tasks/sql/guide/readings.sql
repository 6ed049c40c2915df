-- Grain: one row an example cell: what intake reads in it as a value of its kind, null where nothing.
SELECT
    kind,
    cell,
    CASE kind
        WHEN 'date' THEN to_date(norm_text(cell))::VARCHAR
        WHEN 'month' THEN strftime(to_month(norm_text(cell)), '%Y-%m')
        WHEN 'count' THEN to_int(norm_text(cell))::VARCHAR
        WHEN 'code' THEN to_code(norm_text(cell))
        WHEN 'id' THEN CASE WHEN id_whole(norm_text(cell)) AND id_check(upper(norm_text(cell)))
            THEN upper(norm_text(cell)) END
        WHEN 'phone' THEN CASE WHEN phone_check(norm_text(cell)) THEN phone_number(norm_text(cell)) END
        WHEN 'name' THEN CASE WHEN name_check(person_name(norm_text(cell)))
            THEN person_name(norm_text(cell)) END
        WHEN 'licence' THEN CASE WHEN licence_check(norm_text(cell)) THEN norm_text(cell) END
    END AS reading
FROM guide_example
ORDER BY place;
