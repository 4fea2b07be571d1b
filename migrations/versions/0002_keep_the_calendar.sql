-- Keep the calendar: worked hours by area, holidays and make-up workdays.

CREATE TABLE special_day (
    day DATE NOT NULL,
    code VARCHAR(32) NOT NULL,
    kind VARCHAR(16) NOT NULL,
    name VARCHAR(64) NOT NULL,
    CONSTRAINT pk_special_day PRIMARY KEY (day, code)
);

CREATE TABLE worked_hours (
    code VARCHAR(32) NOT NULL,
    first_day DATE NOT NULL,
    weekdays JSONB NOT NULL,
    spans JSONB NOT NULL,
    CONSTRAINT pk_worked_hours PRIMARY KEY (code, first_day)
);
