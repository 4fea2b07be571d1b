"""Photos of a fictional district: drawn, a few of them, the same for a seed; evidence for cases that need some."""

import io
from random import Random

from PIL import Image, ImageDraw

NUMBER = 12
WIDTH, HEIGHT = 960, 720
SKIES = ("#a9c8e6", "#c9d6df", "#8fb3d9", "#d8cbb8")
WALLS = ("#c8b8a0", "#b0a8a0", "#d9d2c4", "#a58f7a")
THINGS = ("#7a5c3a", "#3a6b4c", "#b0413e", "#4a4a4a", "#d08a2e")


def photo(seed: int, number: int) -> bytes:
    """Return a JPEG of a street scene: sky, houses, road, and perhaps something that lies there."""
    chance = Random(f"{seed}/photo/{number}")
    picture = Image.new("RGB", (WIDTH, HEIGHT), chance.choice(SKIES))
    draw = ImageDraw.Draw(picture)
    ground = chance.randrange(430, 500)
    left = 0
    while left < WIDTH:
        width, top = chance.randrange(110, 260), chance.randrange(60, 300)
        draw.rectangle((left, top, left + width, ground), fill=chance.choice(WALLS), outline="#6d6459")
        for column in range(left + 22, left + width - 34, 52):
            for row in range(top + 26, ground - 50, 64):
                draw.rectangle((column, row, column + 26, row + 34), fill="#4f6274")
        left += width
    draw.rectangle((0, ground, WIDTH, ground + 70), fill="#b9b4aa")
    draw.rectangle((0, ground + 70, WIDTH, HEIGHT), fill="#6b6d70")
    for dash in range(chance.randrange(0, 90), WIDTH, 160):
        draw.rectangle((dash, ground + 175, dash + 90, ground + 185), fill="#e8e4da")
    for _ in range(chance.choice((0, 0, 3, 6))):
        x, y = chance.randrange(60, WIDTH - 160), ground + chance.randrange(10, 60)
        size = chance.randrange(24, 80)
        draw.ellipse((x, y - size // 2, x + size, y + size // 2), fill=chance.choice(THINGS))
    content = io.BytesIO()
    picture.save(content, "JPEG", quality=78)
    return content.getvalue()
