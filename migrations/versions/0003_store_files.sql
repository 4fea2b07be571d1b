-- Store files by their content.

SELECT 1;
