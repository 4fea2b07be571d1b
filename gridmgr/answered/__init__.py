"""Answers to requests that may be sent again: what was done once is answered again, never done twice."""
