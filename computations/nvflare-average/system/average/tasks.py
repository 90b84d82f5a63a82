"""What central asks of the sites, and the names under which the answers travel."""

SUMMARISE = "summarise"
PUBLISH = "publish"

SUMMARY = "summary"
RESULT = "result"
FAILURE = "failure"
