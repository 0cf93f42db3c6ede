// A service that stores texts encrypted: PUT and GET /orders/NAME. Nothing here knows of kmsmock.
import { createServer } from "node:http";
import { text } from "node:stream/consumers";
import { DecryptCommand, EncryptCommand, KMSClient, KMSServiceException } from "@aws-sdk/client-kms";

const kms = new KMSClient({ maxAttempts: 2 });
const stored = new Map();

async function answer(request) {
  const [, folder, name] = request.url.split("/");
  if (folder === "health") return [200, "ok"];
  if (folder !== "orders" || !name) return [404, "not found"];
  const EncryptionContext = { service: "orders", order: name };
  if (request.method === "PUT") {
    const Plaintext = Buffer.from(await text(request));
    const command = new EncryptCommand({ KeyId: process.env.KEY_ID, Plaintext, EncryptionContext });
    stored.set(name, (await kms.send(command)).CiphertextBlob);
    return [201, "stored"];
  }
  const CiphertextBlob = stored.get(name);
  if (!CiphertextBlob) return [404, "not found"];
  const decrypted = await kms.send(new DecryptCommand({ CiphertextBlob, EncryptionContext }));
  return [200, Buffer.from(decrypted.Plaintext)];
}

createServer(async (request, response) => {
  try {
    const [status, body] = await answer(request);
    response.writeHead(status).end(body);
  } catch (error) {
    if (!(error instanceof KMSServiceException)) throw error;
    response.writeHead(503).end(error.name);
  }
}).listen(Number(process.env.PORT));
