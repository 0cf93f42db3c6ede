"""The condition keys, one declaration each, by what they are about.

Source: AWS KMS Developer Guide, "Condition keys for AWS KMS"; IAM User Guide, "AWS global condition
context keys".
"""

from kmsmock.access.condition_keys import (  # noqa: F401 - they declare the condition keys
    of_grants,
    of_keys,
    of_parameters,
    of_principals,
    of_requests,
)
