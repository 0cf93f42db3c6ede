"""How pytest shows the errors that a mock answers with: line of the test, error, and note."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import ModuleType

import pytest

RunAlone = Callable[..., pytest.RunResult]
INSIDE = ("*botocore*.py*", "*kmsmock*.py*", "*contextlib.py*")
IMPORTS = """
import boto3
import pytest

def encrypt(client, key_id):
    return client.encrypt(KeyId=key_id, Plaintext=b"text")
"""
#: What the tests do, and a part of the note that must be in the output.
ROWS = {
    "misspelt_alias": (
        """
def test_it(kms, kms_key_factory):
    kms_key_factory(alias="alias/orders")
    encrypt(boto3.client("kms"), "alias/order")
""",
        "*The nearest alias is 'alias/orders'.*",
    ),
    "missing_context": (
        """
def test_it(kms, kms_key):
    tenant = {"StringEquals": {"kms:EncryptionContext:tenant": "a"}}
    allow = {"Effect": "Allow", "Action": "kms:*", "Resource": "*", "Condition": tenant}
    role = kms.account("123456789012").role("App", policies={"Statement": allow})
    encrypt(role.client(), kms_key.arn)
""",
        "*Pass EncryptionContext={'tenant': 'a'} in the request*",
    ),
    "base64": (
        """
def test_it(kms, kms_key):
    import base64
    blob = encrypt(boto3.client("kms"), kms_key.id)["CiphertextBlob"]
    boto3.client("kms").decrypt(CiphertextBlob=base64.b64encode(blob))
""",
        "*CiphertextBlob is Base64 text*",
    ),
    "waiter": (
        """
def test_it(kms):
    ec2 = kms.client("ec2")
    ec2.get_waiter("snapshot_completed").wait(SnapshotIds=["snap-0"])
""",
        "*WaiterError: Waiter SnapshotCompleted failed*",
    ),
    "waiter_that_ends": (
        """
def test_it(kms):
    ec2 = kms.client("ec2")
    volume = ec2.create_volume(AvailabilityZone=ec2.meta.region_name + "a", Size=1)["VolumeId"]
    ec2.get_waiter("volume_in_use").wait(VolumeIds=[volume])
""",
        "*The last answer has State 'available'.*",
    ),
    "parameters_that_the_client_refuses": (
        """
def test_it(kms):
    encrypt(boto3.client("kms"), 1)
""",
        "*Invalid type for parameter KeyId, value: 1*",
    ),
    "a_service_that_nothing_answers": (
        """
@pytest.mark.kms(block_real_aws=True)
def test_it(kms):
    boto3.client("sqs", region_name="eu-west-1").get_queue_url(QueueName="a")
""",
        "*nothing answers this request.*",
    ),
    "a_region_that_cannot_exist": (
        """
def test_it(kms):
    encrypt(boto3.client("kms", region_name="us-east-1a"), "alias/none")
""",
        "*the nearest Region is us-east-1.*",
    ),
    "no_mock": (
        """
