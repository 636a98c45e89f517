// TLS 1.2 to a server whose certificate a private authority has issued. The SDK's session throws out of the socket's callbacks where a
// handshake fails, which would end the machine: here that is an error of the connection like any other.

import TCP, { type TcpOptions } from "embedded:io/socket/tcp";
import TLSSocket from "embedded:io/socket/tcp/tls";
import { type CertificateDates, createDates, objectionOf } from "./certificates.js";

interface GuardedOptions extends TcpOptions {
  readonly secure?: { readonly dates: CertificateDates };
}

/**
 * A socket whose callbacks never throw: what they would throw becomes its error. So does a certificate that turns out to have the wrong
 * dates, as soon as anything comes by; a ping does so twice a minute.
 */
export class GuardedTCP extends TCP {
  constructor(options: GuardedOptions) {
    const { onReadable, onWritable, onError, secure } = options;
    let failed = false;
    const fail = (socket: TCP, reason: string): void => {
      if (failed) return;
      failed = true;
      trace(`socket: ${reason}\n`);
      onError?.call(socket);
    };
    const guard = (callback: ((this: TCP, count: number) => void) | undefined) =>
      function (this: TCP, count: number): void {
        if (failed) return;
        try {
          const objection = secure && objectionOf(secure.dates);
          if (objection !== undefined) return fail(this, objection);
          callback?.call(this, count);
        } catch (thrown) {
          fail(this, String(thrown));
        }
      };
    super({
      ...options,
      onReadable: guard(onReadable),
      onWritable: guard(onWritable),
      onError() {
        fail(this, "connection lost");
      },
    });
  }
}

/**
 * The MQTT client's socket options for a broker of this name whose authority's certificate is `authority` (DER). `now_ms` is undefined
 * while the time is unknown. Sessions are not resumed: a resumed one shows no certificate.
 */
export function secureSocket(
  name: string,
  authority: ArrayBuffer | undefined,
  now_ms: () => number | undefined,
): object {
  return {
    io: TLSSocket,
    TCP: { io: GuardedTCP },
    secure: {
      serverName: name,
      cache: false,
      dates: createDates(now_ms),
      ...(authority !== undefined && { certificate: authority }),
    },
  };
}
