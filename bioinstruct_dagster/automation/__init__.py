"""Jobs, schedules and sensors over the assets."""
