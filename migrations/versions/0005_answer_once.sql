-- Answer once: the answers to requests that may be sent again.

SELECT 1;
