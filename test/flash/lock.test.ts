import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { composeBundle } from "../../tools/flash/compose-bundle.js";
import { type LockStep, type LockTerms, planLock } from "../../tools/flash/lock-plan.js";
import type { ChipLocks, FoundChip } from "../../tools/flash/plan.js";
import { bootDigestOf } from "../../tools/provisioning/flash/secure-boot.js";
import { build, image } from "./builds.js";
import { crc, makeBootKey, signedImage } from "./signed-image.js";

const C3 = 5;
const [XTS, DIGEST0] = [4, 9];
const digest = new Uint8Array(32).fill(0xd1);

const terms = (chip = C3): LockTerms => ({
  bundle: composeBundle("p1-adapter", 3, build(chip)),
  ...{ folder: "/made/bundle", port: "/dev/ttyUSB0", bootDigest: digest },
  files: { flashKey: "flash-key.bin", digest: "boot-digest.bin" },
});

const fresh: ChipLocks = {
  ...{ cryptCount: 0, keyPurposes: [0, 0, 0, 0, 0, 0], isSecureBoot: false, isSecureDownload: false },
  ...{ revoked: [false, false, false], isPadJtagOff: false, isDownloadCacheOff: false },
  efuses: { hiddenKeys: 0, isHidingOver: false, isManualEncryptOff: false, bootDigest: undefined },
};

const found = (locks: Partial<ChipLocks> = {}, chip = C3): FoundChip => ({
  ...{ chip, name: "a chip", mac: undefined, flashBytes: undefined },
  ...{ isLocked: false, isEncrypted: false, isSecureBoot: false, locks: { ...fresh, ...locks } },
});

function stepsOf(...[given, chip]: Parameters<typeof planLock>): readonly LockStep[] {
  const plan = planLock(given, chip);
  assert.equal(plan.type, "plan", JSON.stringify(plan));
  return plan.type === "plan" ? plan.steps : [];
}

const burns = (steps: readonly LockStep[]) =>
  steps.flatMap(({ commands }) =>
    commands.filter(([tool]) => tool === "espefuse").map((words) => words.slice(5).join(" ")),
  );

test("burns flash encryption before secure boot, and Secure Download Mode last", () => {
  assert.deepEqual(burns(stepsOf(terms(), found())), [
    "burn-key BLOCK_KEY0 flash-key.bin XTS_AES_128_KEY",
    "burn-efuse SPI_BOOT_CRYPT_CNT 7",
    "burn-efuse DIS_DOWNLOAD_MANUAL_ENCRYPT 1 DIS_DOWNLOAD_ICACHE 1 DIS_DIRECT_BOOT 1 DIS_USB_JTAG 1 DIS_PAD_JTAG 1",
    "write-protect-efuse DIS_ICACHE",
    "burn-key BLOCK_KEY1 boot-digest.bin SECURE_BOOT_DIGEST0",
    "burn-efuse SECURE_BOOT_EN 1",
    "burn-efuse SECURE_BOOT_KEY_REVOKE1 1 SECURE_BOOT_KEY_REVOKE2 1",
    "write-protect-efuse RD_DIS",
    "burn-efuse ENABLE_SECURITY_DOWNLOAD 1",
  ]);
  assert.match(burns(stepsOf(terms(9), found({}, 9))).join("\n"), /DIS_DOWNLOAD_ICACHE 1 DIS_DOWNLOAD_DCACHE 1/);
});

test("encrypts each part for its own place, and writes all of them", () => {
  const { commands } = stepsOf(terms(), found())[1]!;
  assert.equal(commands.length, 5);
  assert.equal(
    commands[3]!.join(" "),
    "espsecure encrypt-flash-data --aes-xts --keyfile flash-key.bin --address 0x20000 --output flash-key.bin.xs_esp32.bin /made/bundle/xs_esp32.bin",
  );
  assert.match(commands[4]!.join(" "), /write-flash 0x0 .* 0x8000 .* 0xf000 .* 0x20000 flash-key\.bin\.xs_esp32\.bin$/);
});