def test_it(monkeypatch):
    monkeypatch.delenv("AWS_DEFAULT_REGION", raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", "none")
    encrypt(boto3.client("kms"), "alias/none")
""",
        "*no mock of KMS is active: use the `kms` fixture or `@mock_kms`*",
    ),
    "an_argument_of_a_mock": (
        """
def test_it(kms):
    kms.faults.fail("Encript", "DisabledException")
""",
        "*KMS has no operation 'Encript'; did you mean 'Encrypt'?*",
    ),
    "a_time_in_the_past": (
        """
def test_it(kms):
    kms.clock.advance(days=-1)
""",
        "*the clock of a mock only moves forward*",
    ),
    "a_policy_for_a_role": (
        """
def test_it(kms):
    wrong = {"Effect": "Allow", "Actions": "kms:*", "Resource": "*"}
    kms.account("123456789012").role("App", policies={"Statement": wrong})
""",
        "*has the unknown element 'Actions'; did you mean 'Action'?*",
    ),
    "an_unfired_fault": (
        """
def test_it(kms):
    kms.faults.fail("Encrypt", "DisabledException", key="alias/none")
    kms.client().list_keys()
""",
        "*there is no key 'alias/none', and no call has named it*",
    ),
    "fixture": (
        """
@pytest.fixture
def blob(kms):
    return encrypt(boto3.client("kms"), "alias/none")

def test_it(blob): ...
""",
        "*There is no alias in this account and Region.*",
    ),
    "cause": (
        """
def test_it(kms):
    try:
        encrypt(boto3.client("kms"), "alias/none")
    except Exception as error:
        raise RuntimeError("no key") from error
""",
        "*There is no alias in this account and Region.*",
    ),
    "wire": (
        """
@pytest.mark.kms(wire=True)
def test_it(kms):
    encrypt(boto3.client("kms"), "alias/none")
""",
        "*There is no alias in this account and Region.*",
    ),
}
MISSPELT = ROWS["misspelt_alias"][0]


@pytest.mark.parametrize(("text", "note"), ROWS.values(), ids=list(ROWS))
def test_the_output_has_the_note_and_no_frames_of_the_client(
    run_alone: RunAlone, text: str, note: str
) -> None:
    result = run_alone(IMPORTS + text)

    result.stdout.fnmatch_lines([note])
    result.stdout.fnmatch_lines(["*test_it.py*"])
    for line in INSIDE:
        result.stdout.no_fnmatch_line(line)


@pytest.mark.parametrize("style", ["long", "short", "line", "auto"])
def test_the_frames_are_hidden_in_each_style(run_alone: RunAlone, style: str) -> None:
    result = run_alone(IMPORTS + MISSPELT, f"--tb={style}")

    result.stdout.fnmatch_lines(["*test_it.py:*NotFoundException*"])
    result.stdout.no_fnmatch_line("*botocore*client.py*")


@pytest.mark.parametrize("option", ["--full-trace", "--tb=native"])
def test_pytest_shows_the_frames_on_demand(run_alone: RunAlone, option: str) -> None:
    result = run_alone(IMPORTS + MISSPELT, option)

    result.stdout.fnmatch_lines(["*botocore*client.py*", "*The nearest alias is 'alias/orders'.*"])


@pytest.mark.parametrize(
    "code",
    [
        'boto3.client("kms").create_keys()',
        'boto3.client("kms", config=1)',
    ],
    ids=["an operation that the client does not have", "an argument that botocore reads later"],
)
def test_errors_of_botocore_itself_keep_the_frames(run_alone: RunAlone, code: str) -> None:
    text = f"""
@pytest.mark.kms(block_real_aws=True)
def test_it(kms):
    with pytest.raises(Exception):
        encrypt(boto3.client("kms"), "alias/none")
    {code}
"""
    result = run_alone(IMPORTS + text)

    result.stdout.fnmatch_lines(["*botocore*.py*"])


def test_the_debugger_starts_where_the_error_was_raised(run_alone: RunAlone) -> None:
    debugger = """
import pdb

class Debugger(pdb.Pdb):
    def interaction(self, frame, error):
        # An exception since Python 3.13, a traceback before.
        traceback = getattr(error, "__traceback__", error)
        while traceback is not None:
            print("FRAME", traceback.tb_frame.f_globals["__name__"])
            traceback = traceback.tb_next
"""
    result = run_alone(debugger + IMPORTS + MISSPELT, "--pdb", "--pdbcls=test_it:Debugger", "-s")

    result.stdout.fnmatch_lines(["FRAME test_it", "FRAME botocore.client"])


STRANGE = """
class WithoutText(Exception):
    def __str__(self):
        return self.args[0]

class Several(Exception):
    exceptions = {"of": "another meaning"}

class Count(Exception):
    exceptions = 5

def test_text():
    raise WithoutText(5)

def test_several():
    raise Several("several")

def test_count():
    raise Count("count")

class Proxy:
    @property
    def __dict__(self):
        raise RuntimeError("outside of a request")

    __class__ = __dict__

proxy = Proxy()

async def own():
    pass

def test_proxy():
    coroutine = own()
    try:
        assert coroutine["a"], proxy
    finally:
        coroutine.close()
"""


def test_exceptions_of_any_shape_fail_their_tests_only(
    run_alone: RunAlone, monkeypatch: pytest.MonkeyPatch
) -> None:
    # While it is imported, errors are searched for a missing `await`.
    monkeypatch.setitem(sys.modules, "aiobotocore", ModuleType("aiobotocore"))

    result = run_alone(STRANGE)

    result.assert_outcomes(failed=4)
    result.stdout.no_fnmatch_line("*INTERNALERROR*")
