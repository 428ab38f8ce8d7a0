"""Measurements of one study that several checks use: its region, walls, surface, curves, importance."""
