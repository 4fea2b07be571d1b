"""The command room (综合信息指挥室) of a street: one look at its modules, bodies, people on duty and open cases."""
