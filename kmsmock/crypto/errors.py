class CryptoError(Exception):
    pass


class DecryptionFailed(CryptoError):
    pass
