#!/usr/bin/env bash
# Copies an encrypted EBS snapshot to another account with the AWS CLI alone, v1 or v2.
#
# It needs a running server, and the environment variables that this prints:
#
#     kmsmock serve
#
# AWS is the command of the AWS CLI, by default `aws`.
set -euo pipefail
: "${AWS_ENDPOINT_URL:?is the URL of the server: start it with kmsmock serve}"
export AWS_DEFAULT_REGION=us-east-1 AWS_PAGER='' AWS_SESSION_TOKEN=''
source=111122223333
target=444455556666

aws_as() { # ACCOUNT ARGUMENTS...: the id of an account is the access key of its administrator
  AWS_ACCESS_KEY_ID=$1 AWS_SECRET_ACCESS_KEY=any \
    "${AWS:-aws}" --endpoint-url "$AWS_ENDPOINT_URL" --output text "${@:2}"
}

allow() { # ACTION ACCOUNT CONDITION: a statement of a key policy
  printf '{"Effect": "Allow", "Action": "%s", "Principal": {"AWS": "arn:aws:iam::%s:root"},' "${@:1:2}"
  printf '"Resource": "*", "Condition": %s}' "$3"
}

copy() { # prints the id of the copy
  aws_as "$target" ec2 copy-snapshot --source-region us-east-1 --source-snapshot-id "$snapshot" \
    --encrypted --kms-key-id "$target_key" --query SnapshotId
}

describe() { # COPY MEMBER
  aws_as "$target" ec2 describe-snapshots --snapshot-ids "$1" --query "Snapshots[0].$2"
}

# The source has a key for itself, and a snapshot under it that it shares.
own=$(allow 'kms:*' "$source" '{}')
source_key=$(aws_as "$source" kms create-key --query KeyMetadata.Arn \
  --policy "{\"Version\": \"2012-10-17\", \"Statement\": [$own]}")
volume=$(aws_as "$source" ec2 create-volume --availability-zone us-east-1a --size 1 \
  --encrypted --kms-key-id "$source_key" --query VolumeId)
aws_as "$source" ec2 wait volume-available --volume-ids "$volume"
snapshot=$(aws_as "$source" ec2 create-snapshot --volume-id "$volume" --query SnapshotId)
aws_as "$source" ec2 wait snapshot-completed --snapshot-ids "$snapshot"
aws_as "$source" ec2 modify-snapshot-attribute --snapshot-id "$snapshot" \
  --attribute createVolumePermission --operation-type add --user-ids "$target"
echo "The snapshot $snapshot is shared with $target."

# The target has a key of its own. It cannot use that of the source yet: the copy fails.
target_key=$(aws_as "$target" kms create-key --query KeyMetadata.Arn)
refused=$(copy)
if aws_as "$target" ec2 wait snapshot-completed --snapshot-ids "$refused" 2>/dev/null; then
  echo "the copy $refused should have failed" >&2
  exit 1
fi
echo "Without the key policy the copy fails: $(describe "$refused" StateMessage)."

# EBS works with a grant for its own use, which the target may create once the key policy says so.
shared=$(allow kms:CreateGrant "$target" '{"Bool": {"kms:GrantIsForAWSResource": "true"}}')
aws_as "$source" kms put-key-policy --key-id "$source_key" --policy-name default \
  --policy "{\"Version\": \"2012-10-17\", \"Statement\": [$own, $shared]}"
copied=$(copy)
aws_as "$target" ec2 wait snapshot-completed --snapshot-ids "$copied"
echo "With the key policy it is there, under $(describe "$copied" KmsKeyId)."

# The grant has done its work, and the copy needs the source's key no more.
matching="contains(CloudTrailEvent, '$source_key') && contains(CloudTrailEvent, '$target')"
grants=$(aws_as "$source" cloudtrail lookup-events --query "length(Events[?$matching])" \
  --lookup-attributes AttributeKey=EventName,AttributeValue=CreateGrant)
left=$(aws_as "$source" kms list-grants --key-id "$source_key" \
  --query "length(Grants[?contains(GranteePrincipal, '$target')])")
echo "For the copy, a grant of the source's key was created ($grants), and is retired ($left left)."
aws_as "$source" kms disable-key --key-id "$source_key"
volume=$(aws_as "$target" ec2 create-volume --availability-zone us-east-1a \
  --snapshot-id "$copied" --query VolumeId)
aws_as "$target" ec2 wait volume-available --volume-ids "$volume"
echo "A volume of the copy is available: $volume."
