-- Report-ins to whistles from elsewhere: neither near the place nor in its micro-grid.
SELECT CAST(call.id AS text) AS key, deed.actor_id AS account_id,
       coalesce(deed.actor_name, call.arrived_name, call.body) AS name, call.arrived_at AS begins,
       call.arrived_at AS ends, ARRAY[whistle.incident_id] AS cases,
       jsonb_build_object('metres', round(CAST(call.distance_m AS numeric)), 'whistle', whistle.id,
                          'body', call.body) AS evidence
FROM whistle_call call
JOIN whistle ON whistle.id = call.whistle_id
LEFT JOIN LATERAL (
    SELECT actor_id, actor_name FROM whistle_deed
    WHERE whistle_deed.whistle_id = whistle.id AND whistle_deed.deed = 'report_in' AND whistle_deed.body = call.body
    ORDER BY whistle_deed.seq DESC LIMIT 1
) deed ON true
WHERE call.far AND call.arrived_at >= :since AND call.arrived_at < :until
