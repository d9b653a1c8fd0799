"""Lessons: guided tours as API objects, their conditions, and how far each person has come."""
