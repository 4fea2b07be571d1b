-- Who is on duty at the instant :at for the unit whose code and all its beginnings are :around, and who is next at each
-- seat of it, the nearest seats first.
--
-- One row for each turn under way, for those that begin next at a seat, and for whoever of the four levels sits there
-- without a roster (begins and ends are null). `cover` sits instead of whoever is away.

WITH turn AS (
    SELECT shift.account_id, role, code, substitute, begins, ends, begins <= :at AS now,
           min(begins) FILTER (WHERE begins > :at) OVER (PARTITION BY role, code) AS next_at
    FROM shift
    WHERE role = ANY(CAST(:roles AS text[])) AND code = ANY(CAST(:around AS text[])) AND ends > :at
      AND begins < CAST(:at AS timestamptz) + interval '60 days'
    UNION ALL
    SELECT granted.account_id, role, code, false, NULL, NULL, true, NULL
    FROM role_grant granted
    WHERE code = ANY(CAST(:around AS text[])) AND role = ANY(CAST(:levels AS text[])) AND {unrostered}
)
SELECT turn.role, turn.code, holder.name, holder.body, away.id IS NOT NULL AS away, cover.name AS cover,
       turn.substitute, turn.begins, turn.ends, turn.now
FROM turn
JOIN account holder ON holder.id = turn.account_id AND holder.active
LEFT JOIN leave away ON away.account_id = turn.account_id
    AND away.begins <= greatest(turn.begins, :at) AND away.ends > greatest(turn.begins, :at)
LEFT JOIN account cover ON cover.id = away.cover_id AND cover.active
WHERE turn.now OR turn.begins = turn.next_at
ORDER BY NOT turn.now, length(turn.code) DESC, turn.role, turn.substitute, turn.begins, holder.name
