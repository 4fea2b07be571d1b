-- Lead cases: side ways, tasks, talk, and what is needed to file and close.

SELECT 1;
