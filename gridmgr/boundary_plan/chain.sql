-- The edits that led to one, the newest first. :tip is the id of the last one.
WITH RECURSIVE chain AS (
    SELECT id, before_id FROM plan_edit WHERE id = :tip
    UNION ALL
    SELECT plan_edit.id, plan_edit.before_id FROM plan_edit JOIN chain ON plan_edit.id = chain.before_id
)
SELECT id FROM chain ORDER BY id DESC
