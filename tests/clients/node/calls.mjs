// Makes calls: reads one a line as JSON, and prints what it has returned or thrown.
//
// A call has `service`, `operation`, `parameters` and, if they are not those of the environment,
// `credentials`. Bytes are {"bytes": base64} in calls, and Base64 in answers.
import { createInterface } from "node:readline";

const clients = {};

async function findClient(service, credentials) {
  const name = JSON.stringify([service, credentials]);
  if (!(name in clients)) {
    const module = await import(`@aws-sdk/client-${service}`);
    const Client = Object.values(module).find(
      (each) => each.name?.toLowerCase() === `${service}client`,
    );
    clients[name] = [module, new Client(credentials ? { credentials } : {})];
  }
  return clients[name];
}

function fromJson(_, value) {
  return typeof value?.bytes === "string" ? Buffer.from(value.bytes, "base64") : value;
}

function toJson(_, value) {
  return value instanceof Uint8Array ? Buffer.from(value).toString("base64") : value;
}

async function answer({ service, operation, parameters, credentials }) {
  const [module, client] = await findClient(
    service,
    credentials && {
      accessKeyId: credentials.AccessKeyId,
      secretAccessKey: credentials.SecretAccessKey,
      sessionToken: credentials.SessionToken,
    },
  );
  try {
    const { $metadata, ...output } = await client.send(
      new module[`${operation}Command`](parameters),
    );
    return { output, attempts: $metadata.attempts };
  } catch (error) {
    const types = Object.entries(module).filter(
      ([, each]) => typeof each === "function" && error instanceof each,
    );
    return {
      code: error.name,
      message: error.message,
      types: types.map(([name]) => name),
      attempts: error.$metadata?.attempts,
    };
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  const answered = await answer(JSON.parse(line, fromJson));
  console.log(JSON.stringify(answered, toJson));
}
