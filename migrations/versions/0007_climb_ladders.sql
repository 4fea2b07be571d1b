-- Climb ladders: policies, clocks and the rungs they have climbed.

SELECT 1;