test("takes free key blocks, never the last one for the key of the flash, and leaves done what the chip has", () => {
  const taken = burns(stepsOf(terms(), found({ keyPurposes: [8, 0, 5, 0, 0, 0] })));
  assert.match(taken[0]!, /^burn-key BLOCK_KEY1 /);
  assert.match(taken[4]!, /^burn-key BLOCK_KEY3 /);
  const last = planLock(terms(), found({ keyPurposes: [8, 8, 8, 8, 8, 0] }));
  assert.match(last.type === "refused" ? last.reason : "", /^no key block is free/);
  for (const keyPurposes of [
    [1, 1, 1, 1, 0, 1],
    [XTS!, 1, 1, 1, 1, 1],
  ]) {
    const none = planLock(terms(), found({ keyPurposes }));
    assert.match(none.type === "refused" ? none.reason : none.type, /^no key block is free for the hash/);
  }
  const five = burns(stepsOf(terms(), found({ keyPurposes: [1, 1, 1, 1, 0, 0] })));
  assert.deepEqual(
    [five[0]!, five[4]!].map((words) => words.slice(0, 19)),
    ["burn-key BLOCK_KEY4", "burn-key BLOCK_KEY5"],
  );
  const half = stepsOf(terms(), found({ cryptCount: 7, keyPurposes: [XTS!, 0, 0, 0, 0, 0] }));
  assert.deepEqual(
    half.map(({ isDone }) => isDone),
    [true, true, true, false, false, false, false, false],
  );
});

test("a chip on which all is burnt is locked, with its registers and without", () => {
  const all = {
    ...{ cryptCount: 7, keyPurposes: [XTS!, DIGEST0!, 0, 0, 0, 0], isSecureBoot: true },
    ...{ revoked: [false, true, true], isPadJtagOff: true, isDownloadCacheOff: true },
  };
  const efuses = { hiddenKeys: 1, isHidingOver: true, isManualEncryptOff: true, bootDigest: digest };
  const isLocked = (locks: Partial<ChipLocks>) => {
    const plan = planLock(terms(), found({ ...all, ...locks }));
    return plan.type === "plan" && plan.isLocked;
  };
  assert.equal(isLocked({ isSecureDownload: true, efuses: undefined }), true);
  assert.equal(isLocked({ isSecureDownload: false, efuses }), false);
  for (const open of [{ cryptCount: 1 }, { revoked: [false, true, false] }, { isPadJtagOff: false }])
    assert.equal(isLocked({ isSecureDownload: true, efuses: undefined, ...open }), false);
});

test("refuses what could not be locked any more, before anything is burnt", () => {
  const reason = (locks: Partial<ChipLocks>, chip = C3) => {
    const plan = planLock(terms(), found(locks, chip));
    return plan.type === "refused" ? plan.reason : plan.type;
  };
  const efuses = fresh.efuses!;
  assert.match(reason({}, 9), /is for the ESP32-C3$/);
  assert.match(reason({ isSecureBoot: true }), /none could be hidden any more/);
  assert.match(reason({ efuses: { ...efuses, isHidingOver: true } }), /none could be hidden any more/);
  const readable = { keyPurposes: [0, XTS!, 0, 0, 0, 0], efuses: { ...efuses, isHidingOver: true, hiddenKeys: 1 } };
  assert.match(reason(readable), /the key of its flash can be read/);
  assert.match(reason({ cryptCount: 3 }), /switched off again/);
  assert.match(reason({ revoked: [true, false, false] }), /is revoked/);
  const other = { ...efuses, bootDigest: new Uint8Array(32).fill(7) };
  assert.match(reason({ efuses: other }), /what the key 0707070707070707 has signed, .* d1d1d1d1d1d1d1d1$/);
  const plan = planLock(terms(), { ...found(), locks: undefined });
  assert.match(plan.type === "refused" ? plan.reason : "", /does not say how it is locked/);
});

test("knows the key that has signed an image, and no image that a chip would refuse", () => {
  const key = makeBootKey();
  const signed = signedImage(image(C3, 4, 20_000), key);
  const block = signed.subarray(-4_096);
  const expected = createHash("sha256").update(block.subarray(36, 812)).digest();
  assert.deepEqual(Buffer.from(bootDigestOf("a.bin", signed)), expected);
  const changed = (at: number) => {
    const bytes = Uint8Array.from(signed);
    bytes[at]! ^= 1;
    return () => bootDigestOf("a.bin", bytes);
  };
  const start = signed.length - 4_096;
  assert.throws(() => bootDigestOf("a.bin", image(C3, 4, 20_000)), /a\.bin is not signed for secure boot/);
  assert.throws(changed(start), /is not signed/);
  assert.throws(changed(start + 1), /signed by a scheme of number 3/);
  assert.throws(changed(100), /was changed after it was signed/);
  for (const at of [424, 808, 812, 1_196])
    assert.throws(changed(start + at), /its block of signature is damaged/, String(at));
  const others = signedImage(image(C3, 4, 20_000), makeBootKey());
  const mixed = Buffer.from(signed);
  others.copy(mixed, start + 812, start + 812, start + 1_196);
  mixed.writeUInt32LE(crc(mixed.subarray(start, start + 1_196)), start + 1_196);
  assert.throws(() => bootDigestOf("a.bin", mixed), /its signature does not verify/);
});
