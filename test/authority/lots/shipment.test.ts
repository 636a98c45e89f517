// Shipment files: signed by the maker to the buyer and on from owner to owner, brought into a register, printed as labels.

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import decodeQR from "qr/decode.js";
import { equalKeys } from "../../../src/wire/key.js";
import { labelSheet, labelText } from "../../../tools/authority/lots/labels.js";
import { receiveShipment } from "../../../tools/authority/lots/receive.js";
import { handOn, type LotDevice, readShipment, signShipment } from "../../../tools/authority/lots/shipment.js";
import { auditRegister } from "../../../tools/authority/register/audit.js";
import { kidOf, NOW_S, newSigner, testAuthority } from "../authority.js";

const [maker, buyer, next] = [newSigner(), newSigner(), newSigner()];
const devices: readonly LotDevice[] = [1, 2, 3].map((number) => ({
  id: `M${number}`,
  kid: new Uint8Array(8).fill(number),
  origin: "device",
  firmware: number === 1 ? new Uint8Array(32).fill(9) : undefined,
}));
const sold = signShipment({ lot: "L1", devices, buyer: buyer.key, time_s: NOW_S }, maker);

test("a lot that was sold and handed on names its maker, its owners in their order, and its devices", () => {
  const handed = handOn(sold, { to: next.key, time_s: NOW_S + 1 }, buyer);
  const { lot, owners, time_s, devices: read, maker: by } = readShipment(handed);
  assert.deepEqual([lot, time_s, read], ["L1", NOW_S + 1, devices]);
  assert.ok(equalKeys(by, maker.key) && equalKeys(owners[0], buyer.key) && equalKeys(owners[1]!, next.key));
  assert.notDeepEqual(readShipment(handed).hash, readShipment(sold).hash);
});

test("only who owns a lot hands it on, and nobody hands on what was handed on before", () => {
  assert.throws(() => handOn(sold, { to: next.key, time_s: NOW_S }, maker), /not its owner's/);
  const handed = handOn(sold, { to: next.key, time_s: NOW_S }, buyer);
  assert.throws(() => handOn(handed, { to: buyer.key, time_s: NOW_S }, buyer), /not its owner's/);
  // Two buyers of one lot: the second transfer of the same owner does not follow the first.
  const other = handOn(sold, { to: newSigner().key, time_s: NOW_S }, buyer);
  const both = Buffer.concat([handed, other.subarray(sold.length)]);
  assert.throws(() => readShipment(both), /does not name what stands before it/);
});

test("refuses a shipment file with any byte changed, cut off or put behind", () => {
  const handed = handOn(sold, { to: next.key, time_s: NOW_S }, buyer);
  fc.assert(
    fc.property(fc.nat(handed.length - 1), fc.integer({ min: 1, max: 255 }), (place, change) => {
      const bytes = Uint8Array.from(handed);
      bytes[place]! ^= change;
      assert.throws(() => readShipment(bytes), { name: "WireError" });
    }),
  );
  fc.assert(
    fc.property(fc.nat(handed.length - 1), (length) => {
      if (length === sold.length) return;
      assert.throws(() => readShipment(handed.subarray(0, length)), { name: "WireError" });
    }),
  );
  assert.throws(() => readShipment(Uint8Array.of(...sold, 0)), { name: "WireError" });
});

test("refuses a lot without devices, with one twice, or with more than it may have", () => {
  const sell = (rows: readonly LotDevice[]) =>
    signShipment({ lot: "L1", devices: rows, buyer: buyer.key, time_s: NOW_S }, maker);
  assert.throws(() => sell([]), /no devices/);
  assert.throws(() => sell([devices[0]!, devices[0]!]), /names a device twice/);
  const many = Array.from({ length: 50_000 }, (_, place) => ({ ...devices[1]!, id: `M${place}` }));
  assert.equal(readShipment(sell(many)).devices.length, 50_000);
  assert.throws(() => sell([...many, devices[0]!]), /at most 50000/);
});

test("a shipment is received from a maker who is known, for the organisation whose key owns it, and goes to the next owner", async (t) => {
  const { register, anna, fitter, folder } = await testAuthority(t);
  assert.ok(folder);
  const shipped = readShipment(signShipment({ lot: "L1", devices, buyer: anna.key, time_s: NOW_S }, maker));
  const options = { maker: maker.key, now_s: NOW_S, isDry: false };
  assert.throws(
    () => receiveShipment(register, shipped, { ...options, maker: undefined }),
    /maker is that of no participant/,
  );
  assert.throws(() => receiveShipment(register, shipped, { ...options, maker: next.key }), /not by the maker named/);
  assert.throws(() => receiveShipment(register, readShipment(sold), options), /owner is that of no participant/);
  const dry = receiveShipment(register, shipped, { ...options, isDry: true });
  assert.equal(register.get("devices", "M1"), undefined);
  assert.deepEqual(receiveShipment(register, shipped, options), dry);
  assert.deepEqual(dry, { owner: "works", registered: 3, transferred: 0, unchanged: 0 });
  assert.deepEqual(register.get("devices", "M2"), {
    ...{ id: "M2", lot: "L1", key: "02".repeat(8), owner: "works" },
    shipment: Buffer.from(shipped.hash).toString("hex"),
  });
  assert.equal(receiveShipment(register, shipped, options).unchanged, 3);
  register.update(NOW_S, () => [
    { type: "organisation", organisation: { id: "other", name: "Other" } },
    { type: "transfer", device: "M3", to: "other" },
  ]);
  assert.equal(receiveShipment(register, shipped, options).transferred, 1);
  const usurped = signShipment(
    { lot: "L1", devices: [{ ...devices[0]!, kid: new Uint8Array(8) }], buyer: anna.key, time_s: 1 },
    maker,
  );
  assert.throws(
    () => receiveShipment(register, readShipment(usurped), options),
    /is registered as of lot L1 with key 0101/,
  );
  assert.notEqual(kidOf(anna), kidOf(fitter));
  assert.deepEqual(auditRegister(register).problems, []);
});

test("a label's code is read again by a scanner, and no text breaks out of the sheet", () => {
  const odd = { id: 'M<1>&"', kid: new Uint8Array(8).fill(0xab) };
  const sheet = labelSheet("L 1", [odd, ...devices]);
  assert.ok(!sheet.includes("M<1>") && sheet.includes("M&lt;1&gt;&amp;&quot;"));
  assert.equal(labelText("L 1", odd), "gridseal:M%3C1%3E%26%22?key=abababababababab&lot=L%201");
  for (const [place, device] of [odd, ...devices].entries()) {
    assert.equal(decodeQR(imageOf(sheet, place)), labelText("L 1", device));
  }
});

/** The modules of a label's path as a picture of four pixels a module. */
function imageOf(sheet: string, place: number) {
  const path = [...sheet.matchAll(/<path transform="scale\(([0-9.]+)\)" d="([^"]+)"/g)][place]!;
  const modules = Math.round(24 / Number(path[1]));
  const size = modules * 4;
  const data = new Uint8Array(size * size * 4).fill(255);
  for (const [, x, y] of path[2]!.matchAll(/M(\d+) (\d+)h1v1h-1z/g)) {
    for (let dy = 0; dy < 4; dy += 1) {
      for (let dx = 0; dx < 4; dx += 1) {
        const offset = ((Number(y) * 4 + dy) * size + Number(x) * 4 + dx) * 4;
        data.fill(0, offset, offset + 3);
      }
    }
  }
  return { width: size, height: size, data };
}
