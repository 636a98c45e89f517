// What the hosts use of the Moddable SDK's modules, as its own sources have them; the SDK itself is not needed to check the types.

/** The SDK compiler takes this for a call of the C function of that name. */
declare function native(name: string): { call(self: unknown, ...arguments_: unknown[]): unknown };

declare module "timer" {
  export type TimerId = object;
  const Timer: {
    set(callback: () => void, delay_ms?: number): TimerId;
    repeat(callback: () => void, interval_ms: number): TimerId;
    clear(id: TimerId): void;
  };
  export default Timer;
}

/** the simulator's, where it has a window */
declare const screen: object;

declare module "commodetto/Poco" {
  import type { QRCode } from "qrcode";
  export interface Font {
    readonly height: number;
  }
  export default class Poco {
    constructor(screen: object, options?: { readonly displayListLength: number });
    readonly width: number;
    readonly height: number;
    makeColor(red: number, green: number, blue: number): number;
    begin(): void;
    end(): void;
    fillRectangle(color: number, x: number, y: number, width: number, height: number): void;
    drawText(text: string, font: Font, color: number, x: number, y: number): void;
    getTextWidth(text: string, font: Font): number;
    drawQRCode(code: QRCode, x: number, y: number, scale: number, color: number): void;
  }
}

declare module "commodetto/parseBMF" {
  import type { Font } from "commodetto/Poco";
  export default function parseBMF(resource: object): Font;
}

declare module "Resource" {
  export default class Resource {
    constructor(name: string);
  }
}

declare module "qrcode" {
  /** a byte a module, rows of `size` */
  export type QRCode = ArrayBuffer & { readonly size: number };
  export default function qrCode(options: { readonly input: string; readonly maxVersion?: number }): QRCode;
}

declare module "mc/config" {
  /** `config` of the manifests, and what the build command adds to it */
  const config: { readonly board: string; readonly version: number | string };
  export default config;
}

declare module "time" {
  const Time: {
    /** milliseconds since start, of 32 bits */
    readonly ticks: number;
    delta(start: number, end?: number): number;
    set(time_s: number): void;
  };
  export default Time;
}

declare module "net" {
  const Net: {
    /** `address` is absent where the name cannot be resolved. */
    resolve(host: string, callback: (host: string, address?: string) => void): void;
    get(what: "MAC"): string | undefined;
  };
  export default Net;
}

declare module "crypt" {
  export class Digest {
    constructor(type: "SHA256" | "SHA512");
    write(bytes: Uint8Array): void;
    close(): ArrayBuffer;
  }
  /** GHASH of NIST SP 800-38D over these data and what is written. */
  export class GHASH {
    constructor(subkey: ArrayBuffer, additional: ArrayBuffer);
    write(bytes: Uint8Array): void;
    close(): ArrayBuffer;
  }
  export class BlockCipher {
    constructor(cipher: "AES", key: ArrayBuffer);
    /** One block. */
    encrypt(block: ArrayBuffer): ArrayBuffer;
  }
  export class Mode {
    constructor(mode: "CTR" | "CBC", cipher: BlockCipher);
    setIV(counter: ArrayBuffer): void;
    decrypt(bytes: Uint8Array): ArrayBuffer;
  }
}

declare module "text/encoder" {
  const Encoder: typeof TextEncoder;
  export default Encoder;
}

declare module "embedded:io/serial" {
  export interface SerialOptions {
    /** on Linux */
    readonly device?: string;
    /** on a chip: the UART, its pins and framing */
    readonly port?: number;
    readonly receive?: number;
    readonly transmit?: number;
    readonly baud: number;
    readonly format: "buffer";
    onReadable?(this: Serial, count: number): void;
    onWritable?(this: Serial, count: number): void;
    onError?(this: Serial): void;
  }
  export default class Serial {
    constructor(options: SerialOptions);
    read(count?: number): ArrayBuffer | undefined;
    write(bytes: ArrayBuffer): void;
    close(): void;
  }
}

declare module "embedded:io/socket/tcp" {
  export interface TcpOptions {
    readonly address: string;
    readonly port: number;
    readonly format: "buffer";
    onReadable?(this: TCP, count: number): void;
    onWritable?(this: TCP, count: number): void;
    onError?(this: TCP): void;
  }
  export default class TCP {
    constructor(options: TcpOptions);
    read(count?: number): ArrayBuffer | undefined;
    write(bytes: ArrayBuffer): number;
    close(): void;
  }
}

