"""A unittest class: each test has a fresh world, its set-up included."""

import unittest

import boto3

from kmsmock import mock_kms


@mock_kms
class TestOrders(unittest.TestCase):
    def setUp(self):
        self.client = boto3.client("kms")
        self.key_id = self.client.create_key()["KeyMetadata"]["KeyId"]

    def test_there_is_just_the_key_of_the_set_up(self):
        keys = self.client.list_keys()["Keys"]

        self.assertEqual([key["KeyId"] for key in keys], [self.key_id])

    def test_so_it_is_in_the_next_test(self):
        self.assertEqual(len(self.client.list_keys()["Keys"]), 1)
