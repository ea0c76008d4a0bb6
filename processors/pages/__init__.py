"""Takes manifests and timelines and gives the HTML pages that a user looks at: a video's report, people, photos."""
