"""What RDS does with KMS: a flow for each operation, whichever mock stores the databases.

`kms_calls` has the single calls, `keys` the choice of a key and the errors for one that cannot be
used, `encryption` what RDS remembers of encrypted storage; `databases`, `derived` and `snapshots`
have the flows. `lost_keys` are keys that cannot be used any more, `unrecorded` is the encryption of
what another mock has stored without a record.
"""
