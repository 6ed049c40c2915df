-- Grain: one row: how many of list revision $revision, for the health side.
SELECT
    coalesce(sum(p.referrals), 0)::INTEGER AS referrals,
    count(*)::INTEGER AS people,
    count(p.register_no)::INTEGER AS known,
    (
        SELECT count(*)
        FROM register.reg_question AS q
        WHERE q.campaign = $campaign AND q.answer IS NULL
    )::INTEGER AS open_questions
FROM register.reg_person AS p
WHERE p.campaign = $campaign AND p.revision = $revision;
