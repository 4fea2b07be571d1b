"""The JSON API: one file per noun, and the OpenAPI document of them all."""

from fastapi import APIRouter

from web.api import about, account, files, hierarchy, importing, incident, intake, responsibility, statistics

NOUNS = (about, account, files, hierarchy, responsibility, intake, incident, importing, statistics)
routers: list[APIRouter] = [noun.routes for noun in NOUNS]
