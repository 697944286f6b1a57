"""Who could react when: opens and closes around an announcement, and lead and lag between two markets."""
