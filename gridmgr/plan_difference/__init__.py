"""What two plans, or a plan and today, would do differently: ground, buildings, people and cases."""
