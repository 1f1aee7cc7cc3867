"""Make a catalogue of what another publisher has: a feed, a WordPress export, a data file, Markdown."""
