"""Conditions that people write and conditions made at random, and results to judge by them."""

from __future__ import annotations

import random

WRITTEN = """\
result[0] >= 0.95
result[0] < 0.95
len(result) > 0 && result[0] >= 0.95
len(result) == 0 || result[0] >= 0.95
all(result, # >= 0.95)
all(result, {# >= 0.95})
any(result, # < 0.95)
none(result, # < 0.95)
one(result, # < 0.95)
sum(result) < 5
mean(result) < 5
median(result) < 5
max(result) < 5
min(result) < 5
max(result) < 5 and min(result) > 0
max(1,2) < 3
default(result, 0) >= 0.5
isNil(result)
default(result,[0])[0] > 0.5
result >= 0.95
result == 1
result != 1
asFloat(result) > 0.5
asInt(result) > 0
asFloat(result[0]) > 0.5
asInt(result[0]) > 0
isNan(result[0])
isNaN(result[0])
!isNaN(result[0])
not isNaN(result[0]) and not isInf(result[0])
len(result) == 1 && !isNaN(result[0]) && !isInf(result[0]) && result[0] >= 0.95
result[0] = 0.95
result[0] > 5%
result[0] > NaN
result[0] > '0.95'
# comment
true
false
1
"true"
nil
1/0 > 5
1/0 == 1/0
0.1 < result[0] < 0.99
0.1 < result[0] && result[0] < 0.99
result[-1] > 0.5
result[1] > 0.5
result[0] > 0.5 ? true : false
result[0] + 1 > 1.5
result[0] * 100 >= 95
result[0] / result[1] > 1
result[0] % 2 == 0
5 % 2 == 1
2 ** 3 == 8
-result[0] < 0
-result[0] ^ 2 < 0
!result[0]
!(result[0] > 1)
not (result[0] > 1)
result[0] > 1 or result[0] < 0.5
result[0] > 1 || result[0] < 0.5 && len(result) > 1
count(result, # > 0.5) == len(result)
count(result, # > 0.5) / len(result) > 0.5
count(result) > 1
filter(result, # > 0.5)[0] > 1
len(filter(result, # > 0.5)) > 0
map(result, # * 2)[0] > 1
sum(map(result, # * 2)) > 1
sum(result, # * 2) > 1
find(result, # > 0.5) > 0.6
first(result) > 0.5
last(result) > 0.5
abs(result[0]) > 0.5
ceil(result[0]) > 0.5
floor(result[0]) >= 1
round(result[0]) >= 1
int(result[0]) >= 1
float(result[0]) >= 1
result.ok
result.ok == true
result.ok == "yes"
result.value > 5
result["value"] > 5
result.a.b > 5
result?.a?.b > 5
(result?.a?.b ?? 0) > 5
result.missing ?? 0 > 5
(result.missing ?? 10) > 5
result.items[0].v > 1
all(result.items, .v > 1)
all(result.items, {.v > 1})
all(result.items, #.v > 1)
result.name contains "x"
result.name startsWith "x"
not (result.name contains "x")
result.name not contains "x"
result contains "ok"
result == "ok"
result == nil
result != nil
result == true
result
result.value == 7
result.value > "5"
asFloat(result.text) > 5
asInt(result.text) > 5
isNaN(result.value)
isInf(result.value)
isNaN(1)
result[0] == result[0]
result == [1]
len(result) in [1]
len("abc") == 3
len(result) >= 1 and result[0] < 0.01
result[0] >= .5
result[0] >= 1e-3
result[0] >= 0x10
result[0] >= 1_000
(result[0] >= 0.5
result[0] >= 0.5)
result[0] > = 0.5
result[0] >= 0.5 &&
result[0] >= 0.5 & true
result [0] >= 0.5
len(result)
foo(result)
foo > 1
max() > 1
len() > 1
all(result, #)
all(result)
# > 1
result[0.5] > 1
result["a"] > 1
result[true] > 1
result[0] > true
true > false
true && 1
true == 1
nil == nil
result[0] == nil
result[0] <= 0.05 || isNaN(result[0])
isInf(result[0]) || result[0] > 2
mean(result) >= 0 && len(result) > 0
mean(result[0]) > 0.5
sum(result[0]) > 0.5
max(result[0], 1) > 0.5
max(result, 1) > 0.5
'a' < 'b'
[1,2][0] == 1
[1,2,][0] == 1
[result[0]][0] > 0.5
any([1,2], # > 1)
result[0] - 1 <= -0.05
+result[0] > 0
not not (result[0] > 0.5)
!!(result[0] > 0.5)
result[0] != result[0]
result[0] > 0.5 ? "a" : "b"
result[0] > 0.5 ? 1 : 2
result > 0 && isNil(result) == false
default(result, 1) > 0
default(result, 1) == 1
isNil(result) || result < 5
asFloat(default(result, 1)) > 0
1 < 2 < 3
3 > 2 > 1 == true
result[0]>=0.95and true
result[0] >= 0.95 // c
any(result, # > 1) || any(result, # < 0)
all(result, # > 1) && all(result, # < 10)
none(result, # > 1) && none(result, # < 0)
any(result, isNaN(#))
all(result, !isNaN(#) && # < 1)
all(result, !isNaN(#)) && len(result) > 0
len(filter(result, isNaN(#))) == 0
count(result, isNaN(#)) == 0
34300510230987210 == 34300510230987208.0
len(result) + 9007199254740993 > 9007199254740992.0
9223372036854775808 > result[0]
9223372036854775807 > result[0]""".splitlines()

