-- Evaluations that one person always gave the best mark for one handler; the last came in the days looked at.
SELECT concat_ws(':', step.actor_id, incident.handler, to_char(max(step.occurred_at), 'YYYY-MM')) AS key,
       step.actor_id AS account_id, max(step.actor_name) AS name, min(step.occurred_at) AS begins,
       max(step.occurred_at) AS ends, array_agg(DISTINCT incident.id) AS cases,
       jsonb_build_object('n', count(*), 'handler', incident.handler, 'days', :fives_days) AS evidence
FROM incident_event step
JOIN incident ON incident.id = step.incident_id AND incident.handler IS NOT NULL
WHERE step.occurred_at >= CAST(:until AS timestamptz) - make_interval(days => CAST(:fives_days AS integer))
  AND step.occurred_at < :until AND step.action = 'evaluate' AND step.actor_id IS NOT NULL
GROUP BY step.actor_id, incident.handler
HAVING count(*) >= :fives_least AND min(CAST(step.payload ->> 'satisfaction' AS integer)) = 5
   AND max(step.occurred_at) >= :since
