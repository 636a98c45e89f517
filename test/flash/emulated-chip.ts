// A chip in download mode, for tests: the ROM's loader and esptool's stub by Espressif's "Serial Protocol" page, over bytes. It keeps
// what is written, and knows nothing of the code that writes.

import { createHash } from "node:crypto";
import { inflateSync } from "node:zlib";

const SLIP_END = 0xc0;
const SLIP_ESCAPE = 0xdb;
const escaped: Readonly<Record<number, number>> = { 220: SLIP_END, 221: SLIP_ESCAPE };

export interface ChipTerms {
  /** as GET_SECURITY_INFO numbers it: 5 for the ESP32-C3 */
  readonly chipId: number;
  /** bytes of flash: a power of two */
  readonly flashBytes: number;
  /** SECURE_DOWNLOAD_ENABLE: registers, memory and the stub are refused */
  readonly isLocked?: boolean;
  readonly isSecureBoot?: boolean;
  /** bits set of SPI_BOOT_CRYPT_CNT */
  readonly encryption?: number;
  /** what is burnt beside that */
  readonly burnt?: Burnt;
  /** flash that turns a bit of what is written at this address */
  readonly brokenAt?: number;
  /** commands after which it says nothing any more, as one whose cable was pulled */
  readonly diesAfter?: number;
}

/** eFuses as ESP-IDF's efuse_reg.h lays them out, and flags as the ROM tells them. */
export interface Burnt {
  /** of GET_SECURITY_INFO, beside those of secure boot and Secure Download Mode */
  readonly flags?: number;
  readonly keyPurposes?: readonly number[];
  /** words by their place behind the eFuses' base */
  readonly words?: ReadonlyMap<number, number>;
}

const EFUSES = 0x60008800;
const SPI_W0 = 0x60002058;
const MAC_LOW = 0x60008844;
const MAC_HIGH = 0x60008848;

export class EmulatedChip {
  readonly flash: Buffer;
  readonly commands: number[] = [];
  #stub = false;
  #packet: number[] | undefined;
  #isEscape = false;
  /** somebody burns eFuses between two looks */
  terms: ChipTerms;
  #writing: { offset: number; left: number; isDeflated: boolean; pieces: Buffer[] } | undefined;

  constructor(terms: ChipTerms) {
    this.terms = terms;
    this.flash = Buffer.alloc(terms.flashBytes, 0xff);
  }

  /** Takes bytes of the line; returns what the chip says to them. */
  receive(bytes: Uint8Array): Buffer {
    const answers: Buffer[] = [];
    for (const byte of bytes) {
      if (byte === SLIP_END) {
        if (this.#packet !== undefined && this.#packet.length > 0) {
          answers.push(...this.#answer(Buffer.from(this.#packet)));
          this.#packet = undefined;
        } else this.#packet = [];
        continue;
      }
      if (this.#packet === undefined) continue;
      if (byte === SLIP_ESCAPE) this.#isEscape = true;
      else {
        this.#packet.push(this.#isEscape ? escaped[byte]! : byte);
        this.#isEscape = false;
      }
    }
    return Buffer.concat(answers.map(slip));
  }

  #answer(packet: Buffer): Buffer[] {
    if (packet.length < 8 || packet[0] !== 0) return [];
    const op = packet[1]!;
    this.commands.push(op);
    if (this.commands.length > (this.terms.diesAfter ?? Number.POSITIVE_INFINITY)) return [];
    const body = packet.subarray(8);
    const said = (value: number, data: Buffer = Buffer.alloc(0), status = 0) => {
      const tail = this.#stub ? Buffer.from([status, 0]) : Buffer.from([status, status === 0 ? 0 : 5, 0, 0]);
      const answer = Buffer.alloc(8);
      answer[0] = 1;
      answer[1] = op;
      answer.writeUInt16LE(data.length + tail.length, 2);
      answer.writeUInt32LE(value >>> 0, 4);
      return Buffer.concat([answer, data, tail]);
    };
    const isLockedOut = this.terms.isLocked && [0x05, 0x06, 0x07, 0x09, 0x0a].includes(op);
    if (isLockedOut) return [said(0, Buffer.alloc(0), 1)];
    switch (op) {
      case 0x08: // SYNC
        return Array.from({ length: 8 }, () => said(this.#stub ? 0 : 0x20120707));
      case 0x14: // GET_SECURITY_INFO
        return [said(0, this.#security())];
      case 0x0a: // READ_REG
        return [said(this.#register(body.readUInt32LE(0)))];
      case 0x06: // MEM_END: the stub runs and greets
        this.#stub = true;
        return [said(0).subarray(0), Buffer.from("OHAI")];
      case 0x10: // FLASH_DEFL_BEGIN
      case 0x02: // FLASH_BEGIN
        this.#writing = {
          offset: body.readUInt32LE(12),
          left: body.readUInt32LE(4),
          isDeflated: op === 0x10,
          pieces: [],
        };
        return [said(0)];
      case 0x11: // FLASH_DEFL_DATA
      case 0x03: // FLASH_DATA
        return [said(0, Buffer.alloc(0), this.#take(body) ? 0 : 1)];
      case 0x13: // SPI_FLASH_MD5
        return [said(0, this.#md5(body.readUInt32LE(0), body.readUInt32LE(4)))];
      default: // what sets something that nobody reads back
        return [said(0)];
    }
  }

  #take(body: Buffer): boolean {
    const writing = this.#writing;
    if (writing === undefined || writing.left === 0) return false;
    writing.pieces.push(Buffer.from(body.subarray(16, 16 + body.readUInt32LE(0))));
    writing.left -= 1;
    if (writing.left > 0) return true;
    const whole = Buffer.concat(writing.pieces);
    const content = writing.isDeflated ? inflateSync(whole) : whole;
    content.copy(this.flash, writing.offset);
    const { brokenAt } = this.terms;
    if (brokenAt !== undefined && brokenAt >= writing.offset && brokenAt < writing.offset + content.length)
      this.flash[brokenAt]! ^= 1;
    return true;
  }

  #md5(offset: number, size: number): Buffer {
    const hash = createHash("md5").update(this.flash.subarray(offset, offset + size));
    return this.#stub ? hash.digest() : Buffer.from(hash.digest("hex"));
  }

  #security(): Buffer {
    const data = Buffer.alloc(20);
    const { isSecureBoot, isLocked, encryption, burnt } = this.terms;
    data.writeUInt32LE((isSecureBoot ? 1 : 0) | (isLocked ? 4 : 0) | (burnt?.flags ?? 0), 0);
    data[4] = encryption ?? 0;
    for (const [block, purpose] of (burnt?.keyPurposes ?? []).entries()) data[5 + block] = purpose;
    data.writeUInt32LE(this.terms.chipId, 12);
    return data;
  }

  #register(address: number): number {
    if (address === SPI_W0) return (Math.log2(this.terms.flashBytes) << 16) | 0x4020;
    if (address === MAC_LOW) return 0x33445566;
    if (address === MAC_HIGH) return 0x1122;
    return this.terms.burnt?.words?.get(address - EFUSES) ?? 0;
  }
}

function slip(packet: Buffer): Buffer {
  const bytes: number[] = [SLIP_END];
  for (const byte of packet) {
    if (byte === SLIP_END) bytes.push(SLIP_ESCAPE, 0xdc);
    else if (byte === SLIP_ESCAPE) bytes.push(SLIP_ESCAPE, 0xdd);
    else bytes.push(byte);
  }
  bytes.push(SLIP_END);
  return Buffer.from(bytes);
}
