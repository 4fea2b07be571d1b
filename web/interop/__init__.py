"""Map protocols that other programs speak."""

from fastapi import APIRouter

from web.interop import tiles

routers: list[APIRouter] = [tiles.routes]
