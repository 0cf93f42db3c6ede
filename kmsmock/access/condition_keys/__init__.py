"""The declarations of all condition keys, a module for each topic.

Source: AWS KMS Developer Guide, "Condition keys for AWS KMS"; IAM User Guide, "AWS global condition
context keys".
"""

from kmsmock.access.condition_keys import (  # noqa: F401 - they declare the condition keys
    grants,
    keys,
    parameters,
    principals,
    requests,
)
