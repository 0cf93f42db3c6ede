"""Mocks over HTTP: a server on the loopback address, and what other processes need to reach it."""