VECTORS = [[], ["0.97"], ["0.2"], ["NaN"], ["+Inf"], ["-Inf"], ["0"], ["1"], ["0.97", "0.2"], ["0.2", "0.97"]]
VECTORS += [["NaN", "3"], ["3", "NaN"], ["7", "8", "9"]]
DOCUMENTS = [None, True, False, 0.5, 7, "ok", "xok", "7", [], [0.97], [0.97, 0.2], [1, "a"], [None], {}]
DOCUMENTS += [
    {"ok": True},
    {"ok": "yes"},
    {"value": 7, "text": "7.5", "name": "xyz"},
    {"a": {"b": 7}},
    {"a": None},
]
DOCUMENTS += [{"value": "7", "text": "7", "name": "abc"}, {"items": [{"v": 2}, {"v": 3}]}, {"items": []}]
DOCUMENTS += [{"items": [{"v": 0}]}]
RESULTS = [("vector", v) for v in VECTORS] + [("scalar", v) for v in ("0.97", "NaN", "+Inf", "0", "7")]
RESULTS += [("nil", None)] + [("json", document) for document in DOCUMENTS]


def random_condition(rng, depth=3):
    """A boolean expression over a list of numbers, most of the time a sensible one."""
    if depth == 0 or rng.random() < 0.3:
        return _comparison(rng, depth)
    kind = rng.randrange(6)
    a, b = random_condition(rng, depth - 1), random_condition(rng, depth - 1)
    if kind == 0:
        return f"{a} {rng.choice(('&&', 'and'))} {b}"
    if kind == 1:
        return f"{a} {rng.choice(('||', 'or'))} {b}"
    if kind == 2:
        return f"{rng.choice(('!', 'not '))}({a})"
    if kind == 3:
        return f"({a})"
    if kind == 4:
        return f"{rng.choice(('all', 'any', 'none', 'one'))}(result, {_over(rng)})"
    return f"({a}) ? ({b}) : {rng.choice(('true', 'false'))}"


def _comparison(rng, depth):
    if rng.random() < 0.15:
        return rng.choice(
            ("isNaN(result[0])", "!isNaN(result[0])", "isInf(result[0])", "true", "isNil(result)")
        )
    order = rng.choice(("<", ">", "<=", ">=", "==", "!="))
    return f"{_number(rng, depth)} {order} {_number(rng, depth)}"


def _over(rng):
    tests = ("# > 0.5", "{# >= 0.95}", "!isNaN(#)", "# * 2 < 1", "isInf(#) || # == 1", "# != #")
    return rng.choice(tests)


def _number(rng, depth):
    leaves = (
        "0.95",
        "1",
        "0",
        "5",
        "result[0]",
        "result[0]",
        "result[1]",
        "result[-1]",
        "len(result)",
        "-1",
        "1e3",
    )
    if depth == 0 or rng.random() < 0.5:
        return rng.choice(leaves)
    a, b = _number(rng, depth - 1), _number(rng, depth - 1)
    forms = (
        f"{a} + {b}",
        f"{a} - {b}",
        f"{a} * {b}",
        f"{a} / {b}",
        f"({a})",
        f"-({a})",
        f"abs({a})",
        f"{rng.choice(('sum', 'mean', 'median', 'max', 'min'))}(result)",
        f"count(result, {_over(rng)})",
        f"len(filter(result, {_over(rng)}))",
        f"{rng.choice(('max', 'min'))}({a}, {b})",
        f"{rng.choice(('floor', 'ceil', 'round'))}({a})",
        f"asFloat({a})",
        f"{a} % {b}",
        f"sum(map(result, # * {b}))",
        f"({a} > 0 ? {a} : {b})",
    )
    return rng.choice(forms)


def random_conditions(seed, count):
    """Random conditions, some of them with a character lost."""
    rng = random.Random(seed)
    for _ in range(count):
        text = random_condition(rng)
        if rng.random() < 0.1:
            at = rng.randrange(len(text))
            text = text[:at] + text[at + 1 :]
        yield text
