"""One module per stage that asks somebody something.

`ask` functions get a Subject and answer an Outcome; they touch no database, so that they may run
in threads. Whatever goes wrong outside becomes an Outcome that says so.
"""
