"""Tests of the tracker: `python3 -m unittest discover -t . -s tests` in the folder above. Each test has a home of its
own below the directory for temporary files and waits for conditions, never for a time."""
