"""The way back after an abort: what was asked, what is restored, and how the branch is made."""
