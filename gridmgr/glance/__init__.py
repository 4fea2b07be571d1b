"""One unit at a glance: what lies below it, its cases, who is at work and who is on duty there."""
