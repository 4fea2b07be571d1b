"""Looking on site before a public report is accepted and after a case was fed back: who is sent, who goes."""
