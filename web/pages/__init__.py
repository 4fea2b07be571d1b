"""Pages for people: each file is one page, rendered here and updated in parts by htmx."""

from web.pages import (
    account,
    accounts,
    admissions,
    approvals,
    bulk,
    calendar,
    categories,
    claims,
    command,
    deliveries,
    desk,
    dispatch_settings,
    dispatching,
    drill,
    duty,
    figures,
    grids,
    imports,
    incident,
    incidents,
    ladders,
    lists,
    login,
    modules,
    notices,
    one_grid,
    onsite,
    organisation,
    people,
    plans,
    policies,
    report,
    supervision,
    talk,
    task_forces,
    weekly,
    whistles,
    whose,
)

routers = [
    page.router
    for page in (
        login, command, desk, report, whose, incidents, bulk, talk, supervision, whistles, claims, weekly, approvals,
        incident, imports, plans, grids, figures, account, people, accounts, calendar, duty, notices, deliveries,
        policies, ladders, categories, drill,
        lists, admissions,
        organisation, modules, task_forces, one_grid,
        dispatching, dispatch_settings, onsite,
    )
]  # fmt: skip
