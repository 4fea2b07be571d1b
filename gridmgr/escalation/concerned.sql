-- Who is concerned by what becomes of the cases :ids: the level that holds each, and the people at work on it.

WITH placed AS (
    SELECT id, level, handler, handler_code, owner, owner_code,
           coalesce(micro_grid_code, community_code, street_code, '') AS home
    FROM incident
    WHERE id = ANY(CAST(:ids AS bigint[]))
),
named AS (
    SELECT id, 0 AS rung, level AS seat, home AS key FROM placed
    UNION ALL SELECT id, 0, 'department', handler FROM placed WHERE handler_code IS NULL
    UNION ALL SELECT id, 0, 'people_of', handler_code FROM placed WHERE handler_code IS NOT NULL
    UNION ALL SELECT id, 0, 'department', owner FROM placed WHERE owner_code IS NULL
    UNION ALL SELECT id, 0, 'people_of', owner_code FROM placed WHERE owner_code IS NOT NULL
),
{reach}
found AS (SELECT id, accounts FROM reached)
SELECT id, accounts FROM found ORDER BY id
