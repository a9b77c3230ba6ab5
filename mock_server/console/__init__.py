"""The console: the mock in a browser. What its forms do is done by `Control`, as for the control API."""
