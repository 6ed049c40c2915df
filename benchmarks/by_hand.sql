-- Grain: one row a released figure: name, village ('' for the township), value; null is withheld.
-- What somebody who knows DuckDB writes for one campaign's figures: the coverage and
-- referral files read, each row judged by the rules of the contract, duplicates out, referrals
-- joined into people, counted and rounded. Nothing is stored, and no row is told what is wrong with it.
WITH RECURSIVE
village AS (
    SELECT DISTINCT regexp_extract(path, '(\d{12})-', 1) AS code FROM (SELECT unnest($coverage) AS path)
),
walked AS (
    SELECT
        village_code AS village,
        try_cast(households AS INTEGER) AS households,
        try_cast(households_visited AS INTEGER) AS visited,
        try_cast(households_declined AS INTEGER) AS declined,
        try_cast(no_consent_count AS INTEGER) AS no_consent
    FROM read_csv($coverage, auto_detect = false, skip = 1, header = true, columns = {
        'village_code': 'VARCHAR', 'grid': 'VARCHAR', 'households': 'VARCHAR',
        'households_visited': 'VARCHAR', 'households_declined': 'VARCHAR',
        'visits_from': 'VARCHAR', 'visits_to': 'VARCHAR', 'no_consent_count': 'VARCHAR',
        'nil_return': 'VARCHAR'})
    WHERE try_cast(households_visited AS INTEGER) + try_cast(households_declined AS INTEGER) <= try_cast(households AS INTEGER)
        AND try_cast(visits_from AS DATE) <= DATE '2025-10-28'
        AND try_cast(visits_to AS DATE) BETWEEN try_cast(visits_from AS DATE) AND DATE '2025-10-28'
        AND grid IS NOT NULL
        AND coalesce(nil_return, '否') = '否'
),
-- [rows]
cell AS (
    SELECT
        row_number() OVER () AS node,
        regexp_extract(filename, '(\d{12})-', 1) AS sender,
        try_cast(row_no AS INTEGER) AS row_no,
        trim(full_name) AS name,
        CASE trim(sex) WHEN '男' THEN 'male' WHEN '女' THEN 'female' END AS sex,
        try_cast(replace(birth_date, '.', '-') AS DATE) AS born,
        upper(trim(resident_id)) AS id,
        trim(residence_village) AS residence,
        trim(registered_village) AS registered,
        replace(translate(phone, '０１２３４５６７８９', '0123456789'), '-', '') AS phone,
        trim(contact_name) AS contact,
        trim(contact_relation) AS relation,
        replace(translate(contact_phone, '０１２３４５６７８９', '0123456789'), '-', '') AS contact_phone,
        trim(referred_by) AS referrer,
        trim(consent_by) AS consent_by,
        try_cast(replace(consent_date, '.', '-') AS DATE) AS consented,
        trim(consent_scope) AS scope,
        trim(care_setting) AS setting,
        replace(observed_signs, '，', ',') AS signs,
        trim(urgency) AS urgency,
        [*COLUMNS(name -> name NOT IN ('filename', 'resident_id'))] AS cells
    FROM read_csv($referral, auto_detect = false, skip = 1, header = true, filename = true, columns = {
        'row_no': 'VARCHAR', 'full_name': 'VARCHAR', 'sex': 'VARCHAR', 'birth_date': 'VARCHAR',
        'resident_id': 'VARCHAR', 'residence_village': 'VARCHAR', 'registered_village': 'VARCHAR',
        'phone': 'VARCHAR', 'contact_name': 'VARCHAR', 'contact_relation': 'VARCHAR',
        'contact_phone': 'VARCHAR', 'referred_by': 'VARCHAR', 'consent_by': 'VARCHAR',
        'consent_date': 'VARCHAR', 'consent_scope': 'VARCHAR', 'care_setting': 'VARCHAR',
        'observed_signs': 'VARCHAR', 'urgency': 'VARCHAR'})
),
holds AS (
    SELECT
        *,
        coalesce(id, concat_ws('|', name, born, sex)) AS key
    FROM cell
    WHERE consent_by IN ('本人', '监护人', '近亲属')
        AND consented <= DATE '2025-10-28'
        AND scope IN ('评估', '评估和管理')
        AND row_no > 0
        AND length(name) BETWEEN 2 AND 40
        AND NOT regexp_matches(name, '[0-9=+@]')
        AND sex IS NOT NULL
        AND born BETWEEN DATE '1900-01-01' AND DATE '2025-10-28'
        AND born + INTERVAL 18 YEAR <= consented
        AND (id IS NULL OR (
            regexp_full_match(id, '[1-9]\d{16}[0-9X]')
            AND NOT id LIKE '%000'
            AND id[7:14] = strftime(born, '%Y%m%d')
            AND (id[17]::INTEGER % 2 = 1) = (sex = 'male')
            AND '10X98765432'[1 + (
                (ascii(id[1]) - 48) * 7 + (ascii(id[2]) - 48) * 9 + (ascii(id[3]) - 48) * 10
                + (ascii(id[4]) - 48) * 5 + (ascii(id[5]) - 48) * 8 + (ascii(id[6]) - 48) * 4
                + (ascii(id[7]) - 48) * 2 + (ascii(id[8]) - 48) * 1 + (ascii(id[9]) - 48) * 6
                + (ascii(id[10]) - 48) * 3 + (ascii(id[11]) - 48) * 7 + (ascii(id[12]) - 48) * 9
                + (ascii(id[13]) - 48) * 10 + (ascii(id[14]) - 48) * 5 + (ascii(id[15]) - 48) * 8
                + (ascii(id[16]) - 48) * 4 + (ascii(id[17]) - 48) * 2) % 11] = id[18]))
        AND regexp_full_match(residence, '\d{12}')
        AND (registered IS NULL OR regexp_full_match(registered, '\d{12}'))
        AND (residence IN (FROM village) OR registered IN (FROM village))
        AND (phone IS NULL OR regexp_full_match(phone, '1[3-9]\d{9}|0\d{9,11}|[2-8]\d{6,7}'))
        AND (contact IS NULL OR length(contact) BETWEEN 2 AND 40)
        AND (relation IS NULL OR relation IN ('配偶', '父母', '子女', '兄弟姐妹', '其他亲属', '监护人', '其他'))
        AND (contact_phone IS NULL
            OR regexp_full_match(contact_phone, '1[3-9]\d{9}|0\d{9,11}|[2-8]\d{6,7}'))
        AND referrer IN ('本人', '近亲属', '监护人', '村医', '民政')
        AND setting IN ('居家', '住院', '福利机构', '其他机构', '无法联系')
        AND (signs IS NULL OR regexp_full_match(signs, '([1-9]|1[01])(,([1-9]|1[01]))*'))
        AND urgency IN ('常规', '尽快')
),
accepted AS MATERIALIZED (
    SELECT * EXCLUDE (cells) FROM holds
    QUALIFY row_number() OVER (PARTITION BY sender, key ORDER BY row_no) = 1
),
-- [counts]
edge AS MATERIALIZED (
    SELECT a.node AS a, b.node AS b FROM accepted AS a JOIN accepted AS b USING (id)
    WHERE a.node < b.node
    UNION
    SELECT a.node, b.node FROM accepted AS a JOIN accepted AS b USING (name, born)
    WHERE a.node < b.node AND coalesce(a.id = b.id, true)
        AND (coalesce(a.phone = b.phone, false) OR (a.sex = b.sex AND a.residence = b.residence))
),
both_ways AS (
    SELECT a, b FROM edge UNION ALL SELECT b, a FROM edge
),
joined (node, root) USING KEY (node) AS (
    SELECT a, least(a, min(b)) FROM both_ways GROUP BY a
    UNION
    SELECT near.b, min(changed.root)
    FROM joined AS changed
    JOIN both_ways AS near ON near.a = changed.node
    JOIN recurring.joined AS known ON known.node = near.b
    WHERE changed.root < known.root
    GROUP BY near.b
),
person AS (
    SELECT accepted.*, CASE
        WHEN residence IN (FROM village) THEN residence
        WHEN registered IN (FROM village) THEN registered
        ELSE sender END AS responsible
    FROM accepted LEFT JOIN joined USING (node)
    QUALIFY row_number() OVER (PARTITION BY coalesce(joined.root, node)
        ORDER BY consented DESC, sender DESC, row_no DESC) = 1
),
counted AS (
    SELECT 'referrals' AS name, sender AS village, count(*) AS exact FROM accepted GROUP BY ROLLUP (sender)
    UNION ALL
    SELECT 'no_consent', NULL, sum(no_consent) FROM walked
    UNION ALL
    SELECT 'people_listed', responsible, count(*) FROM person GROUP BY ROLLUP (responsible)
    UNION ALL
    SELECT 'people_new', NULL, count(*) FROM person
    UNION ALL
    SELECT 'people_' || kind.name, NULL, count(person.setting)
    FROM (VALUES ('home', '居家'), ('hospital', '住院'), ('welfare_institution', '福利机构'),
        ('other_institution', '其他机构'), ('not_reachable', '无法联系')) AS kind(name, word)
    LEFT JOIN person ON person.setting = kind.word
    GROUP BY kind.name
),
households AS (
    SELECT village, sum(households) AS households, sum(visited) AS visited, sum(declined) AS declined
    FROM walked GROUP BY ROLLUP (village)
)
SELECT name, coalesce(village, '') AS village,
    CASE WHEN exact = 0 OR exact > 7 THEN (exact + 2) // 5 * 5 END::DOUBLE AS value
FROM counted
UNION ALL
SELECT 'households', coalesce(village, ''), households FROM households
UNION ALL
SELECT 'households_visited', coalesce(village, ''), visited FROM households
UNION ALL
SELECT 'households_declined', coalesce(village, ''), declined FROM households
UNION ALL
SELECT 'coverage', coalesce(village, ''), round(100.0 * visited / households, 1) FROM households;
