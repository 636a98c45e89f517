// Telegrams for tests, written out by hand and closed with a CRC computed bit by bit.

/** `/header`, blank line, lines, `!`, CRC; every line ended by CR LF. */
export function telegram(lines: readonly string[], header = "ISK5\\2M550T-1012"): Uint8Array {
  const text = `/${header}\r\n\r\n${lines.map((line) => `${line}\r\n`).join("")}!`;
  return latin1(`${text}${crcOf(latin1(text)).toString(16).toUpperCase().padStart(4, "0")}\r\n`);
}

/** The same without CRC, as DSMR 2.2 and 3.0 send it. */
export function telegramWithoutCrc(lines: readonly string[], header = "ISk5\\2MT382-1000"): Uint8Array {
  return latin1(`/${header}\r\n\r\n${lines.map((line) => `${line}\r\n`).join("")}!\r\n`);
}

export function latin1(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text, "latin1"));
}

/** CRC-16/ARC. */
export function crcOf(bytes: Uint8Array): number {
  let crc = 0;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc & 1) === 1 ? (crc >> 1) ^ 0xa001 : crc >> 1;
  }
  return crc;
}
