-- Who sits where at the instant :at, as (role, key, account_id, body): `key` is the beginning of the codes of the area,
-- `body` the department of whoever holds the seat, `also` the task forces that person is a member of.
--
-- Whoever stands in the roster of a seat sits by turns as long as that roster runs, from its first turn to the end of its
-- last; whoever stands in none always sits where the grant says. A substitute sits while no main does. Whoever is on
-- leave is covered, or leaves the seat empty.

SELECT sits.role, sits.key, someone.id AS account_id, holder.body, holder.also
FROM (
    WITH turn AS MATERIALIZED (
        SELECT shift.role, shift.code AS key, shift.substitute, shift.account_id AS holder,
               CASE WHEN away.id IS NULL THEN shift.account_id ELSE away.cover_id END AS someone
        FROM shift
        LEFT JOIN leave away ON away.account_id = shift.account_id AND away.begins <= :at AND away.ends > :at
        WHERE shift.begins BETWEEN CAST(:at AS timestamptz) - interval '24 hours' AND :at AND shift.ends > :at
    )
    SELECT role, key, holder, someone FROM turn
    WHERE NOT substitute OR NOT EXISTS (
        SELECT FROM turn main
        WHERE main.role = turn.role AND main.key = turn.key AND NOT main.substitute AND main.someone IS NOT NULL)
    UNION ALL
    SELECT granted.role, granted.code, granted.account_id,
           CASE WHEN away.id IS NULL THEN granted.account_id ELSE away.cover_id END
    FROM role_grant granted
    LEFT JOIN leave away ON away.account_id = granted.account_id AND away.begins <= :at AND away.ends > :at
    WHERE {unrostered}
) AS sits
JOIN account holder ON holder.id = sits.holder
JOIN account someone ON someone.id = sits.someone AND someone.active
