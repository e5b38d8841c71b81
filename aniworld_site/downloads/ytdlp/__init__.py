"""yt-dlp in a process of its own, and which version of it. Knows neither Django nor what a source is."""
