// Encrypts with the AWS Encryption SDK, and decrypts a message. Arguments: a key, the message.
import { buildClient, CommitmentPolicy, KmsKeyringNode } from "@aws-crypto/client-node";

const [keyId, message] = process.argv.slice(2);
const { encrypt, decrypt } = buildClient(CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT);
const keyring = new KmsKeyringNode({ generatorKeyId: keyId });

const { plaintext } = await decrypt(keyring, Buffer.from(message, "base64"));
const { result } = await encrypt(keyring, "theirs", { encryptionContext: { purpose: "test" } });
console.log(
  JSON.stringify({ decrypted: plaintext.toString(), encrypted: result.toString("base64") }),
);
