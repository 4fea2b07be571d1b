-- Who sits where: the holders of a role on the beginning of a code, and the people of a department by its name.
--
-- The one door by which duty rosters will come in: whoever is not on duty has no seat.

SELECT sits.seat, g.code AS key, g.account_id
FROM role_grant g
JOIN account a ON a.id = g.account_id AND a.active
JOIN unnest(CAST(:roles AS text[]), CAST(:levels AS text[])) AS sits (role, seat) ON sits.role = g.role
UNION ALL
SELECT 'department', a.body, a.id FROM account a WHERE a.active AND a.body IS NOT NULL
