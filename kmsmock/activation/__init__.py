"""What tests use to run code with a mock: decorators, environment variables, boto3 clients."""
