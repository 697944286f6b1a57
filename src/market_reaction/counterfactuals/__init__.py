"""Did shares react beyond the market? Several counterfactuals side by side, for several shares at once."""
