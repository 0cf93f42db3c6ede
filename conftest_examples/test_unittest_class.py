"""A unittest class: each test, with its set-up, has a mock of its own."""

import unittest

import boto3

from kmsmock import mock_kms


@mock_kms
class TestOrders(unittest.TestCase):
    def setUp(self):
        self.client = boto3.client("kms")
        self.key_id = self.client.create_key()["KeyMetadata"]["KeyId"]

    def test_the_set_up_has_created_the_only_key(self):
        keys = self.client.list_keys()["Keys"]

        self.assertEqual([key["KeyId"] for key in keys], [self.key_id])

    def test_the_next_test_has_one_key_too(self):
        self.assertEqual(len(self.client.list_keys()["Keys"]), 1)
