"""Ant work (蚂蚁分工): work cut into small pieces that people on duty take up, do, and report done."""
