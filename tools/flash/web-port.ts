// A serial port in the form of Web Serial (https://wicg.github.io/serial), as far as esptool-js calls it.

export interface WebPort {
  readonly readable: ReadableStream<Uint8Array> | null;
  readonly writable: WritableStream<Uint8Array> | null;
  open(options: { readonly baudRate: number }): Promise<void>;
  close(): Promise<void>;
  /** Changes the speed of an open port; a browser's has none of it and is opened again. */
  setBaudRate?(baudRate: number): Promise<void>;
  setSignals(signals: { readonly dataTerminalReady?: boolean; readonly requestToSend?: boolean }): Promise<void>;
  getInfo(): { readonly usbVendorId?: number; readonly usbProductId?: number };
}
