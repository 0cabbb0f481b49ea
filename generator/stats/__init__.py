"""Pure mathematics of canaries and quality gates.

A *look* is one interim analysis of accumulating data, the word of sequential statistics; everywhere else in Sluice it
is a measurement of the controller.
"""
