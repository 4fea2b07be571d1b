-- Keep the calendar: worked hours by area, holidays and make-up workdays.

SELECT 1;
