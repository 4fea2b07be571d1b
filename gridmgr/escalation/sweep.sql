-- Climb the rungs that are due of the clocks :ids, which the caller has locked, each once.
--
-- A case is locked only if it may be handed to another level, or a rung calls somebody about it; whoever moves it just now makes us skip it until the
-- next sweep. So nobody here ever waits, and no circle can close.
-- One row comes back for each rung that reaches somebody, hands its case to a level, or calls; `served` counts the clocks.

WITH narrowed AS MATERIALIZED (
    SELECT c.id, incident_id, stage, next_rung, next_rung_at, rung_times, due_at, policy -> 'ladder' AS ladder
    FROM unnest(CAST(:ids AS bigint[])) AS locked (id)
    JOIN case_clock c ON c.id = locked.id
),
-- Several rungs of one clock may be due, when nobody has swept for a while.
rung AS MATERIALIZED (
    SELECT id, incident_id, stage, due_at AS limit_at, n AS rung, rung_at, rung_times[n + 2] AS following_at,
           n = next_rung AND rung_at < next_rung_at AS waited,
           ladder -> n ->> 'act' AS act, ladder -> n ->> 'level' AS level,
           (ladder -> n ->> 'share')::float AS share,
           (ladder -> n ->> 'answer_amount')::float AS answer_amount, ladder -> n ->> 'answer_unit' AS answer_unit,
           array_position(CAST(:holders AS text[]), ladder -> n ->> 'level') AS height
    FROM narrowed
    CROSS JOIN LATERAL unnest(rung_times[next_rung + 1 :]) WITH ORDINALITY AS later (rung_at, place)
    CROSS JOIN LATERAL (SELECT next_rung + place::int - 1 AS n) AS counted
    WHERE rung_at <= :at
),
held AS MATERIALIZED (
    SELECT id, level FROM incident
    WHERE id IN (SELECT incident_id FROM rung WHERE act = 'take_over' OR act = ANY(CAST(:calls AS text[])))
    FOR NO KEY UPDATE SKIP LOCKED
),
placed AS MATERIALIZED (
    SELECT rung.*, i.number, i.category_id, i.severity, i.address, i.handler, i.handler_code, i.owner, i.owner_code,
           array_position(CAST(:holders AS text[]), coalesce(held.level, i.level)) AS holder,
           coalesce(i.micro_grid_code, i.community_code, i.street_code, '') AS home,
           act = 'take_over' AND (ARRAY[i.micro_grid_code, i.community_code, i.street_code, ''])[height]
               IS NOT NULL AS takes
    FROM rung
    JOIN incident i ON i.id = rung.incident_id
    LEFT JOIN held ON held.id = rung.incident_id
    WHERE rung.id NOT IN (
        SELECT id FROM rung
        WHERE (act = 'take_over' OR act = ANY(CAST(:calls AS text[]))) AND incident_id NOT IN (SELECT id FROM held))
),
-- A case is handed only to a level it has, above the one that holds it; else that level is told.
taken AS (
    SELECT id, rung, height > greatest(holder, max(height) OVER (
               PARTITION BY incident_id ORDER BY rung_at, id, rung
               ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)) AS really
    FROM placed
    WHERE takes
),
-- Whom each rung names, as `seat` does.
named AS (
    SELECT id, rung, level AS seat,
           CASE WHEN level <> 'department' THEN home WHEN handler_code IS NULL THEN handler END AS key
    FROM placed
    UNION ALL
    SELECT id, rung, 'people_of', handler_code FROM placed WHERE level = 'department' AND handler_code IS NOT NULL
    -- Whoever was first to receive it answers for it until another has taken it in hand.
    UNION ALL
    SELECT id, rung, 'department', owner FROM placed WHERE level = 'department' AND owner_code IS NULL
    UNION ALL
    SELECT id, rung, 'people_of', owner_code FROM placed WHERE level = 'department' AND owner_code IS NOT NULL
),
{reach}
-- Where nobody is on duty just now, a rung of a case that is not urgent waits for the turn that begins next, but no
-- longer than until the rung after it is due, nor than :patience.
waiting AS MATERIALIZED (
    SELECT placed.id, placed.rung, least(min(turn.begins), min(following_at)) AS until
    FROM placed
    JOIN unnest(CAST(:roles AS text[]), CAST(:levels AS text[])) AS named (role, seat) ON named.seat = placed.level
    CROSS JOIN LATERAL (SELECT left(home, n) AS code FROM generate_series(0, length(home)) n) AS around
    JOIN shift turn ON turn.role = named.role AND turn.code = around.code AND turn.begins > :at
        AND turn.begins < rung_at + CAST(:patience AS interval)
    LEFT JOIN leave away ON away.account_id = turn.account_id AND away.cover_id IS NULL
        AND away.begins <= turn.begins AND away.ends > turn.begins
    WHERE EXISTS (SELECT FROM shift WHERE begins > :at)
      AND away.id IS NULL AND severity < :urgent AND act <> 'take_over'
      AND (following_at IS NULL OR following_at > :at)
      AND (placed.id, placed.rung) NOT IN (SELECT id, rung FROM reached)
    GROUP BY placed.id, placed.rung
),
-- Where nobody sits at the level, the next one above where somebody does is told instead.
instead AS MATERIALIZED (
    SELECT DISTINCT ON (placed.id, placed.rung) placed.id, placed.rung, seat.seat AS level,
           array_agg(DISTINCT account_id) AS accounts
    FROM placed
    JOIN width ON array_position(CAST(:holders AS text[]), seat) >= coalesce(height + 1, holder)
    JOIN seat ON seat.seat = width.seat AND seat.key = left(home, letters)
    WHERE (placed.id, placed.rung) NOT IN (SELECT id, rung FROM reached)
    GROUP BY placed.id, placed.rung, seat.seat
    ORDER BY placed.id, placed.rung, array_position(CAST(:holders AS text[]), seat.seat)
),
climbed AS (
    INSERT INTO rung_climbed (clock_id, rung, climbed_at, due_at, act, level, reached, note)
    SELECT placed.id, placed.rung, :at, rung_at,
           CASE WHEN act = 'take_over' AND really IS NOT TRUE THEN 'tell' ELSE act END, placed.level,
           coalesce(cardinality(reached.accounts), 0),
           CASE WHEN reached.id IS NULL THEN coalesce(instead.level, 'nobody') WHEN waited THEN 'waited' ELSE '' END
    FROM placed
    LEFT JOIN taken USING (id, rung)
    LEFT JOIN reached USING (id, rung)
    LEFT JOIN instead USING (id, rung)
    WHERE (placed.id, placed.rung) NOT IN (SELECT id, rung FROM waiting)
    ON CONFLICT DO NOTHING
    RETURNING clock_id, rung, act
),
advanced AS (
    UPDATE case_clock
    SET next_rung = coalesce(last + 1, next_rung), next_rung_at = coalesce(until, case_clock.rung_times[last + 2])
    FROM (
        SELECT id, max(rung) FILTER (WHERE until IS NULL) AS last, max(until) AS until
        FROM placed LEFT JOIN waiting USING (id, rung)
        GROUP BY id
    ) AS climbed
    WHERE case_clock.id = climbed.id
    RETURNING case_clock.id
)
SELECT (SELECT count(*) FROM advanced) AS served, told.*
FROM (VALUES (1)) AS always (one)
LEFT JOIN (
    SELECT incident_id, stage, climbed.act, placed.level, share, limit_at,
           coalesce(reached.accounts, instead.accounts, '{}') AS accounts, number, category_id, address,
           answer_amount, answer_unit
    FROM climbed
    JOIN placed ON placed.id = climbed.clock_id AND placed.rung = climbed.rung
    LEFT JOIN reached ON reached.id = placed.id AND reached.rung = placed.rung
    LEFT JOIN instead ON instead.id = placed.id AND instead.rung = placed.rung
    WHERE climbed.act = 'take_over' OR climbed.act = ANY(CAST(:calls AS text[]))
       OR reached.id IS NOT NULL OR instead.id IS NOT NULL
    ORDER BY rung_at, placed.id, placed.rung
) AS told ON true
