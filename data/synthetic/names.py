"""Invented names of people and villages."""

from random import Random

SURNAMES = (
    *"王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡余杜叶程苏魏吕丁",
    *"任沈姚卢姜崔钟谭陆汪范金石廖贾夏韦付方白邹孟熊秦邱江尹薛闫段雷侯龙史陶黎贺顾毛郝龚邵万钱严覃武戴",
    "欧阳",
    "上官",
)
MALE = (
    "伟强磊军勇杰涛明超刚平辉鹏飞波斌宇浩凯健俊峰林建志国海文华东新永宏兵振家学庆德成祥安福清松柏川"
)
FEMALE = (
    "芳娜敏静丽艳娟霞秀英玲桂兰红梅雪琴云莲凤洁琳慧巧美香月莺媛倩蓉君薇菁岚瑞凡佳嘉琼珍贞荷菊素萍"
)
HEARD_AS = {
    "伟": "玮",
    "明": "鸣",
    "军": "钧",
    "辉": "晖",
    "志": "智",
    "芳": "方",
    "丽": "莉",
    "娟": "涓",
    "秀": "绣",
    "英": "瑛",
    "红": "虹",
    "梅": "玫",
}
"""Characters of one sound, as a village doctor may write down a name told by telephone."""

_PLACE_FIRST = "青白清石柳竹松梅云溪桃杏枫荷鹤燕"
_PLACE_SECOND = "溪岭坪塘湾坡河桥泉垭"


def full_name(draw: Random, sex: str, surname: str | None = None) -> str:
    """Return an invented name; children carry the `surname` of their household."""
    signs = MALE if sex == "male" else FEMALE
    given = "".join(draw.sample(signs, 2 if draw.random() < 0.7 else 1))
    return (surname or draw.choice(SURNAMES)) + given


def surname_of(name: str) -> str:
    """Return the surname a name starts with."""
    return next((each for each in SURNAMES[-2:] if name.startswith(each)), name[0])


def misheard(name: str) -> str:
    """Return `name` with its last character written as another of a like sound."""
    last = name[-1]
    return name[:-1] + HEARD_AS.get(last, "宁" if last != "宁" else "凝")


def village_names(draw: Random, count: int) -> list[str]:
    """Return `count` different village names; every fifth is a community."""
    places = [first + second for first in _PLACE_FIRST for second in _PLACE_SECOND]
    draw.shuffle(places)
    # more villages than places: the older ones keep the bare name
    rounds = ("", "新", "东", "西", "上", "下", "大")
    named = [prefix + place for prefix in rounds for place in places][:count]
    return [f"{name}{'社区' if at % 5 == 4 else '村'}" for at, name in enumerate(named)]
