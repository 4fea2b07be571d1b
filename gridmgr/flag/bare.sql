-- Cases closed by a person without a photo of what was done, though their category asks for one.
SELECT concat_ws(':', ended.actor_id, CAST(ended.occurred_at AT TIME ZONE :zone AS date)) AS key,
       ended.actor_id AS account_id, max(ended.actor_name) AS name, min(ended.occurred_at) AS begins,
       max(ended.occurred_at) AS ends, array_agg(incident.id ORDER BY incident.id) AS cases,
       jsonb_build_object('n', count(*), 'day', CAST(ended.occurred_at AT TIME ZONE :zone AS date)) AS evidence
FROM incident
JOIN category ON category.id = incident.category_id AND category.closing_needs @> '["photo"]'
JOIN incident_event ended ON ended.incident_id = incident.id AND ended.action IN ('close', 'settle')
    AND ended.occurred_at = incident.closed_at AND ended.actor_id IS NOT NULL
WHERE incident.closed_at >= :since AND incident.closed_at < :until
  AND incident.state IN ('closed', 'evaluated') AND incident.result_photos = 0
GROUP BY ended.actor_id, CAST(ended.occurred_at AT TIME ZONE :zone AS date)
