"""What happened: one record for each call, and views of them."""
