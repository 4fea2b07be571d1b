"""The working calendar as data: worked hours by area, holidays and make-up workdays."""
