"""Mistakes that type checkers find: each line that ends with this word is an error, no other is."""

from kmsmock import Account, KmsKey, KMSMock, Principal, connect, mock_kms

mock_kms(regoin="eu-west-1")  # error
mock_kms(account_id=123456789012)  # error
mock_kms(delays="some")  # error
mock_kms(authorization="enforce")  # error
mock_kms(wire="yes")  # error
mock_kms(leak_check=True)  # error
mock_kms(account_id="123456789012", wire=True)
connect(4599)  # error
connect("http://127.0.0.1:4599", timeout="5")  # error
connect("http://127.0.0.1:4599").cals()  # error


def misuse(kms: KMSMock, account: Account, principal: Principal, key: KmsKey) -> None:
    kms.calls.assert_caled("Decrypt")  # error
    kms.answer(None)  # error
    kms.calls.append(None)  # error
    account.rolle("App")  # error
    principal.client(region=5)  # error
    print(key.alias)  # error
