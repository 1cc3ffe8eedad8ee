"""What does each part of AU-LLM add?  Rows that differ from the reference in one thing, trained and tested alike."""
