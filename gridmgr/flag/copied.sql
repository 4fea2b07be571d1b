-- Descriptions that one person wrote on several cases, word for word.
SELECT concat_ws(':', reporter_id, md5(told), to_char(max(reported_at), 'IYYY-IW')) AS key,
       reporter_id AS account_id, max(account.name) AS name, min(reported_at) AS begins, max(reported_at) AS ends,
       array_agg(cases.id ORDER BY cases.id) AS cases,
       jsonb_build_object('n', count(*), 'text', left(told, 60)) AS evidence
FROM (
    SELECT id, reporter_id, reported_at, btrim(description) AS told FROM incident
    WHERE reported_at >= :since AND reported_at < :until AND reporter_id IS NOT NULL AND state <> 'merged'
) cases
JOIN account ON account.id = reporter_id
WHERE length(told) >= :copied_length
GROUP BY reporter_id, told HAVING count(*) >= :copied_least
