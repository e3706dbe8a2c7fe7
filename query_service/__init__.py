"""Query service: reports, traces and checks over the folded rows."""
