// Sockets where there is no network: the SDK's modules for TLS and MQTT are in the image as on a chip, and nobody opens one.

export default class TCP {
  constructor() {
    throw new Error("an emulated processor has no sockets");
  }
}
