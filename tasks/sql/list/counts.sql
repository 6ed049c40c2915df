-- Grain: one row: how many, for the health side.
SELECT
    coalesce(sum(p.referrals), 0)::INTEGER AS referrals,
    count(*)::INTEGER AS people,
    count(p.register_no)::INTEGER AS known,
    (
        SELECT count(*)
        FROM register.reg_question AS q
        WHERE q.campaign = $campaign AND q.answer IS NULL
    )::INTEGER AS open_questions
FROM list_person AS p;
