"""The small shell of simulated containers: `syntax` → `expansion` → `interpreter`, with its `*commands` by subject.

Nothing is executed: commands are functions of the container's simulated files, network and clock.
"""
