-- Of the departments :bodies, and (body null) of the own people around the codes :around: when the turns that run at the
-- instant :at end, and when the next ones begin, by the area they are for. Whoever is away and not covered does not come.

SELECT holder.body, shift.code, max(shift.ends) FILTER (WHERE shift.begins <= :at),
       min(shift.begins) FILTER (WHERE shift.begins > :at)
FROM shift
JOIN account holder ON holder.id = shift.account_id AND holder.body = ANY(CAST(:bodies AS text[]))
WHERE shift.ends > :at AND shift.begins < CAST(:at AS timestamptz) + interval '14 days'
  AND shift.begins > CAST(:at AS timestamptz) - interval '24 hours'
  AND NOT EXISTS (
      SELECT FROM leave away
      WHERE away.account_id = shift.account_id AND away.cover_id IS NULL
        AND away.begins <= greatest(shift.begins, :at) AND away.ends > greatest(shift.begins, :at))
GROUP BY holder.body, shift.code
UNION ALL
SELECT NULL, shift.code, max(shift.ends) FILTER (WHERE shift.begins <= :at),
       min(shift.begins) FILTER (WHERE shift.begins > :at)
FROM shift
WHERE shift.role = ANY(CAST(:roles AS text[])) AND shift.code = ANY(CAST(:around AS text[]))
  AND shift.ends > :at AND shift.begins < CAST(:at AS timestamptz) + interval '14 days'
  AND NOT EXISTS (
      SELECT FROM leave away
      WHERE away.account_id = shift.account_id AND away.cover_id IS NULL
        AND away.begins <= greatest(shift.begins, :at) AND away.ends > greatest(shift.begins, :at))
GROUP BY shift.code
