-- Let a supervision order be for the desk of a street, over a border too.

ALTER TABLE supervision_order ADD COLUMN unit_code VARCHAR(32);
UPDATE supervision_order SET unit_code = whistle_call.unit_code
FROM whistle_call WHERE whistle_call.order_id = supervision_order.id;
