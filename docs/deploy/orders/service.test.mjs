// Tests of the service from outside; those of KMS are arranged by the control plane of kmsmock.
import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

async function control(method, path, body) {
  const headers = { "content-type": "application/json" };
  const sent = { method, headers, body: body && JSON.stringify(body) };
  const response = await fetch(`${process.env.KMSMOCK_URL}/_kmsmock/v1/${path}`, sent);
  assert.equal(response.status, 200, await response.clone().text());
  return response.json();
}

const order = (name, sent) => fetch(`${process.env.ORDERS_URL}/orders/${name}`, sent);

beforeEach(() => control("POST", "reset"));

test("an order is read as it was stored", async () => {
  assert.equal((await order("1", { method: "PUT", body: "two apples" })).status, 201);
  assert.equal(await (await order("1")).text(), "two apples");
});

test("the encryption context has the service and the order", async () => {
  await order("2", { method: "PUT", body: "a pear" });
  const { calls } = await control("GET", "calls?operation=Encrypt");
  assert.deepEqual(calls.at(-1).encryption_context, { service: "orders", order: "2" });
  assert.match(calls.at(-1).caller, /:user\/orders$/);
});

test("the service is unavailable while KMS is", async () => {
  await control("POST", "faults", { fault: "fail", operation: "Encrypt", code: "KMSInternalException", times: 2 });
  assert.equal((await order("3", { method: "PUT", body: "a plum" })).status, 503);
  assert.equal((await order("3", { method: "PUT", body: "a plum" })).status, 201);
});
