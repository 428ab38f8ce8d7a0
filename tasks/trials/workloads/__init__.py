"""Workloads that ship: embedded data sets, small models, and surfaces with a planted truth."""
