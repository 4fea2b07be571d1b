"""The JSON API: one file per noun, and the OpenAPI document of them all."""

from fastapi import APIRouter

from web.api import (
    about,
    account,
    admission,
    alarm,
    bulk,
    calendar,
    category,
    claim,
    coapproval,
    delivery,
    desk,
    discussion,
    dispatch,
    duty,
    escalation,
    files,
    health,
    hierarchy,
    hotspot,
    importing,
    incident,
    intake,
    lookup,
    module,
    notice,
    one_grid,
    organisation,
    policy_draft,
    position,
    responsibility,
    statistics,
    supervision,
    task_force,
    timeline,
    trend,
    weekly,
    whistle,
)

NOUNS = (
    about, health, account, calendar, duty, files, hierarchy, category, intake, bulk, desk, incident, discussion,
    policy_draft, escalation, supervision, whistle, claim, weekly, coapproval, importing, statistics, hotspot, timeline,
    notice, delivery,
    organisation, module, task_force, one_grid,
    responsibility, admission, dispatch, position, trend,
    lookup,
    alarm,
)  # fmt: skip
routers: list[APIRouter] = [noun.routes for noun in NOUNS]
