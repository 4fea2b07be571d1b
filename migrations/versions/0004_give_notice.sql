-- Give notice: inboxes, wishes, ways out, and the log of what was delivered.

SELECT 1;
