"""The page of the demo workspace: a small chat program in the browser."""
