"""What RDS does with KMS: one flow for each operation, whoever stores databases and snapshots.

`kms_calls` has the single calls, `keys` the choice of a key and the errors for one that cannot be
used, `encryption` what RDS remembers of encrypted storage; `databases` and `snapshots` have the
flows.
"""
