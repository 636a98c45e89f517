// The serial line between a meter's port and the agent: its settings, and which a protocol usually has.

/** Settings of a serial line. An inverted line is the board's matter. */
export interface Line {
  readonly baud: number;
  readonly dataBits: 7 | 8;
  readonly parity: "none" | "even";
}

/** The speeds that meters have. */
export const bauds: readonly number[] = [300, 600, 1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200];

const eight: Omit<Line, "baud"> = { dataBits: 8, parity: "none" };
const eightEven: Omit<Line, "baud"> = { dataBits: 8, parity: "even" };
const seven: Omit<Line, "baud"> = { dataBits: 7, parity: "even" };

/**
 * DSMR 4 and later; SML; HAN ports and M-Bus (EN 13757-2); IEC 62056-21; an S0 output at a UART, where a pulse is a byte; Eastron;
 * Linky in standard mode; RS-485 of Czech meters.
 */
export const usualLines = {
  p1: { baud: 115200, ...eight },
  sml: { baud: 9600, ...eight },
  hdlc: { baud: 2400, ...eightEven },
  mbus: { baud: 2400, ...eightEven },
  d0: { baud: 9600, ...seven },
  pulse: { baud: 300, ...eight },
  modbus: { baud: 9600, ...eight },
  tic: { baud: 9600, ...seven },
  push: { baud: 9600, ...eight },
} as const satisfies Readonly<Record<string, Line>>;

/** Linky in historic mode, and French meters before it. */
export const historicLine: Line = { baud: 1200, ...seven };

/** What every D0 meter answers a request at. */
export const requestLine: Line = { baud: 300, ...seven };

export function sameLine(left: Line, right: Line): boolean {
  return left.baud === right.baud && left.dataBits === right.dataBits && left.parity === right.parity;
}
