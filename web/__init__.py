"""The intake page: where a village team sends its file, sees the verdicts and confirms."""
