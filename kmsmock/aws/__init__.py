"""Facts about AWS as data: ARNs, errors, operations, services, condition keys, prices."""
