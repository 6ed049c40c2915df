-- Grain: one row a pair of people (of a person and a register entry) that a human is asked about, by
-- the pair of records that shows the doubt. One question a pair of people: who knows about two of
-- their records knows about all. The question that is open already stays; else the smallest pair.
CREATE OR REPLACE TEMP TABLE list_question AS
WITH
doubt AS MATERIALIZED ( -- or else "one <> other" is taken for a join of all with all
    SELECT
        d.a, d.b, d.reason,
        least(ca.root, cb.root) AS one,
        greatest(ca.root, cb.root) AS other
    FROM list_doubt AS d
    JOIN list_component AS ca ON ca.node = d.a
    JOIN list_component AS cb ON cb.node = d.b
),
apart AS (
    FROM doubt
    WHERE one <> other
),
settled AS (
    SELECT DISTINCT least(ca.root, cb.root) AS one, greatest(ca.root, cb.root) AS other
    FROM list_answer AS said
    JOIN list_component AS ca ON ca.node = said.a
    JOIN list_component AS cb ON cb.node = said.b
    WHERE said.answer = 'different'
),
named AS (
    SELECT
        'Q-' || upper(left(sha256($outer || unhex(sha256($inner || encode(
            concat_ws('|', $campaign, a.ref, b.ref, b.registered)
        )))), 12)) AS question_id,
        a.ref AS ref_a, b.ref AS ref_b, b.registered AS against_register, apart.reason,
        apart.one, apart.other, apart.a, apart.b,
        [
            {'field': 'full_name', 'equal': a.full_name = b.full_name},
            {'field': 'sex', 'equal': a.sex = b.sex},
            {'field': 'birth_date', 'equal': a.birth_date = b.birth_date},
            {'field': 'resident_id', 'equal': a.resident_key = b.resident_key},
            {'field': 'residence_village', 'equal': a.residence_village = b.residence_village},
            {'field': 'phone', 'equal': a.phone = b.phone}
        ] AS compared
    FROM apart
    JOIN list_node AS a ON a.node = apart.a
    JOIN list_node AS b ON b.node = apart.b
    ANTI JOIN settled ON settled.one = apart.one AND settled.other = apart.other
)
SELECT
    named.question_id, named.ref_a, named.ref_b, named.against_register, named.reason,
    [c.field FOR c IN named.compared IF c.equal] AS agrees,
    [c.field FOR c IN named.compared IF NOT c.equal] AS differs
FROM named
LEFT JOIN register.reg_question AS asked
    ON asked.campaign = $campaign AND asked.question_id = named.question_id
QUALIFY row_number() OVER (
    PARTITION BY named.one, named.other
    ORDER BY asked.question_id IS NULL, named.a, named.b
) = 1;
