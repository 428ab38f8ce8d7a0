"""What is measured of one study, for several checks: its region, walls, surface, curves, importance."""
