"""What is measured, not asserted: run with ``make bench`` on an otherwise idle machine."""
