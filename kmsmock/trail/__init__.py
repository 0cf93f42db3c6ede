"""CloudTrail records, made from the records of calls when they are accessed.

Source: AWS KMS Developer Guide, "Logging AWS KMS API calls with CloudTrail"; AWS CloudTrail User
Guide, "CloudTrail record contents".
"""
