"""AWS services beside KMS, one package each, as far as tests of key access need them.

A service has up to three parts, each a module or a package: ``kms_use``, the calls that it makes to
KMS; ``answered``, the operations that this mock answers; and ``beside``, what is done around calls
that another store, such as moto, answers. What a mock keeps for the service is in ``state``.
"""
