"""The app, tab by tab: what visitors see and do.  Files named `..._tab` lay out and wire, all others do the work."""