declare module "embedded:network/mqtt/client" {
  export interface Control {
    readonly operation: number;
    readonly id?: number;
    readonly returnCode?: number;
    /** return codes of a SUBACK */
    readonly payload?: readonly number[];
  }
  export interface MqttClientOptions {
    readonly host: string;
    readonly port: number;
    readonly id: string;
    readonly clean: boolean;
    /** milliseconds */
    readonly keepAlive: number;
    readonly user?: string;
    readonly password?: ArrayBuffer;
    readonly will?: { readonly topic: string; readonly message: ArrayBuffer; readonly QoS: 0 | 1 | 2 };
    readonly dns: { readonly io: unknown };
    readonly socket: object;
    onControl(this: MQTTClient, message: Control): void;
    onReadable(
      this: MQTTClient,
      count: number,
      options: { readonly topic?: string; readonly byteLength?: number; readonly more: boolean },
    ): void;
    /** `count` is the room for a message's bytes. */
    onWritable(this: MQTTClient, count: number): void;
    onError(this: MQTTClient): void;
  }
  export default class MQTTClient {
    static readonly CONNACK: number;
    static readonly PUBACK: number;
    static readonly SUBSCRIBE: number;
    static readonly SUBACK: number;
    static readonly DISCONNECT: number;
    constructor(options: MqttClientOptions);
    read(count: number): ArrayBuffer;
    write(bytes: Uint8Array | null, options?: object): number;
    close(): void;
  }
}

interface StringConstructor {
  /** UTF-8 (XS) */
  fromArrayBuffer(buffer: ArrayBuffer): string;
}

declare module "embedded:io/digital" {
  export default class Digital {
    static readonly Output: number;
    constructor(options: { readonly pin: number; readonly mode: number });
    write(level: 0 | 1): void;
  }
}

declare module "embedded:storage/key-value" {
  export interface Storage {
    read(key: string): ArrayBuffer | undefined;
    write(key: string, value: ArrayBuffer): void;
    delete(key: string): void;
  }
  const storage: { open(options: { readonly path: string; readonly format: "buffer" }): Storage };
  export default storage;
}

declare module "embedded:storage/flash" {
  export interface FlashPartition {
    /** blocks from `start` up to but not including `end` */
    eraseBlock(start: number, end: number): void;
    read(byteLength: number, byteOffset: number): ArrayBuffer;
    write(bytes: ArrayBuffer, byteOffset: number): void;
    status(): { readonly size: number; readonly blockLength: number };
  }
  const flash: { open(options: { readonly path: string }): FlashPartition };
  export default flash;
}

declare module "embedded:network/interface/wifi" {
  export default class WiFi {
    constructor(options: { onChanged(this: WiFi, property: string): void });
    /** below 400 not connected, 500 with an address */
    readonly connection: number;
    readonly address: string | undefined;
    readonly RSSI: number;
    connect(options: { readonly SSID: string; readonly password?: string; readonly secure?: boolean }): void;
    disconnect(): void;
    /** `security` is "none" of an open network; throws where it cannot begin. */
    scan(options: {
      onFound(this: WiFi, found: { readonly SSID: string; readonly RSSI: number; readonly security: string }): void;
      onComplete(this: WiFi): void;
    }): void;
  }
}

declare module "sntp" {
  export default class SNTP {
    static readonly time: number;
    static readonly error: number;
    /** A returned host is asked next. */
    constructor(
      options: { readonly host: string },
      callback: (message: number, value: number | string) => string | undefined,
    );
    close(): void;
  }
}

declare module "embedded:io/socket/tcp/tls" {
  const TLSSocket: unknown;
  export default TLSSocket;
}

declare module "ssl/cert" {
  /** Of a session: the SDK's options and ours. */
  export interface VerifyOptions {
    readonly dates: import("./shared/certificates.js").CertificateDates;
    /** the authority's, DER */
    readonly certificate?: ArrayBuffer;
  }
  export default class CertificateManager {
    /** Throws where the certificate is out of its dates by Date.now. */
    register(certificate: ArrayBuffer): void;
    /** Whether chain, name and, by Date.now, dates are good; the broker's own certificate is the first. */
    verify(certificates: readonly Uint8Array[], options: VerifyOptions): boolean;
    /** Whether the key has signed the certificate; throws for algorithms that it does not know. */
    _verify(issuer: import("x509").IssuerKey, certificate: import("x509").DecodedCertificate): boolean;
  }
}

declare module "x509" {
  export interface DecodedCertificate {
    readonly tbs: Uint8Array;
  }
  /** A public key as the SDK has it. */
  export type IssuerKey = object;
  const X509: {
    decode(certificate: Uint8Array): DecodedCertificate;
    decodeSPKI(certificate: Uint8Array): IssuerKey;
    /** dates in milliseconds */
    decodeTBS(tbs: Uint8Array): { readonly validity: { readonly from: number; readonly to: number } };
  };
  export default X509;
}

declare function trace(text: string): void;

interface ArrayBufferConstructor {
  /** UTF-8 (XS) */
  fromString(text: string): ArrayBuffer;
}

interface Uint8ArrayConstructor {
  /** ECMAScript 2026 (XS) */
  fromHex(text: string): Uint8Array;
}

interface Uint8Array {
  /** ECMAScript 2026 (XS) */
  toHex(): string;
}
