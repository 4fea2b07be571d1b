-- Who sits at which level at the instant :at: the holders of a role on the beginning of a code, and the people of a
-- department by its name.

SELECT named.seat, present.key, present.account_id
FROM (
    -- sitting.sql
) AS present
JOIN unnest(CAST(:roles AS text[]), CAST(:levels AS text[])) AS named (role, seat) ON named.role = present.role
UNION
SELECT 'department', present.body, present.account_id
FROM (
    -- sitting.sql
) AS present
WHERE present.body IS NOT NULL
