"""What EC2 and EBS do with KMS, whether this mock or another one stores volumes and snapshots.

`kms_calls` has the single calls and `target_keys` the choice of the key; the other modules have a
flow for each operation that uses KMS. `resources` says what a host has to know of a volume or
snapshot, `state` is what EBS itself remembers of keys, and `unrecorded` is the encryption of what
another mock has stored without a record.

Source: Amazon EBS User Guide, "How Amazon EBS encryption works"; AWS KMS Developer Guide, "How
Amazon EBS uses AWS KMS".
"""
