-- Photos that somebody sent and that are on several cases; the last one came in the days looked at.
WITH fresh AS (
    SELECT DISTINCT file.sha256
    FROM incident_event step
    JOIN incident_file file ON file.incident_id = step.incident_id AND file.seq = step.seq
    WHERE step.occurred_at >= :since AND step.occurred_at < :until AND file.media_type LIKE 'image/%'
      AND EXISTS (SELECT FROM file_sender WHERE file_sender.sha256 = file.sha256)
), used AS (
    SELECT file.sha256, file.incident_id, step.actor_id, step.actor_name, step.occurred_at,
           row_number() OVER (PARTITION BY file.sha256 ORDER BY step.occurred_at DESC, step.id DESC) AS back
    FROM fresh
    JOIN incident_file file USING (sha256)
    JOIN incident_event step ON step.incident_id = file.incident_id AND step.seq = file.seq
    JOIN incident ON incident.id = file.incident_id AND incident.state <> 'merged'
)
SELECT concat_ws(':', sha256, max(incident_id) FILTER (WHERE back = 1)) AS key,
       max(actor_id) FILTER (WHERE back = 1) AS account_id, max(actor_name) FILTER (WHERE back = 1) AS name,
       min(occurred_at) AS begins, max(occurred_at) AS ends,
       array_agg(incident_id ORDER BY incident_id) AS cases,
       jsonb_build_object('n', count(*), 'photos', jsonb_build_array(sha256)) AS evidence
FROM used GROUP BY sha256 HAVING count(*) > 1
