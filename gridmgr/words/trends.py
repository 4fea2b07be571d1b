"""What trends, grades and flags call things."""

from gridmgr.words import HOLDERS, N_

TRENDS = {
    "activity": N_("Reported, closed, open"),
    "handling": N_("Handling time"),
    "ageing": N_("Ageing of open cases"),
    "flow": N_("From state to state"),
    "loops": N_("Small and large loop"),
    "levels": N_("Closed at which level"),
}
SERIES = {
    "reported": N_("Reported in the step"),
    "closed": N_("Closed in the step"),
    "open": N_("Open at its end"),
    "worked": N_("Worked hours"),
    "running": N_("Running hours"),
    "age_level": N_("Age by level"),
    "age_body": N_("Age by body at work"),
    "late_level": N_("Lateness by level"),
    "late_body": N_("Lateness by body at work"),
    "cases": N_("Cases"),
    "moves": N_("Steps taken"),
}
KEPT = {"in_time": N_("Within the limit"), "late": N_("After the limit"), "free": N_("Without a limit")}
LOOPS = {"small": N_("Small loop: the street alone"), "large": N_("Large loop: with departments")}
CLOSERS = HOLDERS | {"departments": N_("With departments (large loop)")}
STEP_NAMES = {"day": N_("By day"), "week": N_("By week"), "month": N_("By month")}

GRADES = {"red": N_("Red"), "yellow": N_("Yellow"), "green": N_("Green")}
GRADE_LETTERS = {"red": N_("R"), "yellow": N_("Y"), "green": N_("G")}
GRADE_REASONS = {
    "overdue": N_("{n} open cases are past their due time"),
    "repeats": N_("{n} places report the same matter time and again"),
    "rate": N_("{n} times as many reports per household as the district's middle grid"),
    "hazards": N_("{n} urgent cases are open"),
    "serious": N_("{n} serious cases are open"),
    "silence": N_("no patrol has reported anything for {n} days"),
}

FLAGS = {
    "instant": N_("Reported and closed within minutes by one person"),
    "flood": N_("Many more reports in an hour than usual"),
    "reused": N_("The same photo on several cases"),
    "alike": N_("Photos that look alike on several cases"),
    "bare": N_("Closed without the photo the category asks for"),
    "far": N_("Reported in far from the place"),
    "fives": N_("Always the best mark for one handler"),
    "copied": N_("The same description on several cases"),
}
FLAG_SAYS = {
    "instant": N_(
        "Worth a look: {n} cases were reported and closed within {minutes} minutes each, on {day}."
    ),
    "flood": N_(
        "Worth a look: {n} reports within an hour; usual in an hour are {own} for this person, {peers} for others."
    ),
    "reused": N_("Worth a look: one photo is on {n} cases."),
    "alike": N_("Worth a look: photos on {n} cases look alike ({bits} of 64 marks differ)."),
    "bare": N_("Worth a look: {n} cases were closed without the photo their category asks for, on {day}."),
    "far": N_("Worth a look: reported in {metres} m from the place of the case."),
    "fives": N_("Worth a look: all {n} evaluations for {handler} in {days} days have the best mark."),
    "copied": N_("Worth a look: the same description is on {n} cases: “{text}”"),
}
VERDICTS = {
    "dismissed": N_("Nothing to object to"),
    "talked": N_("Talked to"),
    "referred": N_("Referred"),
}
FLAG_STANDINGS = {"open": N_("Nobody has looked yet"), "reviewed": N_("Looked at"), "all": N_("All flags")}
