"""AWS's protocols: an HTTP request in, the HTTP answer of a mock out; without sockets."""
