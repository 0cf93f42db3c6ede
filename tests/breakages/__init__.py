"""What breaks in tests of code that uses KMS, and the sentence of the note that names the fix."""
