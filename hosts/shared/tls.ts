// TLS 1.2 to a server whose certificate a private authority has issued. The SDK's session throws out of the socket's callbacks where a
// handshake fails, which would end the machine: here that is an error of the connection like any other.

import TCP, { type TcpOptions } from "embedded:io/socket/tcp";
import TLSSocket from "embedded:io/socket/tcp/tls";

/** A socket whose callbacks never throw: what they would throw becomes its error. */
export class GuardedTCP extends TCP {
  constructor(options: TcpOptions) {
    const { onReadable, onWritable, onError } = options;
    let failed = false;
    const fail = (socket: TCP): void => {
      if (failed) return;
      failed = true;
      onError?.call(socket);
    };
    const guard = (callback: ((this: TCP, count: number) => void) | undefined) =>
      function (this: TCP, count: number): void {
        if (failed) return;
        try {
          callback?.call(this, count);
        } catch (thrown) {
          trace(`socket: ${String(thrown)}\n`);
          fail(this);
        }
      };
    super({
      ...options,
      onReadable: guard(onReadable),
      onWritable: guard(onWritable),
      onError() {
        fail(this);
      },
    });
  }
}

/** The MQTT client's socket options for a broker of this name whose authority's certificate is `authority` (DER). */
export function secureSocket(name: string, authority: ArrayBuffer | undefined): object {
  return {
    io: TLSSocket,
    TCP: { io: GuardedTCP },
    secure: { serverName: name, ...(authority !== undefined && { certificate: authority }) },
  };
}
