"""AWS services beside KMS, one package each, as far as tests of key access need them.

A service has up to three parts, each a module or a package: ``kms_use``, what it does with KMS;
``answered``, what answers its requests; and ``beside``, what is done when something else stores.
"""
