"""What controllers decide, as pure functions: rollout arithmetic, deletion ranking, statuses, slices."""
