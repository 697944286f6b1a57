"""What moves what over several events: responses to news, paths after shocks, and the event that drives a mean."""
