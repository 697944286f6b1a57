"""Did the shares that are more exposed react more? A cross-section regression with placebo inference."""
