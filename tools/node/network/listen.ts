// Opening a TCP port, with an error that says which one and what for.

import type { AddressInfo, Server } from "node:net";
import { GridsealError, reasonOf } from "../../errors.js";

/** Listens on the address (port 0: any free one) and resolves to the port; rejects with PORT_UNAVAILABLE. */
export function listenOn(
  server: Server,
  address: { readonly host: string; readonly port: number },
  purpose: string,
): Promise<number> {
  return new Promise((resolve, reject) => {
    const refuse = (cause: Error): void => {
      const message = `cannot listen for ${purpose} on ${address.host}:${address.port}: ${reasonOf(cause)}`;
      reject(new GridsealError("PORT_UNAVAILABLE", message, { cause }));
    };
    server.once("error", refuse);
    server.listen(address.port, address.host, () => {
      server.off("error", refuse);
      resolve((server.address() as AddressInfo).port);
    });
  });
}
