"""Who there is: departments, stations, teams and command rooms; and the modules a street is regrouped into."""
