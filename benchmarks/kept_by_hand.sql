-- What somebody writes who also has to keep the rows: judged once by the rules of by_hand.sql, their
-- keys hashed with a secret (HMAC-SHA256), typed and as they came, in an encrypted file, two indexes.
CREATE MACRO keyed(content) AS sha256(repeat('5c', 32)::BLOB
    || unhex(sha256(repeat('36', 32)::BLOB || encode(content))));
CREATE TABLE judged AS
-- [judging]
SELECT
    cell.*,
    CASE
        WHEN accepted.node IS NOT NULL THEN 'accepted'
        WHEN cell.consent_by IS NULL OR cell.consented IS NULL OR cell.scope IS NULL THEN 'no_consent'
        ELSE 'returned' END AS verdict,
    keyed('id:' || cell.id) AS id_key,
    keyed('nbs:' || concat_ws('|', cell.name, cell.born, cell.sex)) AS name_key,
    keyed('said:' || cell.cells::VARCHAR || coalesce(cell.id, '')) AS content_hash
FROM cell LEFT JOIN accepted USING (node);
CREATE TABLE kept.referral (
    node BIGINT, sender VARCHAR, row_no INTEGER, name VARCHAR, sex VARCHAR, born DATE, id VARCHAR,
    residence VARCHAR, registered VARCHAR, phone VARCHAR, contact VARCHAR, relation VARCHAR,
    contact_phone VARCHAR, referrer VARCHAR, consent_by VARCHAR, consented DATE, scope VARCHAR,
    setting VARCHAR, signs VARCHAR, urgency VARCHAR, verdict VARCHAR, id_key VARCHAR,
    name_key VARCHAR, content_hash VARCHAR, PRIMARY KEY (sender, node));
INSERT INTO kept.referral BY NAME
SELECT * EXCLUDE (cells) REPLACE (id_key AS id) FROM judged WHERE verdict = 'accepted'
UNION ALL BY NAME
SELECT node, sender, verdict FROM judged WHERE verdict <> 'accepted';
CREATE TABLE kept.said (sender VARCHAR, node BIGINT, PRIMARY KEY (sender, node));
INSERT INTO kept.said SELECT sender, node FROM judged WHERE verdict = 'accepted';
CREATE TABLE kept.raw_row AS
SELECT sender, node, verdict, CASE WHEN verdict = 'accepted' THEN cells END AS cells FROM judged;
DROP TABLE judged;
CHECKPOINT kept
