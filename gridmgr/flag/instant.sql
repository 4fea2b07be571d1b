-- Cases that one person reported and closed within minutes, several times on one day.
WITH quick AS (
    SELECT told.incident_id, told.actor_id, told.actor_name, told.occurred_at AS begins, ended.occurred_at AS ends,
           CAST(ended.occurred_at AT TIME ZONE :zone AS date) AS day
    FROM incident
    JOIN incident_event told ON told.incident_id = incident.id AND told.seq = 1
    JOIN incident_event ended ON ended.incident_id = incident.id AND ended.actor_id = told.actor_id
        AND ended.action IN ('close', 'settle') AND ended.occurred_at = incident.closed_at
    WHERE incident.closed_at >= :since AND incident.closed_at < :until
      AND ended.occurred_at - told.occurred_at <= make_interval(mins => CAST(:instant_minutes AS integer))
)
SELECT concat_ws(':', actor_id, day) AS key, actor_id AS account_id, max(actor_name) AS name,
       min(begins) AS begins, max(ends) AS ends, array_agg(incident_id ORDER BY incident_id) AS cases,
       jsonb_build_object('n', count(*), 'minutes', :instant_minutes, 'day', day) AS evidence
FROM quick GROUP BY actor_id, day HAVING count(*) >= :instant_least
