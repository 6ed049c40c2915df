-- Grain: one row a release that arrived, as it is judged.
SELECT row_no, township, campaign, phase, round, revision, body, signature, shared_at
FROM arrived
ORDER BY row_no;
