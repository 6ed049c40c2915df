-- Grain: one row a referral of the village $place (from 0) of $villages, $of_each of each village.
-- `person` is who the row is about: every hundredth row repeats the one before it, and in every other
-- village each fiftieth is about somebody whom the village before referred too.
WITH
row_ AS (
    SELECT
        number,
        $place * $of_each + number AS nth,
        CASE
            WHEN number % 100 = 13 THEN $place * $of_each + number - 1
            WHEN number % 50 = 17 AND $place % 2 = 1 THEN ($place - 1) * $of_each + number
            ELSE $place * $of_each + number
        END AS person
    FROM range($of_each) AS counted(number)
),
drawn AS (
    SELECT
        *,
        -- numbers that look like chance, and are the same each time
        (person * 2654435761 + 97) % 4294967291 AS one,
        (person * 40503 + 12289) % 2147483647 AS two
    FROM row_
),
known AS (
    SELECT
        *,
        DATE '1950-01-01' + ((one // 7) % 18262)::INTEGER AS born,
        two % 2 = 0 AS is_male,
        -- three in a hundred live in another village than the one that refers them
        CASE WHEN person % 33 = 5 THEN (person // $of_each + 7) % $villages
            ELSE person // $of_each END + 1 AS home
    FROM drawn
),
numbered AS (
    SELECT
        *,
        lpad((990000 + person // 100000)::VARCHAR, 6, '9') || strftime(born, '%Y%m%d')
            || lpad(((person % 500) * 2 + is_male::INTEGER)::VARCHAR, 3, '0') AS digits
    FROM known
)
SELECT
    number + 1,
    '赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨朱秦尤许何吕施张孔曹严华金魏陶姜戚谢邹喻柏水窦章云苏潘葛奚范彭郎鲁韦昌马苗凤花方俞任袁柳'
        [1 + one % 60]
        || '伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平刚桂英华玉兰红建国文辉力永健世广志义兴良海山仁波宁贵福生龙元全'
        [1 + one // 60 % 50]
        || '春梅琳素云莲真环雪荣爱妹香月莺媛瑞凡佳嘉琼勤珍贞莉桂娣叶璧璐娅琦晶妍茜秋珊莎锦黛青倩婷姣婉娴瑾颖露瑶怡'
        [1 + two // 2 % 50],
    CASE WHEN nth % 250 = 11 THEN '未知' WHEN is_male THEN '男' ELSE '女' END,
    CASE WHEN nth % 20 = 3 THEN strftime(born, '%Y.%-m.%-d') ELSE strftime(born, '%Y-%m-%d') END,
    CASE WHEN person % 3 < 2 THEN digits || '10X98765432'[1 + list_sum(list_transform(
        list_zip(string_split(digits, ''), [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2]),
        lambda pair: pair[1]::INTEGER * pair[2]))::INTEGER % 11] END,
    '990101' || lpad(home::VARCHAR, 6, '0'),
    '990101' || lpad(home::VARCHAR, 6, '0'),
    CASE
        WHEN nth % 20 = 7 THEN translate('138' || lpad(person::VARCHAR, 8, '0'), '0123456789', '０１２３４５６７８９')
        WHEN nth % 20 = 9 THEN '138-' || lpad(person::VARCHAR, 8, '0')
        ELSE '138' || lpad(person::VARCHAR, 8, '0')
    END,
    '李四',
    ['配偶', '父母', '子女', '其他'][1 + two % 4],
    '139' || lpad((person // 2)::VARCHAR, 8, '0'),
    ['村医', '本人', '近亲属', '监护人'][1 + one % 4],
    CASE WHEN nth % 200 = 7 THEN NULL ELSE ['本人', '监护人', '近亲属'][1 + two % 3] END,
    strftime(DATE '2025-10-01' + (nth % 25)::INTEGER, '%Y-%m-%d'),
    ['评估', '评估和管理'][1 + one % 2],
    ['居家', '居家', '居家', '住院', '福利机构'][1 + two % 5],
    ['1，3', '2', '', '1,4,11'][1 + one % 4],
    CASE WHEN nth % 7 = 0 THEN '尽快' ELSE '常规' END
FROM numbered
ORDER BY number;
