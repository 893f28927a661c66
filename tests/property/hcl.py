"""Random HCL as people write it: blocks, attributes, objects, lists, calls, heredocs and comments."""

import random

_STRINGS = (
    "public.ecr.aws/lambda/python:3.12", "", "a b", "${var.tag}", "x-${var.a}", '${lookup(m, "k")}', "$${no}", "é", "#",
    "//", "/*", "{", "}", "%{ if x }a%{ endif }",
)  # fmt: skip
_NAMES = ("a", "image_uri", "build-args", "x9")


def generate(seed: int) -> str:
    """Return the file of a seed."""
    dice = random.Random(seed)  # noqa: S311 - not for secrets
    return "".join(_item(dice, 0) for _ in range(dice.randint(1, 6)))


def _item(dice: random.Random, depth: int) -> str:
    match dice.randrange(8):
        case 0:
            return dice.choice(('# c "x"\n', "// 'y'\n", '/* "z"\n */\n', "\n"))
        case 1 | 2 if depth < 3:
            labels = "".join(f' "{dice.choice(_NAMES)}"' for _ in range(dice.randint(0, 2)))
            inner = "".join(_item(dice, depth + 1) for _ in range(dice.randint(0, 3)))
            return f"{dice.choice(_NAMES)}{labels} {{\n{inner}}}\n"
        case 3:
            dash = dice.choice(("", "-"))
            return f'{dice.choice(_NAMES)} = <<{dash}E\n  FROM "a" \n  ${{b}}\nE\n'
        case _:
            comment = dice.choice(("", "", " # after", ' // "after"'))
            return f"{'  ' * depth}{dice.choice(_NAMES)} = {_value(dice, depth)}{comment}\n"


def _value(dice: random.Random, depth: int) -> str:
    match dice.randrange(9 if depth < 3 else 4):
        case 0:
            return dice.choice(("1", "true", "null", "var.x", "-2.5", "var.a[0]"))
        case 1 | 2 | 3:
            return f'"{dice.choice(_STRINGS)}"'
        case 4:
            return f"[{', '.join(_value(dice, depth + 1) for _ in range(dice.randint(0, 3)))}]"
        case 5:
            return f"{dice.choice(('upper', 'concat'))}({_value(dice, depth + 1)}, {_value(dice, depth + 1)})"
        case 6:
            return f'var.x ? {_value(dice, depth + 1)} : "{dice.choice(_STRINGS[:3])}"'
        case 7:
            keys = (dice.choice(_NAMES), f'"{dice.choice(_NAMES)}"')
            parts = (f"{dice.choice(keys)} = {_value(dice, depth + 1)}" for _ in range(dice.randint(0, 3)))
            return f"{{ {', '.join(parts)} }}"
        case _:
            return f"(\n  {_value(dice, depth + 1)}\n)"
