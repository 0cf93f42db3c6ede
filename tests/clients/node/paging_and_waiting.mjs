// Lists keys, one a page, and waits for snapshots. Arguments: ids of snapshots.
import { EC2Client, waitUntilSnapshotCompleted } from "@aws-sdk/client-ec2";
import { KMSClient, paginateListKeys } from "@aws-sdk/client-kms";

const keys = [];
const sizes = [];
for await (const page of paginateListKeys({ client: new KMSClient(), pageSize: 1 }, {})) {
  keys.push(...page.Keys.map((key) => key.KeyArn));
  sizes.push(page.Keys.length);
}

const options = { client: new EC2Client(), maxWaitTime: 60, minDelay: 1 };
const states = [];
for (const id of process.argv.slice(2)) {
  try {
    states.push((await waitUntilSnapshotCompleted(options, { SnapshotIds: [id] })).state);
  } catch (error) {
    states.push(JSON.parse(error.message).state);
  }
}
console.log(JSON.stringify({ keys, sizes, states }));
