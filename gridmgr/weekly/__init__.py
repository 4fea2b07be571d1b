"""The weekly work report (工作周报): what each person and each street has done in a week, from the records alone."""
