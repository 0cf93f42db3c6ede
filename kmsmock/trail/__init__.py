"""The records of calls as CloudTrail shows them, made when somebody looks.

Source: AWS KMS Developer Guide, "Logging AWS KMS API calls with CloudTrail"; AWS CloudTrail User
Guide, "CloudTrail record contents".
"""
